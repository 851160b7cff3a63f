"""The pages of a handover and of its offer, and the page that relocates a case."""

import asyncio
from typing import Final

from starlette.responses import Response

from app.console.action_forms import (
    ActionForm,
    Attempt,
    RecordKind,
    Target,
    build_menu,
    find_step,
    is_possible,
    offer_action,
    submit_form,
    take_action,
)
from app.console.case_fields import ask_contacts, ask_note, ask_reason
from app.console.forms import FieldKind, FormField
from app.console.translations import mark
from app.console.visits import Visit

HANDOVERS: Final = RecordKind(
    path="handovers",
    words="handover_actions",
    frequent=("accept",),
    forms={
        "accept": ActionForm(
            action="accept",
            hint=mark("Your office leads the case from now on, and answers for it."),
            fields=(
                FormField(
                    name="capacity_confirmed",
                    label=mark("We have the capacity to lead this case."),
                    kind=FieldKind.CHECK,
                ),
                *ask_contacts(is_required=False),
            ),
        ),
        "decline": ActionForm(
            action="decline",
            fields=(ask_reason("decline_reasons"), ask_note()),
            is_grave=True,
        ),
        "cancel": ActionForm(action="cancel", fields=(ask_note(),), is_grave=True),
    },
)
OFFER: Final = ActionForm(
    action="offer_handover",
    path="handovers",
    hint=mark("Your office leads the case until the other office has accepted."),
    fields=(
        FormField(
            name="to", label=mark("Which office should lead?"), kind=FieldKind.OFFICE
        ),
        ask_reason("handover_reasons"),
        ask_note(),
    ),
)
RELOCATE: Final = ActionForm(
    action="relocate",
    hint=mark("A suitable office of the new country is asked to lead the case."),
    fields=(
        FormField(
            name="country",
            label=mark("Where is the person now?"),
            kind=FieldKind.CHOICE,
            words="countries",
        ),
        ask_note(),
    ),
)
SENTENCES: Final = {
    "offered": mark("%(lead)s offers the lead of this case to %(office)s."),
    "effective": mark("%(office)s has accepted, and leads the case now."),
    "declined": mark("%(office)s has declined. %(lead)s still leads the case."),
    "cancelled": mark("%(lead)s has cancelled the offer to %(office)s."),
    "expired": mark("%(office)s did not answer in time. %(lead)s still leads the case."),
}
"""The state of a handover as a sentence about both offices."""


async def show_handover(visit: Visit) -> Response:
    """Show a handover, and record when the other office reads it for the first time."""
    return await render_handover(visit, get_path(visit))


async def take_handover_action(visit: Visit) -> Response:
    """Take an action on a handover, or show the page again with the entered values."""
    path = get_path(visit)
    outcome = await take_action(visit, HANDOVERS, path)
    if isinstance(outcome, Response):
        return outcome
    return await render_handover(visit, path, outcome)


def get_path(visit: Visit) -> str:
    """Return the path of the handover, relative to both /v1/ and /console/."""
    return f"{HANDOVERS.path}/{visit.request.path_params['id']}"


async def render_handover(
    visit: Visit, path: str, attempt: Attempt | None = None
) -> Response:
    """Return the page of a handover, with a failed attempt, if any."""
    answer, evidence = await asyncio.gather(
        visit.api.get(path), visit.api.get(f"{path}/evidence")
    )
    handover = answer.body
    return visit.render(
        "handover.html",
        attempt.status if attempt else 200,
        handover=handover,
        path=path,
        tag=answer.tag,
        sentence=SENTENCES[handover["state"]],
        evidence=evidence.body["items"],
        offered=build_menu(HANDOVERS, handover["available_actions"], attempt),
        words=HANDOVERS.words,
        attempt=attempt,
    )


async def show_offer(visit: Visit) -> Response:
    """Show the form that offers the lead of a case to another office."""
    return await render_case_form(visit, OFFER)


async def offer_handover(visit: Visit) -> Response:
    """Offer the lead of a case, or show the form again with the entered values."""
    return await submit_case_form(visit, OFFER)


async def show_relocation(visit: Visit) -> Response:
    """Show the form that records that the person is in another country."""
    return await render_case_form(visit, RELOCATE)


async def relocate_case(visit: Visit) -> Response:
    """Relocate a case, or show the form again with the entered values."""
    return await submit_case_form(visit, RELOCATE)


async def submit_case_form(visit: Visit, form: ActionForm) -> Response:
    """Send a form of a page below a case. Redirect to the case, or show the form again."""
    code = visit.request.path_params["code"]
    target = Target(
        path=f"cases/{code}/{form.last_path}",
        page=f"/console/cases/{code}",
        done=f"case_actions.{form.action}",
    )
    outcome = await submit_form(visit, form, target)
    if isinstance(outcome, Response):
        return outcome
    return await render_case_form(visit, form, outcome)


async def render_case_form(
    visit: Visit, form: ActionForm, attempt: Attempt | None = None
) -> Response:
    """Return the page of one form of a case, with the action's unmet requirements."""
    code = visit.request.path_params["code"]
    answer = await visit.api.get(f"cases/{code}?include=tasks")
    step = find_step(answer.body, form.action)
    return visit.render(
        "case_form.html",
        attempt.status if attempt else 200,
        case=answer.body,
        tag=answer.tag,
        step=step,
        is_possible=is_possible(step),
        one=offer_action(form, step or {}, attempt),
        attempt=attempt,
    )
