"""The page of a return: the checklist with the sides of each step, and the actions."""

from http import HTTPStatus

from starlette.responses import Response

from app.console.action_forms import (
    ActionForm,
    Attempt,
    Target,
    build_menu,
    submit_form,
    take_action,
)
from app.console.api_client import Answer, Gone, Json
from app.console.notices import RECORDED
from app.console.referral_page import render_referral
from app.console.return_actions import RETURNS, build_checklist
from app.console.sealed_documents import OpenedDocument, open_document
from app.console.visits import Visit

PLAN = "travel-plan"


async def show_return(visit: Visit) -> Response:
    """Show a return. The consulate sees only its own task, without names or reasons."""
    return await render_return(visit, get_path(visit))


async def take_return_action(visit: Visit) -> Response:
    """Take an action on a return, or show the page again with the entered values."""
    path = get_path(visit)
    outcome = await take_action(visit, RETURNS, path)
    if isinstance(outcome, Response):
        return outcome
    return await render_return(visit, path, attempt=outcome)


async def open_travel_plan(visit: Visit) -> Response:
    """Open the travel plan for a purpose, and show it only in this response."""
    path = get_path(visit)
    opened = await open_document(visit, PLAN, f"{path}/{PLAN}")
    return await render_return(visit, path, opened=opened)


async def create_return(visit: Visit) -> Response:
    """Create the return of a referral. Redirect to the referral, or show the problem."""
    path = f"referrals/{visit.request.path_params['id']}"
    target = Target(path=f"{path}/return", page=f"/console/{path}", done=RECORDED)
    outcome = await submit_form(visit, ActionForm(action="create_return"), target)
    if isinstance(outcome, Response):
        return outcome
    return await render_referral(visit, path, attempt=outcome)


def get_path(visit: Visit) -> str:
    """Return the path of the return, relative to both /v1/ and /console/."""
    return f"{RETURNS.path}/{visit.request.path_params['id']}"


async def render_return(
    visit: Visit,
    path: str,
    *,
    attempt: Attempt | None = None,
    opened: OpenedDocument | None = None,
) -> Response:
    """Return the page of a return, with a failed attempt or the travel plan, if any."""
    answer: Answer = await visit.api.get(path)
    found = answer.body
    problem = opened.problem if opened else None
    status = attempt.status if attempt else problem.status if problem else HTTPStatus.OK
    return visit.render(
        "return.html",
        status,
        found=found,
        path=path,
        tag=answer.tag,
        case=await read_case(visit, found),
        gates=build_checklist(found.get("steps", ())),
        offered=build_menu(RETURNS, found["available_actions"], attempt),
        words=RETURNS.words,
        attempt=attempt,
        opened=opened,
    )


async def read_case(visit: Visit, found: Json) -> Json | None:
    """Return the case of a return, or None for the consulate, which must not see the case.

    Also return None if the office may no longer read the case.
    """
    if "case" not in found:
        return None
    try:
        return (await visit.api.get(f"cases/{found['case']}?include=tasks")).body
    except Gone:
        return None
