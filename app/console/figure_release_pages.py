"""The pages of released figures: the list, a release as tables and as CSV, and asking."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from app.console.action_forms import (
    ActionForm,
    Attempt,
    Target,
    offer_action,
    submit_form,
)
from app.console.api_client import Json
from app.console.figure_names import name_cell, name_country, name_table
from app.console.forms import FormField
from app.console.notices import RECORDED
from app.console.translations import mark
from app.console.visits import Visit

PAGE: Final = "/console/figures/releases"
RELEASE: Final = ActionForm(
    action="release",
    hint=mark("A second person of oversight has to confirm it. Nobody sees it before."),
    fields=(FormField(name="quarter", label=mark("Quarter"), hint=mark("As in 2026Q3.")),),
)
COLUMNS: Final = ("quarters", "country", "table", "code", "subcode", "people", "name")
CSV: Final = "text/csv; charset=utf-8"


@dataclass(frozen=True)
class FoldedTable:
    """A table: its name, the rows with a number, and the names of the other rows."""

    name: str
    shown: Sequence[tuple[str, int]]
    hidden: Sequence[str]


async def show_releases(visit: Visit) -> Response:
    """Show the list of releases, and to oversight the form that asks for one."""
    return await render_releases(visit)


async def ask_for_release(visit: Visit) -> Response:
    """Ask for the release of a quarter, or show the form again with a problem."""
    target = Target(path="figures/releases", page=PAGE, done=RECORDED)
    outcome = await submit_form(visit, RELEASE, target)
    if isinstance(outcome, Response):
        return outcome
    return await render_releases(visit, outcome)


async def render_releases(visit: Visit, attempt: Attempt | None = None) -> Response:
    """Return the list of releases, after an attempt to ask for one."""
    releases = (await visit.api.get("figures/releases")).body["items"]
    may_ask = "protection_officer" in visit.roles and visit.office["kind"] == "oversight"
    return visit.render(
        "figure_releases.html",
        attempt.status if attempt else HTTPStatus.OK,
        releases=releases,
        one=offer_action(RELEASE, {}, attempt) if may_ask else None,
        attempt=attempt,
    )


async def load_release(visit: Visit) -> Json:
    """Return the release of the path. Raises ApiProblem."""
    release: Json = (
        await visit.api.get(f"figures/releases/{visit.request.path_params['id']}")
    ).body
    return release


async def show_release(visit: Visit) -> Response:
    """Show a release as tables."""
    release = await load_release(visit)
    figures = [
        (
            name_country(visit, one["country"]),
            ", ".join(one["quarters"]),
            [build_table(visit, table) for table in one["tables"]],
        )
        for one in release["figures"]
    ]
    return visit.render("figure_release.html", release=release, figures=figures)


async def export_release(visit: Visit) -> Response:
    """Return a release as CSV, with the codes and the names in the reader's language."""
    release = await load_release(visit)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(list_lines(visit, release["figures"]))
    name = f"figures-{release['quarter']}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + text.getvalue(), headers=headers, media_type=CSV)


def list_lines(visit: Visit, figures: Iterable[Json]) -> Iterator[Sequence[str]]:
    """Yield the lines of the CSV file. A number that is not shown is empty."""
    for one in figures:
        for table in one["tables"]:
            for cell in table["cells"]:
                codes = [*cell["codes"], "", ""][:2]
                people = "" if cell["people"] is None else str(cell["people"])
                place = (" ".join(one["quarters"]), one["country"] or "all", table["table"])
                yield (
                    *place,
                    *codes,
                    people,
                    name_cell(visit, table["table"], cell["codes"]),
                )


def build_table(visit: Visit, table: Json) -> FoldedTable:
    """Return a table whose rows without a number are folded."""
    rows = [
        (name_cell(visit, table["table"], it["codes"]), it["people"])
        for it in table["cells"]
    ]
    return FoldedTable(
        name_table(visit, table["table"]),
        [(name, people) for name, people in rows if people is not None],
        [name for name, people in rows if people is None],
    )
