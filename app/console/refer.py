"""The pages of "Refer someone": five steps that are saved as a draft and sent as a case.

The API keeps the entered values as the officer's sealed draft until the case is sent.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from app.console import refer_consent_fields as consent
from app.console import refer_fields as fields
from app.console.api_client import ApiProblem, Json
from app.console.form_drafts import (
    FormDraft,
    compute_digest,
    delete_draft,
    find_typed,
    load_draft,
    replace_fields,
    save_draft,
)
from app.console.forms import FilledForm
from app.console.refer_answers import list_answers
from app.console.refer_body import build_case
from app.console.refer_consent_fields import Basis
from app.console.refer_page import find_missing, render_step
from app.console.refer_steps import CHECKED, CHECKED_FIELDS, STEPS, read_step
from app.console.visits import Visit, redirect_to

FORM: Final = "refer"
START: Final = "/console/refer"
LAST: Final = len(STEPS)
CONFLICT: Final = 409
CONSENT_STEP: Final = 4
STEP: Final = "step"
"""The name of the draft's value with the last step that the officer reached."""
BACK: Final = "back"
"""The button that saves a step, complete or not, and returns to the previous one."""
KEY_REUSED: Final = "idempotency-key-reused"
SCORE: Final = "score"
"""The button that shows the result of the screening and stays on the step."""


async def begin(visit: Visit) -> Response:
    """Redirect to the first step, or ask whether to continue a saved form."""
    draft = await load_draft(visit.api, FORM)
    if not draft.saved_at:
        return redirect_to(f"{START}/1")
    return visit.render("refer_begun.html", draft=draft, step=draft.get(STEP) or 1)


async def show_step(visit: Visit) -> Response:
    """Show one step with the saved values, or redirect to an earlier incomplete step.

    The last two steps depend on earlier answers, such as the country. They redirect to the
    first earlier step that is incomplete. Once the officer has reached the last step, it
    is shown in any case, and names the missing fields.
    """
    number = get_number(visit)
    draft = await load_draft(visit.api, FORM)
    has_come = number == LAST and int(draft.get(STEP) or 1) == LAST
    if number >= CONSENT_STEP and not has_come:
        unfinished = [step for step in find_missing(visit, draft) if step < number]
        if unfinished:
            return redirect_to(f"{START}/{unfinished[0]}")
    return await show(visit, number, draft)


def get_number(visit: Visit) -> int:
    """Return the number of the step in the address. Raises HTTPException (404)."""
    number: int = visit.request.path_params["number"]
    if not 1 <= number <= LAST:
        raise HTTPException(404)
    return number


async def show(
    visit: Visit,
    number: int,
    draft: FormDraft,
    filled: FilledForm | None = None,
    problem: ApiProblem | None = None,
) -> Response:
    """Return the page of a step. The last step names the missing fields of all steps."""
    if filled is None:
        typed = read_step(number, draft.form, visit.formats)
        filled = replace(typed, errors={})
    return await render_step(visit, number, draft=draft, filled=filled, problem=problem)


async def take_step(visit: Visit) -> Response:
    """Save a step, and redirect to the next one, or show the step again with errors."""
    number = get_number(visit)
    form = await visit.request.form()
    draft = await merge_step(visit, number, form, after=number + 1)
    if draft is None:
        return render_replaced_form(visit, number, form)
    filled = read_step(number, draft.form, visit.formats)
    try:
        draft = await save_draft(visit.api, FORM, draft)
    except ApiProblem as problem:
        return await show(visit, number, draft, filled, problem)
    if BACK in form:
        return redirect_to(f"{START}/{max(1, number - 1)}")
    if SCORE in form:
        return await show(visit, number, draft)
    if filled.errors:
        return await show(visit, number, draft, filled)
    return await finish_step(visit, number, draft, str(form.get(CHECKED, "")))


async def finish_step(
    visit: Visit, number: int, draft: FormDraft, checked: str
) -> Response:
    """Redirect to the page after a complete step, or send the case after the last step.

    `checked` is the digest of the values that the last step showed to the officer. If the
    values have changed since then, a page says so (409).
    """
    if number == LAST:
        if checked != compute_digest(draft, CHECKED_FIELDS):
            return visit.render("refer_changed.html", CONFLICT)
        return await send_case(visit, draft)
    is_refused = draft.get(consent.BASIS.name) == Basis.REFUSED
    if number == CONSENT_STEP and is_refused:
        return redirect_to(f"{START}/refused")
    return redirect_to(f"{START}/{number + 1}")


