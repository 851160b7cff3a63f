"""The page of the emergency accesses of a case: the request, the decision, the review."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.action_forms import (
    ActionForm,
    Attempt,
    OfferedAction,
    Target,
    find_step,
    is_possible,
    offer_action,
    select_attempt,
    submit_form,
)
from app.console.api_client import Json
from app.console.case_fields import ask_note
from app.console.forms import FieldKind, FormField
from app.console.notices import RECORDED
from app.console.translations import mark
from app.console.visits import Visit

REQUEST: Final = ActionForm(
    action="request_emergency_access",
    path="emergency-access",
    is_grave=True,
    fields=(
        FormField(
            name="reason",
            label=mark("Why can it not wait?"),
            kind=FieldKind.CHOICE,
            words="vital_interest_reasons",
            codes=("RISK_TO_LIFE",),
        ),
        FormField(
            name="sections",
            label=mark("What must be read?"),
            kind=FieldKind.CHOICES,
            words="sections",
            hint=mark("Choose only what is needed to save the life."),
        ),
        FormField(
            name="purpose",
            label=mark("What is it for?"),
            kind=FieldKind.CHOICE,
            words="reading_purposes",
        ),
        FormField(
            name="note",
            label=mark("What is known"),
            kind=FieldKind.LONG_TEXT,
            hint=mark("The text is sealed. The person who decides reads it."),
        ),
    ),
)
STEPS: Final = {
    form.action: form
    for form in (
        ActionForm(
            action="grant",
            hint=mark("The person who asked can open these sections for four hours."),
        ),
        ActionForm(action="refuse", is_grave=True),
        ActionForm(action="stop", is_grave=True),
        ActionForm(
            action="inform",
            hint=mark("Confirm it after the person was told who read which sections."),
            fields=(ask_note(),),
        ),
        ActionForm(
            action="review",
            fields=(
                FormField(
                    name="justified",
                    label=mark("Was the access justified?"),
                    kind=FieldKind.YES_NO,
                ),
            ),
        ),
    )
}
"""The steps of an emergency access, by the last part of the path of the operation."""


@dataclass(frozen=True)
class ShownAccess:
    """An emergency access as the page shows it, with the steps that the page offers."""

    body: Json
    steps: Sequence[OfferedAction]
    may_open: bool


async def show_emergency_access(visit: Visit) -> Response:
    """Show the emergency accesses of a case. Nothing is recorded."""
    return await render_emergency_access(visit)


async def request_emergency_access(visit: Visit) -> Response:
    """Request emergency access, or show the form again with the entered values."""
    code = visit.request.path_params["code"]
    done = f"case_actions.{REQUEST.action}"
    return await submit_step(visit, REQUEST, f"cases/{code}/{REQUEST.last_path}", done)


async def decide_emergency_access(visit: Visit) -> Response:
    """Take a step of an emergency access, or show the page again with a problem."""
    names = visit.request.path_params
    form = STEPS.get(names["step"])
    if form is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    path = f"cases/{names['code']}/emergency-access/{names['id']}/{form.last_path}"
    return await submit_step(visit, form, path, RECORDED)


async def submit_step(visit: Visit, form: ActionForm, path: str, done: str) -> Response:
    """Send a form of the page. Redirect to the page, or show the form again."""
    page = f"/console/cases/{visit.request.path_params['code']}/emergency-access"
    outcome = await submit_form(visit, form, Target(path=path, page=page, done=done))
    if isinstance(outcome, Response):
        return outcome
    return await render_emergency_access(visit, outcome)


async def render_emergency_access(visit: Visit, attempt: Attempt | None = None) -> Response:
    """Return the page of the emergency accesses, with a failed attempt, if any."""
    code = visit.request.path_params["code"]
    case = (await visit.api.get(f"cases/{code}?include=tasks")).body
    accesses = (await visit.api.get(f"cases/{code}/emergency-access")).body["items"]
    step = find_step(case, REQUEST.action)
    return visit.render(
        "emergency.html",
        attempt.status if attempt else HTTPStatus.OK,
        case=case,
        accesses=[show_access(visit, one, attempt) for one in reversed(accesses)],
        step=step,
        is_possible=is_possible(step),
        one=offer_action(REQUEST, step or {}, attempt),
        attempt=attempt,
    )


def show_access(visit: Visit, access: Json, attempt: Attempt | None) -> ShownAccess:
    """Return an access with the steps that the page offers. The API checks the rules."""
    own = access["asked_by"] == visit.me["focal_point"]
    names = list_steps(visit, access, is_own=own)
    mine = select_attempt(visit, attempt, access["id"])
    return ShownAccess(
        access,
        [offer_action(STEPS[name], {}, mine) for name in names],
        may_open=own and access["state"] == "granted",
    )


def list_steps(visit: Visit, access: Json, *, is_own: bool) -> Sequence[str]:
    """Return the steps that the page offers for an access in its state."""
    match access["state"]:
        case "requested":
            return () if is_own else ("grant", "refuse")
        case "granted":
            return ("stop",)
        case "ended":
            due = {
                "inform": access["inform_person_by"] is not None,
                "review": may_review(visit, access),
            }
            return [step for step, is_due in due.items() if is_due]
        case _:
            return ()


def may_review(visit: Visit, access: Json) -> bool:
    """Return whether an access is not reviewed yet and the account may review it."""
    return access["reviewed_at"] is None and "protection_officer" in visit.roles
