"""The report for a meeting as lines of tables, for the page and for the file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.console.api_client import Json
from app.console.figure_names import Reader, name_cell, name_country, name_table
from app.console.translations import mark

MEASURES: Final[Mapping[str, str]] = {
    "helped_within_24_hours": mark("Helped within 24 hours"),
    "helped_within_72_hours": mark("Helped within 72 hours"),
    "helped_within_7_days": mark("Helped within 7 days"),
    "service_given": mark("Service given"),
}
"""The names of the measures of shares."""
CHANGES: Final[Mapping[str, str]] = {
    "higher": mark("more"),
    "lower": mark("fewer"),
    "similar": mark("similar"),
}
"""The texts for a change in a number of people."""
FULL: Final = 100
"""The width of the longest bar, in per cent."""


@dataclass(frozen=True)
class ReportLine:
    """A line of a table: both periods as text, and the widths of their bars in per cent."""

    name: str
    earlier: str
    later: str
    change: str
    bars: tuple[int, int]


@dataclass(frozen=True)
class ReportTable:
    """A table of a country, with its lines."""

    name: str
    lines: Sequence[ReportLine]


@dataclass(frozen=True)
class ReportCountry:
    """A country with its tables."""

    name: str
    tables: Sequence[ReportTable]


@dataclass(frozen=True)
class Gap:
    """A kind of gap in the directory: a heading, and a line per country or service."""

    heading: str
    lines: Sequence[str]


@dataclass(frozen=True)
class ReportView:
    """The meeting report as texts to show: points, changes in shares, gaps, and figures."""

    later: str
    earlier: str
    places: str
    missing: str
    points: Sequence[str]
    completed: Sequence[str]
    better: Sequence[ReportLine]
    worse: Sequence[ReportLine]
    similar: Sequence[ReportLine]
    gaps: Sequence[Gap]
    countries: Sequence[ReportCountry]


def build_view(reader: Reader, report: Json) -> ReportView:
    """Convert a meeting report from the API to the texts and lines that a reader sees."""
    shares = {
        change: [
            build_share_line(reader, one)
            for one in report["shares"]
            if one["change"] == change
        ]
        for change in CHANGES
    }
    points = report["points"]
    return ReportView(
        later=name_period(report["later"]),
        earlier=name_period(report["earlier"]),
        places=", ".join(sorted(map(reader.formats.name_country, report["countries"]))),
        missing=", ".join([*report["earlier"]["missing"], *report["later"]["missing"]]),
        points=[describe_point(reader, one) for one in points if not one["completed_at"]],
        completed=[describe_point(reader, one) for one in points if one["completed_at"]],
        better=shares["higher"],
        worse=shares["lower"],
        similar=shares["similar"],
        gaps=[gap for gap in list_gaps(reader, report["gaps"]) if gap.lines],
        countries=[build_country(reader, one) for one in report["figures"]],
    )


def name_period(period: Json) -> str:
    """Return a period as text, such as `2026Q1 – 2026Q2`."""  # noqa: RUF002
    quarters = period["quarters"]
    return " – ".join(dict.fromkeys((quarters[0], quarters[-1])))  # noqa: RUF001


def describe_point(reader: Reader, point: Json) -> str:
    """Return a follow-up point as text, with the days of its meeting and its completion."""
    day = reader.formats.format_date(point["meeting"])
    if point["completed_at"] is None:
        text = mark("%(text)s (meeting of %(day)s)")
        return reader.texts.translate(text, text=point["text"], day=day)
    return reader.texts.translate(
        mark("%(text)s (meeting of %(day)s, done on %(done)s)"),
        text=point["text"],
        day=day,
        done=reader.formats.format_date(point["completed_at"]),
    )


def build_country(reader: Reader, figures: Json) -> ReportCountry:
    """Return a country with its tables."""
    return ReportCountry(
        name_country(reader, figures["country"]),
        [
            ReportTable(
                name_table(reader, table["table"]),
                build_lines(reader, table["table"], table["cells"]),
            )
            for table in figures["tables"]
        ],
    )


def build_lines(reader: Reader, table: str, cells: Iterable[Json]) -> list[ReportLine]:
    """Return the lines of a table. The largest number has the longest bar."""
    found = [
        (cell, [get_people(cell[name]) for name in ("earlier", "later")]) for cell in cells
    ]
    longest = max(people for _, pair in found for people in pair)
    return [
        ReportLine(
            name_cell(reader, table, cell["codes"]),
            describe_sum(reader, cell["earlier"]),
            describe_sum(reader, cell["later"]),
            reader.texts.translate(CHANGES[cell["change"]]) if cell["change"] else "",
            (round(FULL * earlier / longest), round(FULL * later / longest)),
        )
        for cell, (earlier, later) in found
    ]


def get_people(found: Json) -> int:
    """Return the number of people in a period, or 0 if the number is not shown."""
    return int(found["people"] or 0)


def describe_sum(reader: Reader, found: Json) -> str:
    """Return the number of people in a period as text, or "not shown".

    The text also names the quarters that the number leaves out, if any.
    """
    if found["people"] is None:
        return reader.texts.translate(mark("not shown"))
    people = reader.formats.format_number(found["people"])
    if not found["not_shown"]:
        return people
    quarters = ", ".join(found["not_shown"])
    without = mark("%(people)s, without %(quarters)s")
    return reader.texts.translate(without, people=people, quarters=quarters)


def build_share_line(reader: Reader, share: Json) -> ReportLine:
    """Return the report line of a share, with its values in both periods."""
    measure = reader.texts.translate(MEASURES[share["measure"]])
    name = join_with_colon(reader, name_country(reader, share["country"]), measure)
    if share["service"]:
        service = reader.formats.name_code("services", share["service"])
        name = join_with_colon(reader, name, service)
    earlier, later = share["earlier"], share["later"]
    return ReportLine(
        name,
        describe_share(reader, earlier),
        describe_share(reader, later),
        "",
        (earlier["percent"], later["percent"]),
    )


def join_with_colon(reader: Reader, subject: str, what: str) -> str:
    """Return a name and a text with a colon between them, such as `Kazakhstan: Shelter`."""
    return reader.texts.translate(mark("%(subject)s: %(what)s"), subject=subject, what=what)


def describe_share(reader: Reader, share: Json) -> str:
    """Return a share as text, such as `62% (80 / 130)`."""
    percent = reader.formats.format_share(share["percent"], FULL)
    part, whole = map(reader.formats.format_number, (share["part"], share["whole"]))
    return f"{percent} ({part} / {whole})"


def list_gaps(reader: Reader, gaps: Json) -> list[Gap]:
    """Return each kind of gap in the directory. A kind without gaps has no lines."""
    formats, translate = reader.formats, reader.texts.translate
    return [
        Gap(
            translate(mark("Countries without a desk")),
            [formats.name_country(code) for code in gaps["countries_without_desk"]],
        ),
        Gap(
            translate(mark("Services that no office offers")),
            list_missing_services(reader, gaps["services"]),
        ),
        Gap(
            translate(mark("Borders without an agreement")),
            [
                join_names(
                    reader,
                    formats.name_country(gap["country"]),
                    map(formats.name_country, gap["others"]),
                )
                for gap in gaps["borders"]
            ],
        ),
        Gap(
            translate(mark("Languages of a country that no office names as its own")),
            [
                join_names(
                    reader,
                    formats.name_country(gap["country"]),
                    map(formats.name_language, gap["languages"]),
                )
                for gap in gaps["languages"]
            ],
        ),
    ]


def list_missing_services(reader: Reader, gaps: Iterable[Json]) -> list[str]:
    """Return each service that is missing, with the countries in which it is missing."""
    countries: dict[str, list[str]] = {}
    for gap in gaps:
        for service in gap["services"]:
            name = reader.formats.name_country(gap["country"])
            countries.setdefault(service, []).append(name)
    return [
        join_names(
            reader, reader.formats.name_code("services", service), countries[service]
        )
        for service in reader.formats.list_codes("services")
        if service in countries
    ]


def join_names(reader: Reader, subject: str, names: Iterable[str]) -> str:
    """Return a subject, a colon, and the names in alphabetical order."""
    return join_with_colon(reader, subject, ", ".join(sorted(names)))
