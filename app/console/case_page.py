"""The page of one case, for the office of the signed-in person."""

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from starlette.responses import Response

from app.console.api_client import Answer, ApiProblem, Json
from app.console.visits import Visit

PARTS: Final = (
    "evidence",
    "history",
    "referrals",
    "handovers",
    "consents",
    "questions",
    "routing",
    "tasks",
)
"""The parts of a case that the page shows."""


PARTS_QUERY: Final = urlencode({"include": PARTS}, doseq=True)


@dataclass(frozen=True)
class OpenedSection:
    """A section that was opened for this one page."""

    section: str
    content: Json


async def show_case(visit: Visit) -> Response:
    """Show a case. The first time that an office that was asked reads it is recorded.

    Only a request without `include` records it, so the page sends both.
    """
    code = visit.request.path_params["code"]
    await visit.api.get(f"cases/{code}")
    return await render_case(visit, code)


async def render_case(
    visit: Visit,
    code: str,
    *,
    opened: OpenedSection | None = None,
    problem: ApiProblem | None = None,
) -> Response:
    """Return the page of a case, with a section that was opened or a problem."""
    answer, knowledge = await asyncio.gather(
        visit.api.get(f"cases/{code}?{PARTS_QUERY}"), read_knowledge(visit, code)
    )
    status = problem.status if problem else 200
    return visit.render(
        "case.html",
        status,
        case=answer.body,
        tag=answer.tag,
        knowledge=knowledge,
        opened=opened,
        problem=problem,
        form_key=str(uuid4()),
    )


async def read_knowledge(visit: Visit, code: str) -> Json | None:
    """Return who may open and who opened each section, or None without the scope."""
    if not visit.may("sections:read"):
        return None
    answer: Answer = await visit.api.get(f"cases/{code}/knowledge")
    return answer.body
