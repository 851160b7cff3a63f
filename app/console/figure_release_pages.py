"""The pages of released figures: the list with a form, and a release as tables or files."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
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
from app.console.release_files import build_csv, build_spreadsheet
from app.console.translations import mark
from app.console.visits import Visit

PAGE: Final = "/console/figures/releases"
RELEASE: Final = ActionForm(
    action="release",
    hint=mark("A second person of oversight has to confirm it. Nobody sees it before."),
    fields=(FormField(name="quarter", label=mark("Quarter"), hint=mark("As in 2026Q3.")),),
)
MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""The media types of files, by the endings of their names."""


@dataclass(frozen=True)
class FoldedTable:
    """A table: its name, the rows with a number, and the names of the other rows."""

    name: str
    shown: Sequence[tuple[str, int]]
    hidden: Sequence[str]


async def show_releases(visit: Visit) -> Response:
    """Show the releases, and the form for a new one to protection officers of oversight."""
    return await render_releases(visit)


async def ask_for_release(visit: Visit) -> Response:
    """Request the release of a quarter, or show the form again with a problem."""
    target = Target(path="figures/releases", page=PAGE, done=RECORDED)
    outcome = await submit_form(visit, RELEASE, target)
    if isinstance(outcome, Response):
        return outcome
    return await render_releases(visit, outcome)


async def render_releases(visit: Visit, attempt: Attempt | None = None) -> Response:
    """Return the list of releases, with a failed attempt to request one, if any."""
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
    """Return the release that the path names. Raises ApiProblem."""
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


async def export_csv(visit: Visit) -> Response:
    """Return the response that downloads a release as a CSV file."""
    release = await load_release(visit)
    return send_file(release, build_csv(visit, release).encode(), "csv")


async def export_spreadsheet(visit: Visit) -> Response:
    """Return the response that downloads a release as a spreadsheet, built in a thread."""
    release = await load_release(visit)
    content = await run_in_threadpool(build_spreadsheet, visit, release)
    return send_file(release, content, "xlsx")


def send_file(release: Json, content: bytes, ending: str) -> Response:
    """Return a response with a file of a release, whose name has the given ending."""
    name = f"figures-{release['quarter']}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, media_type=MEDIA_TYPES[ending])


def build_table(visit: Visit, table: Json) -> FoldedTable:
    """Return a table in which rows without a number are reduced to their names."""
    rows = [
        (name_cell(visit, table["table"], it["codes"]), it["people"])
        for it in table["cells"]
    ]
    return FoldedTable(
        name_table(visit, table["table"]),
        [(name, people) for name, people in rows if people is not None],
        [name for name, people in rows if people is None],
    )
