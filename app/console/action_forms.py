"""The forms of the actions on a record: which forms a page shows, and how they are sent.

Cases, referrals, handovers and returns use the same forms. A form sends the version that
the person saw and an idempotency key. After a problem, the page shows all entered values.
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
    A grave action cannot simply be undone, and is shown last.
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
    """A kind of record, with its path and the forms of its actions by code.

    `words` is the reference list with the labels of the actions. `frequent` names the
    actions that are shown as buttons, in this order. The others are shown on demand.
    """

    path: str
    words: str
    forms: Mapping[str, ActionForm]
    frequent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """A form that was submitted without success: the entered values and the problem.

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
    """An action that a page offers, with the form as it was filled in."""

    form: ActionForm
    step: Json
    filled: FilledForm = EMPTY
    errors: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default_factory=token_urlsafe)
    is_tried: bool = False


@dataclass(frozen=True)
class ActionMenu:
    """The menu of the actions on a record, in the order in which its page shows them.

    `main` contains the frequent action that answers the deadline, if there is one.
    `blocked` contains actions that are not possible yet or for which the role is missing.
    """

    main: Sequence[OfferedAction]
    frequent: Sequence[OfferedAction]
    more: Sequence[OfferedAction]
    grave: Sequence[OfferedAction]
    blocked: Sequence[Json]
    kept: Sequence[tuple[str, str]] = ()
    """The labels and entered texts of an action that is no longer possible."""

    @property
    def is_empty(self) -> bool:
        """Whether the account can take no action now."""
        return not (self.main or self.frequent or self.more or self.grave)

    @property
    def opens_more(self) -> bool:
        """Whether the less frequent actions are shown without a click."""
        tried = any(one.is_tried for one in (*self.more, *self.grave))
        return tried or not (self.main or self.frequent)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The destination of a form: the operation, the page that follows, and its notice.

    `fixed` contains values of the body for which the form has no field. If `keeps_part` is
    true, the office is still a party after a response without content (204).
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
    """Return the menu for a record. `steps` contains its `available_actions`."""
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
    """Return the label and the entered text of each non-empty field of an attempt.

    For an action that is never in the menu, such as creating a return, the list is empty.
    """
    form = kind.forms.get(attempt.action)
    fields = form.fields if form else ()
    typed = [
        (one.label, ", ".join(attempt.filled.values.get(one.name, ()))) for one in fields
    ]
    return [(label, text) for label, text in typed if text]


def offer_action(form: ActionForm, step: Json, attempt: Attempt | None) -> OfferedAction:
    """Return an action with its form, which is filled in if `attempt` is of this action."""
    if attempt is None or attempt.action != form.action:
        return OfferedAction(form, step)
    errors = find_field_errors(attempt.problem, form.fields)
    return OfferedAction(form, step, attempt.filled, errors, attempt.key, is_tried=True)


def select_attempt(visit: Visit, attempt: Attempt | None, record_id: str) -> Attempt | None:
    """Return `attempt` if the request was about this record, or None.

    The path of the request contains the id of the record.
    """
    return attempt if str(visit.request.path_params.get("id")) == record_id else None


def find_step(record: Json, code: str) -> Json | None:
    """Return the item of `available_actions` for an action, or None if there is none."""
    steps: Sequence[Json] = record["available_actions"]
    return next((step for step in steps if step["action"] == code), None)


def is_possible(step: Json | None) -> bool:
    """Return whether `step` is an action that the account can take now."""
    return step is not None and step["open"] and not step["role_missing"]


async def take_action(visit: Visit, kind: RecordKind, path: str) -> Response | Attempt:
    """Take the action that the path of the request names, and return a redirect.

    `path` is the path of the record, relative to both /v1/ and /console/. Returns the
    attempt if the action was not taken. Raises HTTPException (404) for an unknown action.
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
    """Send a form to the API; return a redirect, or the attempt if it was not accepted."""
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
    """Send a body and a form's hidden fields; return the response or the API's problem.

    Raises SessionEnded, StepUpRequired or Gone, which are shown on pages of their own.
    """
    headers = {"Idempotency-Key": get_text(sent, KEY) or token_urlsafe()}
    if tag := get_text(sent, TAG):
        headers["If-Match"] = tag
    return await resolve_call(visit.api.send(method, path, body, headers=headers))


def build_local_attempt(action: str, filled: FilledForm, sent: FormData) -> Attempt:
    """Return the attempt for a form with errors. It was not sent, so it keeps its key."""
    return Attempt(action, filled, key=get_text(sent, KEY) or token_urlsafe())


def build_attempt(
    action: str, filled: FilledForm, problem: ApiProblem, sent: FormData
) -> Attempt:
    """Return the attempt for a form that the API refused.

    A form that was not sent or may have had an effect keeps its key. Others get a new key.
    """
    key = get_text(sent, KEY) if is_unknown(problem) else token_urlsafe()
    return Attempt(action, filled, problem, key)


def is_unknown(problem: ApiProblem) -> bool:
    """Return whether a form was not sent or may have had an effect, and keeps its key."""
    is_fault = problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return is_fault or isinstance(problem, Withheld)


def get_text(sent: FormData, name: str) -> str:
    """Return the text of a hidden field, or an empty string if the form has none."""
    value = sent.get(name)
    return value if isinstance(value, str) else ""


def redirect_after(
    answer: Answer, page: str, done: str, *, keeps_part: bool = False
) -> Response:
    """Return the redirect after an action, to `page` with the notice `done`.

    After 202, it leads to the approval that a second person has to give. After 204 without
    `keeps_part`, it leads to the start page, because the office may no longer read the
    record. Both cases have a notice of their own.
    """
    if answer.status == HTTPStatus.ACCEPTED:
        page, done = f"/console/approvals/{answer.body['id']}", ASKED
    elif answer.status == HTTPStatus.NO_CONTENT and not keeps_part:
        page, done = HOME, ENDED
    return redirect_to(f"{page}?{urlencode({DONE: done})}")
