"""Visits and arrivals that are reported before their planned date (ADR 50)."""

from datetime import date, datetime
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from app.deadlines.queries import find_place
from app.kernel.problems import Problem
from app.kernel.transactions import ReadTransaction


class DateNotReachedMembers(BaseModel):
    """The date for which the step is planned."""

    planned_for: Annotated[
        date, Field(description="The planned date, in the time zone of your office.")
    ]


class DateNotReached(Problem):
    """The reported step is planned for a later date."""

    status = 409
    members: ClassVar = DateNotReachedMembers


def check_date(tx: ReadTransaction, planned: datetime | None, *, early: bool) -> bool:
    """Return whether the caller reports a step before its planned date.

    Dates are compared in the time zone of the reporting office (D06). Raises DateNotReached
    (409) if a report is early but is not marked as early.
    """
    if planned is None:
        return False
    day = get_local_date(tx, planned)
    is_early = get_local_date(tx, tx.now) < day
    if is_early and not early:
        raise DateNotReached(
            f"The planned date is {day}, in the time zone of your office. Report the step "
            "then or later. If it already took place, send `early: true`.",
            {"planned_for": day.isoformat()},
        )
    return is_early


def get_local_date(tx: ReadTransaction, moment: datetime) -> date:
    """Return the date of a moment in the time zone of the calling office."""
    calendar = find_place(tx, tx.actor.focal_point_id).get_calendar(moment)
    return calendar.to_local(moment).date()
