"""The page of the report for a meeting: the form for the quarters, and the report."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from app.console.api_client import ApiProblem
from app.console.meeting_report import build_view
from app.console.query_forms import get_with_query
from app.console.visits import Visit

QUERY: Final = ("from", "to", "compare", "desk")
"""The query parameters of the report, which the page passes on to the API."""
QUARTERS_OF_YEAR, MONTHS_OF_QUARTER = 4, 3
YEARS: Final = 5
"""The number of years whose quarters can be chosen."""


async def show_report(visit: Visit) -> Response:
    """Show the report of two periods, or a problem with them. Raises ApiProblem."""
    asked, answer = await get_with_query(visit, "figures/report", QUERY)
    if isinstance(answer, ApiProblem):
        return render_page(visit, asked, problem=answer, status=answer.status)
    later, earlier = answer.body["later"]["quarters"], answer.body["earlier"]["quarters"]
    asked |= {"from": later[0], "to": later[-1], "compare": earlier[0]}
    return render_page(visit, asked, report=build_view(visit, answer.body))


def render_page(
    visit: Visit, asked: dict[str, str], status: int = HTTPStatus.OK, **values: object
) -> Response:
    """Return the page with the form for the quarters, and the report or a problem."""
    asked_quarters = {asked[name] for name in QUERY if name != "desk" and asked[name]}
    desks = {
        code: visit.name_office(code)
        for code, office in visit.offices.items()
        if office["kind"] == "desk" and office["active"]
    }
    return visit.render(
        "meeting_report.html",
        status,
        asked=asked,
        choices=sorted({*list_quarters(visit), *asked_quarters}, reverse=True),
        desks=desks,
        **{"problem": None, "report": None} | values,
    )


def list_quarters(visit: Visit) -> Sequence[str]:
    """Return the quarters of the last five years, the current one first."""
    now = visit.formats.now
    current = now.year * QUARTERS_OF_YEAR + (now.month - 1) // MONTHS_OF_QUARTER
    places = (
        divmod(current - back, QUARTERS_OF_YEAR) for back in range(QUARTERS_OF_YEAR * YEARS)
    )
    return [f"{year}Q{number + 1}" for year, number in places]
