"""The pages with the whole history of a case, and with its whole access log."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from app.console.api_client import Json
from app.console.visits import Visit

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 200


async def show_history(visit: Visit) -> Response:
    """Show the events of a case that were sent to the office. Nothing is recorded."""
    return await show_list(visit, "history", "case_history_page.html")


async def show_access_log(visit: Visit) -> Response:
    """Show the attempts to open documents of a case: office, document, time and purpose."""
    return await show_list(visit, "access-log", "case_access_log.html")


async def read_events(visit: Visit, case: Json) -> Sequence[Json]:
    """Return the latest events of a case, the oldest first.

    A case includes only the first page of its history, so this loads the other pages.
    """
    page: Json = case["included"].get("history", {"items": []})
    events: list[Json] = page["items"]
    while after := page.get("next"):
        query = urlencode({"limit": MAX_PAGE_SIZE, "after": after})
        page = (await visit.api.get(f"cases/{case['code']}/history?{query}")).body
        events = [*events[-PAGE_SIZE:], *page["items"]]
    return events


async def show_list(visit: Visit, path: str, template: str) -> Response:
    """Show one page of a list of a case."""
    code = visit.request.path_params["code"]
    after = visit.request.query_params.get("after")
    query = urlencode({"limit": PAGE_SIZE, **({"after": after} if after else {})})
    page = (await visit.api.get(f"cases/{code}/{path}?{query}")).body
    return visit.render(template, code=code, items=page["items"], next=page.get("next"))
