"""The actions of a record as forms: which of them a page shows, and how one is sent.

The same for cases, referrals, handovers and returns: a form sends the version that the
person saw and a key for retries. A problem shows the page again with all that was typed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from secrets import token_urlsafe
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.api_client import Answer, ApiProblem, Json, Withheld, resolve_call
from app.console.forms import (
    EMPTY,
    KEY,
    TAG,
    FilledForm,
    FormField,
    find_field_errors,
    read_form,
)
from app.console.notices import ASKED, DONE, ENDED
from app.console.visits import HOME, Visit, redirect_to


@dataclass(frozen=True, kw_only=True)
class ActionForm:
    """The form of an action. `action` is its code in `available_actions`.

    `path` is the last part of the path of the operation, if it differs from the action.
    A grave action has effects that cannot be undone, and is shown last.
    """

    action: str
    fields: tuple[FormField, ...] = ()
    is_grave: bool = False
    hint: str = ""
    path: str = ""

    @property
    def last_path(self) -> str:
        """The last part of the path of the operation."""
        return self.path or self.action.replace("_", "-")


@dataclass(frozen=True, kw_only=True)
class RecordKind:
    """A kind of record: its path, the words for its actions, and their forms by action.

    `frequent` names the actions that are shown as buttons, in this order; the others are
    shown on demand.
    """

    path: str
    words: str
    forms: Mapping[str, ActionForm]
    frequent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """A form that was sent without success: what was typed, and what was wrong with it.

    `problem` is None if fields were missing or malformed, so nothing was sent to the API.
    """

    action: str
    filled: FilledForm
    problem: ApiProblem | None = None
    key: str = field(default_factory=token_urlsafe)

    @property
    def status(self) -> int:
        """The status of the page that shows the attempt."""
        return self.problem.status if self.problem else HTTPStatus.UNPROCESSABLE_ENTITY

    @property
    def is_stale(self) -> bool:
        """Whether the record changed after the person had read it."""
        status = self.problem.status if self.problem else 0
        return status == HTTPStatus.PRECONDITION_FAILED


@dataclass(frozen=True)
class OfferedAction:
    """An action that the account can take now, with its form as it was filled."""

    form: ActionForm
    step: Json
    filled: FilledForm = EMPTY
    errors: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default_factory=token_urlsafe)
    is_tried: bool = False


@dataclass(frozen=True)
class ActionMenu:
    """The actions of a record in the order of the page.

    `main` is the action that answers the deadline, if there is one. `blocked` are the
    steps that are not possible yet, or for which the account has no role.
    """

    main: Sequence[OfferedAction]
    frequent: Sequence[OfferedAction]
    more: Sequence[OfferedAction]
    grave: Sequence[OfferedAction]
    blocked: Sequence[Json]
    kept: Sequence[tuple[str, str]] = ()
    """What was typed for an action that is not possible any more: labels and texts."""

    @property
    def is_empty(self) -> bool:
        """Whether the account can take no action now."""
        return not (self.main or self.frequent or self.more or self.grave)

    @property
    def opens_more(self) -> bool:
        """Whether the page shows the less frequent actions at once."""
        tried = any(one.is_tried for one in (*self.more, *self.grave))
        return tried or not (self.main or self.frequent)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a form is sent: the operation, the page that follows, and its notice.

    `fixed` are values of the body that are not asked. `keeps_part`: an answer without
    content (204) does not end the part of the office.
    """

    path: str
    page: str
    done: str
    method: str = "POST"
    fixed: Mapping[str, str | None] = field(default_factory=dict)
    keeps_part: bool = False


def build_menu(
    kind: RecordKind, steps: Iterable[Json], attempt: Attempt | None = None
) -> ActionMenu:
    """Return the actions of a record, of which `steps` are the `available_actions`."""
    known = [step for step in steps if step["action"] in kind.forms]
    blocked = [step for step in known if not is_possible(step)]
    offered = [
        offer_action(kind.forms[step["action"]], step, attempt)
        for step in known
        if step not in blocked
    ]
    grave = [one for one in offered if one.form.is_grave]
    often = [one for one in offered if one.form.action in kind.frequent]
    often.sort(key=lambda one: kind.frequent.index(one.form.action))
    main = [one for one in often if one.step["answers_deadline"]][:1]
    frequent = [one for one in often if one not in main]
    more = [one for one in offered if one not in often and one not in grave]
    possible = any(one.is_tried for one in offered)
    kept = () if attempt is None or possible else list_typed(kind, attempt)
    return ActionMenu(main, frequent, more, grave, blocked, kept)


