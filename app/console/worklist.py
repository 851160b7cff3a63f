"""The page "To do": the tasks of the office, most urgent first."""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from app.console.api_client import Json
from app.console.formats import Urgency
from app.console.unsent_page import list_unsent
from app.console.visits import Visit

PAGE_SIZE: Final = 50
DIRECTING_ROLES: Final = frozenset({"coordinator", "supervisor"})
"""The roles that always see how many tasks are late or due soon, or wait for others."""


@dataclass(frozen=True)
class Task:
    """One task of the worklist, with the page on which it is done."""

    item: Json
    urgency: Urgency
    href: str | None


async def show_worklist(visit: Visit) -> Response:
    """Show the tasks of the office. Nothing is recorded."""
    if not visit.may("feed:read"):
        return visit.render("no_worklist.html", kept=await list_unsent(visit.api))
    after = visit.request.query_params.get("after")
    more = f"&after={after}" if after else ""
    page, counts, kept = await asyncio.gather(
        visit.api.get(f"worklist?include=summary&limit={PAGE_SIZE}{more}"),
        visit.api.get("worklist/counts"),
        list_unsent(visit.api),
    )
    tasks = [build_task(visit, item) for item in page.body["items"]]
    groups = {urgency: [t for t in tasks if t.urgency == urgency] for urgency in Urgency}
    return visit.render(
        "worklist.html",
        groups=groups,
        counts=counts.body,
        directs=bool(visit.roles & DIRECTING_ROLES),
        next=page.body.get("next"),
        kept=kept,
    )


def build_task(visit: Visit, item: Json) -> Task:
    """Return the task for an item of the worklist."""
    return Task(item, visit.formats.find_urgency(item["due_at"]), find_page(item))


def find_page(item: Json) -> str | None:
    """Return the address of the page for an item, or None if there is no page for it."""
    kind, _, identity = item["subject"].partition("/")
    if kind in {"referrals", "handovers", "returns", "approvals"}:
        return f"/console/{kind}/{identity}"
    if item.get("case"):
        return f"/console/cases/{item['case']['code']}"
    return f"/console/cases/{identity}" if kind == "cases" else None
