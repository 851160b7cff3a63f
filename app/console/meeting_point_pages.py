"""The page of the follow-up points of meetings: the list, and the forms."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.action_forms import (
    ActionForm,
    Attempt,
    OfferedAction,
    Target,
    offer_action,
    select_attempt,
    submit_form,
)
from app.console.api_client import Json
from app.console.forms import FieldKind, FormField
from app.console.notices import RECORDED
from app.console.translations import mark
from app.console.visits import Visit

PAGE: Final = "/console/figures/points"
POINTS: Final = "figures/meeting-points"
WRITE: Final = ActionForm(
    action="write",
    hint=mark(
        "The report for the meeting contains it, and goes to people outside. Never write "
        "about a person or a case."
    ),
    fields=(
        FormField(name="meeting", label=mark("Day of the meeting"), kind=FieldKind.DATE),
        FormField(name="text", label=mark("What is to be done?"), hint=mark("One line.")),
    ),
)
COMPLETE: Final = ActionForm(action="complete")
DELETE: Final = ActionForm(action="delete", is_grave=True)
STEPS: Final[Mapping[str, ActionForm]] = {one.action: one for one in (COMPLETE, DELETE)}
"""The actions on a point, by the last part of the page's path."""
WRITERS: Final[Mapping[str, frozenset[str]]] = {
    "desk": frozenset({"coordinator", "supervisor"}),
    "oversight": frozenset({"protection_officer", "supervisor"}),
}
"""The roles that get the forms for follow-up points, by the kind of office."""


def may_write_points(visit: Visit) -> bool:
    """Return whether to show the forms for follow-up points. The API checks all rules."""
    roles = WRITERS.get(visit.office["kind"], frozenset())
    return visit.may("approvals:write") and bool(roles & visit.roles)


async def show_points(visit: Visit) -> Response:
    """Show the follow-up points, and the form for a new one if the account may write it."""
    return await render_points(visit)


async def write_point(visit: Visit) -> Response:
    """Write a point, or show the form again with a problem."""
    outcome = await submit_form(visit, WRITE, Target(path=POINTS, page=PAGE, done=RECORDED))
    return outcome if isinstance(outcome, Response) else await render_points(visit, outcome)


async def end_point(visit: Visit) -> Response:
    """Complete or delete a point, or show the page again with a problem."""
    names = visit.request.path_params
    form = STEPS.get(names["step"])
    if form is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    path = f"{POINTS}/{names['id']}"
    target = (
        Target(path=path, page=PAGE, done=RECORDED, method="DELETE", keeps_part=True)
        if form is DELETE
        else Target(path=f"{path}/{form.last_path}", page=PAGE, done=RECORDED)
    )
    outcome = await submit_form(visit, form, target)
    return outcome if isinstance(outcome, Response) else await render_points(visit, outcome)


async def render_points(visit: Visit, attempt: Attempt | None = None) -> Response:
    """Return the list of points, with a failed attempt to write or end one, if any."""
    points = (await visit.api.get(POINTS)).body["items"]
    may_write = may_write_points(visit)
    return visit.render(
        "meeting_points.html",
        attempt.status if attempt else HTTPStatus.OK,
        open_points=[point for point in points if not point["completed_at"]],
        completed=[point for point in points if point["completed_at"]],
        one=offer_action(WRITE, {}, attempt) if may_write else None,
        steps={one["id"]: offer_steps(visit, one, attempt) for one in points if may_write},
        attempt=attempt,
    )


def offer_steps(
    visit: Visit, point: Json, attempt: Attempt | None
) -> Sequence[OfferedAction]:
    """Return the forms to complete or delete a point, with a failed attempt on it."""
    tried = select_attempt(visit, attempt, point["id"])
    return [offer_action(form, {}, tried) for form in STEPS.values()]
