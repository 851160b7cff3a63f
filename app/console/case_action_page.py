"""The page of one action on a case: its form, and what happens when it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.action_forms import (
    Attempt,
    Target,
    find_step,
    get_text,
    submit_form,
)
from app.console.api_client import Json
from app.console.case_actions import ACTIONS
from app.console.case_forms import CaseAction
from app.console.case_records import read_events
from app.console.forms import EMPTY, TAG, FilledForm, find_field_errors
from app.console.visits import Visit

CONTEXT: Final = "include=history&include=questions&include=consents"
"""The parts of the case that the page of an action shows."""
REPLACED: Final = {"write_safeguards": "safeguards", "write_contacts": "contacts"}
"""The document that each of these actions replaces as a whole."""
SECTION_ACTION: Final = "write_section"
SUMMARY_ACTION: Final = "update_summary"


@dataclass(frozen=True)
class ChosenAction:
    """The action on a case that the URL of the page contains.

    `part` is the end of the URL, if any: a section, a fact, or the id of a record.
    """

    code: str
    action: CaseAction
    part: str = ""

    @property
    def address(self) -> str:
        """The address of the action's page."""
        end = f"/{self.part}" if self.part else ""
        return f"/console/cases/{self.code}/actions/{self.action.action}{end}"

    @property
    def path(self) -> str:
        """The path of the operation."""
        record = f"cases/{self.code}"
        if self.action.is_on_record:
            return record
        return f"{record}/{self.action.last_path.replace('{id}', self.part)}"

    @property
    def target(self) -> Target:
        """The destination of the form, after which the page of the case is shown."""
        return Target(
            path=self.path,
            page=f"/console/cases/{self.code}",
            done=f"case_actions.{self.action.step_code}",
            method=self.action.method,
            fixed=self.action.fixed,
            keeps_part=self.action.keeps_part,
        )

    @property
    def replaced(self) -> str:
        """The document that the action replaces as a whole, or an empty string."""
        if self.action.action == SECTION_ACTION:
            return self.part
        return REPLACED.get(self.action.action, "")

    def may_lose_text(self, attempt: Attempt | None) -> bool:
        """Return whether sending the form again could overwrite a colleague's text."""
        is_stale = attempt is not None and attempt.is_stale
        return is_stale and bool(self.replaced or self.action.action == SUMMARY_ACTION)


def find_action(visit: Visit) -> ChosenAction:
    """Return the action that the address names, or raise HTTPException (404)."""
    names = visit.request.path_params
    part = names.get("part", "")
    action = ACTIONS.get(names["action"])
    if action is None or action.page:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    if part and action.variants:
        action = action.variants.get(part)
    elif part and not (action.per_record and is_uuid(part)):
        action = None
    if action is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return ChosenAction(names["code"], action, part)


def is_uuid(text: str) -> bool:
    """Return whether a text is a UUID in lower case with hyphens, as in the API."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


async def show_action(visit: Visit) -> Response:
    """Show the form of an action, the choices before it, or why it is not possible."""
    return await render_action(visit, find_action(visit))


async def take_action(visit: Visit) -> Response:
    """Take an action, or show its form again with the problem and the entered values."""
    chosen = find_action(visit)
    outcome = await submit_form(visit, chosen.action, chosen.target)
    if isinstance(outcome, Response):
        return outcome
    seen = get_text(await visit.request.form(), TAG)
    return await render_action(visit, chosen, outcome, seen)


async def render_action(
    visit: Visit, chosen: ChosenAction, attempt: Attempt | None = None, seen: str = ""
) -> Response:
    """Return the page of an action, with a failed attempt, if any.

    `seen` is the entity tag of the version that the person saw. The form keeps this tag
    until the page shows that the case changed. With a newer tag, the form could overwrite
    a change that the person has not seen.
    """
    is_stale = attempt is not None and attempt.is_stale
    answer = await visit.api.get(f"cases/{chosen.code}?{CONTEXT}")
    case, action = answer.body, chosen.action
    problem = attempt.problem if attempt else None
    return visit.render(
        "case_action.html",
        attempt.status if attempt else HTTPStatus.OK,
        case=case,
        tag=answer.tag if is_stale or not seen else seen,
        may_lose_text=chosen.may_lose_text(attempt),
        chosen=chosen,
        action=action,
        step=find_step(case, action.step_code),
        records=list_records(case, action),
        attempt=attempt,
        problem=problem,
        filled=attempt.filled if attempt else fill_summary(case, action),
        errors=find_field_errors(problem, action.fields),
        events=await read_events(visit, case) if is_stale else (),
        key=attempt.key if attempt else token_urlsafe(),
    )


def list_records(case: Json, action: CaseAction) -> Sequence[Json]:
    """Return the unanswered questions or unwithdrawn consents that an action is about."""
    part = case["included"].get(action.per_record, {}) if action.per_record else {}
    ended = {"questions": "answered_at", "consents": "withdrawn_at"}
    over = ended.get(action.per_record, "")
    return [one for one in part.get("items", ()) if one[over] is None]


def fill_summary(case: Json, action: CaseAction) -> FilledForm:
    """Return the form with the current summary, or an empty form for other actions."""
    if action.action != SUMMARY_ACTION:
        return EMPTY
    values: Mapping[str, object] = case["summary"]
    return fill_form(action, values)


def fill_form(action: CaseAction, content: Mapping[str, object]) -> FilledForm:
    """Return the form of an action, filled with the stored values."""
    values = {}
    for one in action.fields:
        value = content.get(one.name)
        values[one.name] = one.write_value(value)
    return FilledForm(values=values)