def render_replaced_form(visit: Visit, number: int, form: FormData) -> Response:
    """Return the page for a form that was sent, deleted or replaced, with its values."""
    typed = read_step(number, form, visit.formats)
    answers = list_answers(visit, STEPS[number - 1], typed)
    return visit.render("refer_gone.html", CONFLICT, answers=answers)


async def merge_step(
    visit: Visit, number: int, form: FormData, *, after: int
) -> FormDraft | None:
    """Return the draft with the values entered in a step, without saving it.

    `after` is the step that the officer then reaches. Returns None if the form belongs to
    a draft that was deleted or replaced.
    """
    draft = find_typed(await load_draft(visit.api, FORM), form)
    if draft is None:
        return None
    merged = replace_fields(draft, STEPS[number - 1].fields, form)
    reached = max(min(after, LAST), int(draft.get(STEP) or 1))
    return replace(merged, values={**merged.values, STEP: [str(reached)]})


async def save_step(visit: Visit) -> Response:
    """Save the values of an unfinished step. Return the time, or "Not saved", as text."""
    number = get_number(visit)
    form = await visit.request.form()
    draft = await merge_step(visit, number, form, after=number)
    if draft is None:
        return PlainTextResponse(visit.texts.translate("Not saved"), CONFLICT)
    try:
        saved = await save_draft(visit.api, FORM, draft)
    except ApiProblem as problem:
        return PlainTextResponse(visit.texts.translate("Not saved"), problem.status)
    time = visit.formats.format_clock(saved.saved_at)
    return PlainTextResponse(visit.texts.translate("Saved at %(time)s", time=time))


async def send_case(visit: Visit, draft: FormDraft) -> Response:
    """Send the case once and delete the draft, or show the problem on a page."""
    for number in range(1, LAST):
        if read_step(number, draft.form, visit.formats).errors:
            return await show(visit, LAST, draft)
    try:
        sent = await visit.api.post(
            "cases", build_case(draft, visit.formats), {"Idempotency-Key": draft.key}
        )
    except ApiProblem as problem:
        if problem.code == KEY_REUSED:
            return render_replaced_form(visit, LAST, draft.form)
        return await show(visit, LAST, draft, problem=problem)
    with suppress(ApiProblem):  # the case is sent; the draft expires after 24 hours
        await delete_draft(visit.api, FORM)
    return redirect_to(f"{START}/sent/{sent.body['code']}")


async def show_sent(visit: Visit) -> Response:
    """Show the code of the case that was sent, and what happens next."""
    code = visit.request.path_params["code"]
    path = f"cases/{code}?include=tasks&include=evidence"
    case: Json = (await visit.api.get(path)).body
    asked = case["included"]["evidence"]["items"]
    return visit.render("refer_sent.html", case=case, asked=asked[-1] if asked else None)


async def ask_discard(visit: Visit) -> Response:
    """Ask whether to delete all entered values."""
    draft = await load_draft(visit.api, FORM)
    return visit.render("refer_discard.html", draft=draft, step=draft.get(STEP) or 1)


async def discard(visit: Visit) -> Response:
    """Delete the draft of the form, or redirect to the start if it has been replaced."""
    draft = await load_draft(visit.api, FORM)
    if find_typed(draft, await visit.request.form()):
        await delete_draft(visit.api, FORM)
    elif draft.saved_at:
        return redirect_to(START)
    return visit.render("refer_discarded.html", counted=False)


async def ask_refused(visit: Visit) -> Response:
    """Ask whether to end a referral that the person does not want."""
    draft = await load_draft(visit.api, FORM)
    return visit.render("refer_refused.html", draft=draft)


async def end_refused(visit: Visit) -> Response:
    """Count an adult's refusal to be referred, and delete the draft.

    If the draft was replaced or contains no such refusal, redirect instead.
    """
    draft = find_typed(await load_draft(visit.api, FORM), await visit.request.form())
    if draft is None:
        return redirect_to(START)
    age, country = draft.get(fields.AGE.name), draft.get(fields.COUNTRY.name)
    if draft.get(consent.BASIS.name) != Basis.REFUSED or age != consent.ADULT:
        return redirect_to(f"{START}/{CONSENT_STEP}")
    await visit.api.post("refusals", {"country": country, "age_class": age})
    await delete_draft(visit.api, FORM)
    return visit.render("refer_discarded.html", counted=True)
