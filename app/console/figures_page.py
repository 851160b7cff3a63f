"""The page "Figures": the office's own figures as tables with bars."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from app.console.api_client import ApiProblem, Json
from app.console.query_forms import get_with_query
from app.console.translations import mark
from app.console.visits import Visit

DAYS: Final = ("from", "to")
"""The query parameters of the period, which the page passes on to the API."""
TIMES: Final[Mapping[str, str]] = {
    "acknowledged": mark("From a request to the first answer"),
    "decided": mark("From a request to the decision"),
    "sheltered": mark("From a referral to a shelter until it met the person"),
}
AGES: Final[Mapping[str, str]] = {
    "not_due": mark("Not due yet"),
    "under_one_day": mark("Late by less than a day"),
    "one_to_three_days": mark("Late by one to three days"),
    "three_to_seven_days": mark("Late by three to seven days"),
    "over_seven_days": mark("Late by seven days or more"),
}
REASONS: Final = ("decline_reasons", "handover_reasons")
"""The lists in which the label of a reason is looked up, in this order."""
SENT: Final = ("cases", "cases_without_lead", "referrals", "referrals_without_help")
PER_CENT: Final = 100


@dataclass(frozen=True)
class Bar:
    """A bar: its filled part and its empty part, in per cent of the width of the chart."""

    filled: int
    empty: int = 0


@dataclass(frozen=True)
class Line:
    """A line of a table: its name, its cells as text, and its bar."""

    name: str
    cells: Sequence[str]
    bar: Bar


async def show_figures(visit: Visit) -> Response:
    """Show the office's own figures for a period, or a problem with the period.

    Raises ApiProblem for any other problem.
    """
    asked, answer = await get_with_query(visit, "figures/own", DAYS)
    if isinstance(answer, ApiProblem):
        return visit.render("figures.html", answer.status, problem=answer, asked=asked)
    figures = answer.body
    asked = {"from": figures["first_day"], "to": figures["last_day"]}
    return visit.render(
        "figures.html",
        problem=None,
        asked=asked,
        figures=figures,
        times=build_times(visit, figures),
        answers=build_answers(visit, figures["answers"]),
        declines=[
            build_declines(visit, figures[name])
            for name in ("own_declines", "declines_received")
        ],
        deadlines=build_deadlines(visit, figures["deadlines"]),
        returns=build_counts(
            (visit.formats.name_code("return_states", one["outcome"]), one["count"])
            for one in figures["returns"]
        ),
        ages=build_counts(
            (visit.texts.translate(AGES[one["age"]]), one["cases"])
            for one in figures["open_work"]
        ),
        offices=build_counts(
            (visit.name_office(one["focal_point"]), one["missed"])
            for one in figures["offices"]
        ),
        senders=build_senders(visit, figures["senders"]),
    )


def build_times(visit: Visit, figures: Json) -> Sequence[Line]:
    """Return one line for each duration. The filled part of a bar shows the median."""
    found = {name: figures[name] for name in TIMES if figures[name]["count"]}
    longest = max((one["percentile_90_seconds"] for one in found.values()), default=0)
    return [
        Line(
            visit.texts.translate(TIMES[name]),
            (
                str(one["count"]),
                visit.formats.format_duration(one["median_seconds"]),
                visit.formats.format_duration(one["percentile_90_seconds"]),
            ),
            build_bar(one["median_seconds"], one["percentile_90_seconds"], longest),
        )
        for name, one in found.items()
    ]


def build_answers(visit: Visit, answers: Iterable[Json]) -> Sequence[Line]:
    """Return one line for each service. The filled part of a bar shows answers in time."""
    return [
        Line(
            name_service(visit, one["service"]),
            (
                str(one["in_time"]),
                str(one["late"]),
                visit.formats.format_share(one["in_time"], total),
            ),
            build_bar(one["in_time"], total, total),
        )
        for one in answers
        for total in [one["in_time"] + one["late"]]
    ]


def name_service(visit: Visit, service: str | None) -> str:
    """Return the name of a service, or "Requests to lead a case" if `service` is None."""
    if service is None:
        return visit.texts.translate(mark("Requests to lead a case"))
    return visit.formats.name_code("services", service)


def build_declines(visit: Visit, declines: Iterable[Json]) -> Sequence[Line]:
    """Return one line with the number of declined requests for each reason."""
    return build_counts(
        (visit.formats.name_first(REASONS, one["reason"] or ""), one["count"])
        for one in declines
    )


def build_deadlines(visit: Visit, deadlines: Iterable[Json]) -> Sequence[Line]:
    """Return one line for each kind of deadline, the kind with the most missed first.

    The filled part of a bar shows the number of missed deadlines.
    """
    found = sorted(deadlines, key=lambda one: (-one["missed"], -one["count"]))
    most = max((one["count"] for one in found), default=0)
    return [
        Line(
            visit.formats.name_code("deadlines", one["kind"]),
            (str(one["count"]), str(one["missed"])),
            build_bar(one["missed"], one["count"], most),
        )
        for one in found
    ]


def build_senders(visit: Visit, senders: Iterable[Json]) -> Sequence[Line]:
    """Return one line for each office. The filled part of a bar ended without help."""
    return [
        Line(
            visit.name_office(one["focal_point"]),
            [str(one[name]) for name in SENT],
            build_bar(one[SENT[1]] + one[SENT[3]], total, total),
        )
        for one in senders
        for total in [one[SENT[0]] + one[SENT[2]]]
    ]


def build_counts(counts: Iterable[tuple[str, int]]) -> Sequence[Line]:
    """Return the lines of a table with one count each."""
    found = list(counts)
    most = max((count for _, count in found), default=0)
    return [
        Line(name, (str(count),), build_bar(count, count, most)) for name, count in found
    ]


def build_bar(filled: int, whole: int, longest: int) -> Bar:
    """Return a bar of length `whole`, filled up to `filled`, on a scale up to `longest`."""
    if not longest:
        return Bar(0)
    part = round(PER_CENT * filled / longest)
    return Bar(part, round(PER_CENT * whole / longest) - part)