def list_typed(kind: RecordKind, attempt: Attempt) -> Sequence[tuple[str, str]]:
    """Return the labels of the fields of an attempt, each with the text that was typed.

    An action that the menu never has, such as opening a return, asks for nothing.
    """
    form = kind.forms.get(attempt.action)
    fields = form.fields if form else ()
    typed = [
        (one.label, ", ".join(attempt.filled.values.get(one.name, ()))) for one in fields
    ]
    return [(label, text) for label, text in typed if text]


def offer_action(form: ActionForm, step: Json, attempt: Attempt | None) -> OfferedAction:
    """Return an action with its form, as it was filled if it was tried."""
    if attempt is None or attempt.action != form.action:
        return OfferedAction(form, step)
    errors = find_field_errors(attempt.problem, form.fields)
    return OfferedAction(form, step, attempt.filled, errors, attempt.key, is_tried=True)


def find_step(record: Json, code: str) -> Json | None:
    """Return what `available_actions` says about an action, or None if it is not there."""
    steps: Sequence[Json] = record["available_actions"]
    return next((step for step in steps if step["action"] == code), None)


def is_possible(step: Json | None) -> bool:
    """Return whether the account can take the action of a step now."""
    return step is not None and step["open"] and not step["role_missing"]


async def take_action(visit: Visit, kind: RecordKind, path: str) -> Response | Attempt:
    """Send the action of the request's path for a record, and return a redirect.

    `path` is the path of the record below /v1/ and below /console/. Returns the attempt
    if the action was not taken. Raises HTTPException (404) for an unknown action.
    """
    form = kind.forms.get(visit.request.path_params["action"])
    if form is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    target = Target(
        path=f"{path}/{form.last_path}",
        page=f"/console/{path}",
        done=f"{kind.words}.{form.action}",
    )
    return await submit_form(visit, form, target)


async def submit_form(visit: Visit, form: ActionForm, target: Target) -> Response | Attempt:
    """Send what a person filled in, and return a redirect, or the attempt on a problem."""
    sent = await visit.request.form()
    filled = read_form(form.fields, sent, visit.formats.zone)
    if filled.errors:
        return build_local_attempt(form.action, filled, sent)
    has_body = form.fields or target.fixed
    body = {**target.fixed, **filled.body} if has_body else None
    outcome = await send_form(visit, target.path, body, sent, method=target.method)
    if isinstance(outcome, ApiProblem):
        return build_attempt(form.action, filled, outcome, sent)
    return redirect_after(outcome, target.page, target.done, keeps_part=target.keeps_part)


async def send_form(
    visit: Visit, path: str, body: Json | None, sent: FormData, *, method: str = "POST"
) -> Answer | ApiProblem:
    """Send a body with the hidden fields of a form, and return the answer or the problem.

    Raises SessionEnded, StepUpRequired or Gone, for which a page of its own is shown.
    """
    headers = {"Idempotency-Key": get_text(sent, KEY) or token_urlsafe()}
    if tag := get_text(sent, TAG):
        headers["If-Match"] = tag
    return await resolve_call(visit.api.send(method, path, body, headers=headers))


def build_local_attempt(action: str, filled: FilledForm, sent: FormData) -> Attempt:
    """Return the attempt of a form with errors, which was not sent and keeps its key."""
    return Attempt(action, filled, key=get_text(sent, KEY) or token_urlsafe())


def build_attempt(
    action: str, filled: FilledForm, problem: ApiProblem, sent: FormData
) -> Attempt:
    """Return the attempt of a form that the API refused.

    The form gets a new key, unless it is unknown whether the action was taken.
    """
    key = get_text(sent, KEY) if is_unknown(problem) else token_urlsafe()
    return Attempt(action, filled, problem, key)


def is_unknown(problem: ApiProblem) -> bool:
    """Return whether a form keeps its key: it was not sent, or may have had an effect."""
    is_fault = problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return is_fault or isinstance(problem, Withheld)


def get_text(sent: FormData, name: str) -> str:
    """Return a hidden text of a form, or an empty text."""
    value = sent.get(name)
    return value if isinstance(value, str) else ""


def redirect_after(
    answer: Answer, page: str, done: str, *, keeps_part: bool = False
) -> Response:
    """Return the redirect after an action; the next page shows the notice `done`.

    202: a second person has to approve, so the page of the approval is shown. 204: the
    office may not read the record any more, unless it keeps its part.
    """
    if answer.status == HTTPStatus.ACCEPTED:
        page, done = f"/console/approvals/{answer.body['id']}", ASKED
    elif answer.status == HTTPStatus.NO_CONTENT and not keeps_part:
        page, done = HOME, ENDED
    return redirect_to(f"{page}?{urlencode({DONE: done})}")
