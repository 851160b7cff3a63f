"""The page on which a consent is recorded, and the form that the person signs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Final

from starlette.datastructures import FormData
from starlette.responses import Response

from app.console.action_forms import (
    Attempt,
    build_attempt,
    build_local_attempt,
    redirect_after,
    send_form,
)
from app.console.api_client import ApiProblem, Json
from app.console.case_fields import CONSENT_FIELDS
from app.console.consent_matrix import (
    Added,
    Matrix,
    Recipient,
    list_recipients,
    read_matrix,
    read_ticked,
)
from app.console.forms import FilledForm, FormField, find_field_errors, read_form
from app.console.translations import LANGUAGES, load_texts
from app.console.visits import Visit, redirect_to
from app.kernel.languages import ENGLISH

ACTION: Final = "record_consent"
FORM_VERSION: Final = "console-1"
"""The version of the form that the console prints. Change it when the text changes."""
ADDED: Final = "added"
"""The field with the offices that were added to the consent matrix by hand."""
ADDED_SERVICE: Final = "service"
"""The field with the services that were added to the consent matrix by hand."""
ADD: Final = "add"
"""The button that adds an office or a service."""
EMPTY_MATRIX: Final = Matrix((), {})


@dataclass(frozen=True)
class ConsentForm:
    """A consent form as it was filled in: the fields, the rows, and the ticked boxes."""

    case: Json
    tag: str
    rows: Sequence[Recipient]
    filled: FilledForm
    ticked: Mapping[str, Sequence[str]]
    added: Added
    matrix: Matrix = EMPTY_MATRIX


async def show_consent(visit: Visit) -> Response:
    """Show the form for a consent, with the person's language preset."""
    return await render_consent(visit, await read_consent(visit, FormData()))


async def record_consent(visit: Visit) -> Response:
    """Record a consent, or show its form with a problem or an added office or service."""
    sent = await visit.request.form()
    form = await read_consent(visit, sent)
    if sent.get(ADD) and not form.matrix.is_outdated:
        return await render_consent(visit, form)
    if form.filled.errors or form.matrix.errors:
        return await render_consent(
            visit, form, build_local_attempt(ACTION, form.filled, sent)
        )
    body = {**form.filled.body, "recipients": form.matrix.recipients}
    code = form.case["code"]
    path = f"cases/{code}/consents"
    outcome = await send_form(visit, path, body, sent)
    if isinstance(outcome, ApiProblem):
        attempt = build_attempt(ACTION, form.filled, outcome, sent)
        return await render_consent(visit, form, attempt)
    return redirect_after(outcome, f"/console/cases/{code}", f"case_actions.{ACTION}")


async def print_consent(visit: Visit) -> Response:
    """Show the form to sign, in the language of the explanation if the console has it.

    If the rows have changed since the boxes were ticked, show the page of the form again.
    """
    form = await read_consent(visit, await visit.request.form())
    if form.matrix.is_outdated:
        return await render_consent(visit, form, Attempt(ACTION, form.filled))
    language = form.filled.get("language").partition("-")[0]
    spoken = replace(visit, texts=load_texts(language)) if language in LANGUAGES else visit
    return spoken.render(
        "consent_print.html", form=form, is_translated=language in LANGUAGES
    )


async def redirect_to_form(visit: Visit) -> Response:
    """Redirect to the form if the printed form is requested without the entered values."""
    return redirect_to(f"/console/cases/{visit.request.path_params['code']}/consent")


async def read_consent(visit: Visit, sent: FormData) -> ConsentForm:
    """Return the form as it was sent, or a new form if `sent` is empty."""
    answer = await visit.api.get(
        f"cases/{visit.request.path_params['code']}?include=history"
    )
    case = answer.body
    query = visit.request.query_params
    added = Added(
        [*read_ticked(sent, ADDED), *query.getlist("office")],
        [*read_ticked(sent, ADDED_SERVICE), *query.getlist(ADDED_SERVICE)],
    )
    rows = list_recipients(visit, case, added)
    ticked = {name: read_ticked(sent, name) for name in sent}
    if not sent:
        return ConsentForm(case, answer.tag, rows, begin_form(case), ticked, added)
    filled = read_form(CONSENT_FIELDS, sent, visit.formats.zone)
    matrix = read_matrix(rows, sent)
    return ConsentForm(case, answer.tag, rows, filled, ticked, added, matrix)


def list_fields(visit: Visit, case: Json) -> Sequence[FormField]:
    """Return the fields, with the languages of the person, the offices and the console.

    The list of all languages would take up half of the page.
    """
    spoken = {tag for office in visit.offices.values() for tag in office["languages"]}
    chosen = spoken | {*LANGUAGES, case["summary"]["language"] or ENGLISH}
    codes = sorted(chosen, key=visit.formats.name_language)
    return [
        replace(one, codes=tuple(codes)) if one.name == "language" else one
        for one in CONSENT_FIELDS
    ]


def begin_form(case: Json) -> FilledForm:
    """Return a new form with the person's language and the version of the printed form."""
    language = case["summary"]["language"]
    values = {"language": [language] if language else [], "form_version": [FORM_VERSION]}
    return FilledForm(values=values)


async def render_consent(
    visit: Visit, form: ConsentForm, attempt: Attempt | None = None
) -> Response:
    """Return the page of the form, with a failed attempt, if any."""
    problem = attempt.problem if attempt else None
    return visit.render(
        "consent.html",
        attempt.status if attempt else HTTPStatus.OK,
        form=form,
        case=form.case,
        tag=form.tag,
        fields=list_fields(visit, form.case),
        attempt=attempt,
        problem=problem,
        filled=form.filled if attempt else replace(form.filled, errors={}),
        errors=find_field_errors(problem, CONSENT_FIELDS),
        row_errors=form.matrix.errors if attempt else {},
        key=attempt.key if attempt else token_urlsafe(),
    )
