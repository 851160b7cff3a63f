"""The page "Cases": the cases of the office, and those that it sent."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from app.console.visits import Visit

PAGE_SIZE: Final = 50
FILTERS: Final = ("sent", "state", "after")
"""The query parameters of the page that are passed on to `GET /v1/cases`."""


async def show_cases(visit: Visit) -> Response:
    """Show the cases in which the office is a party. Nothing is recorded."""
    asked = visit.request.query_params
    query = {name: asked[name] for name in FILTERS if asked.get(name)}
    parameters = urlencode({**query, "limit": PAGE_SIZE})
    page = (await visit.api.get(f"cases?{parameters}")).body
    return visit.render(
        "cases.html", items=page["items"], next=page.get("next"), query=query
    )
