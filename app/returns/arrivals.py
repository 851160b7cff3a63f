"""The times at which arrivals are due, which only the sealed travel plans contain.

While a person is travelling, the stored deadline is due at the end of the current day, so
that a copy of the database does not reveal the day of arrival (ADR 42). The service opens
the travel plan for its rules, without an entry in the access log.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from pydantic import ValidationError

from app.cases import queries as case_queries
from app.cases.models import Sealed
from app.deadlines import missed_deadlines
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.vault import Unopenable
from app.returns import queries as return_queries
from app.returns.lifecycle import State
from app.returns.models import Return
from app.returns.schemas import TravelPlan

SECOND: Final = timedelta(seconds=1)
"""The time between the end of a day, 23:59:59, and the start of the next day."""
HORIZON: Final = timedelta(days=2)
"""An upper limit for the time until the end of a day, in any time zone."""


class Arrival(NamedTuple):
    """The arrival of a travelling person: its due time, and the deadline of the journey."""

    reference: str
    kind: DeadlineKind
    set_at: datetime
    case_id: UUID
    due_at: datetime
    number: int


def find_due(tx: ReadTransaction, records: Iterable[Return]) -> Mapping[UUID, datetime]:
    """Return the times at which arrivals are due, by the id of the return (D06).

    A return without a sealed travel plan that can be opened is left out.
    """
    by_referral = {one.referral_id: one for one in records}
    found = {}
    for plan in return_queries.list_travel_plans(tx, by_referral):
        record = by_referral[plan.record_id]
        if arrives_at := open_arrival(tx, plan):
            to = record.referral.recipient_id
            found[record.id] = deadline_queries.compute_end_of_day(tx, arrives_at, to)
    return found


def find_planned(tx: ReadTransaction, record: Return) -> datetime | None:
    """Return the planned time of arrival, or None if no travel plan can be opened."""
    plans = return_queries.list_travel_plans(tx, [record.referral_id])
    return next((open_arrival(tx, plan) for plan in plans), None)


def open_arrival(tx: ReadTransaction, plan: Sealed) -> datetime | None:
    """Return the arrival time in a travel plan, or None if the plan cannot be opened."""
    try:
        opened = TravelPlan.model_validate_json(case_queries.open_sealed(tx, plan))
    except (NotFound, Unopenable, ValidationError):
        return None
    return opened.arrives_at


def get_end_of_today(tx: ReadTransaction, record: Return, moment: datetime) -> datetime:
    """Return the end of the day that a moment falls on, in the recipient's time zone.

    The last second of a day counts as the next day.
    """
    recipient = record.referral.recipient_id
    return deadline_queries.compute_end_of_day(tx, moment + SECOND, recipient)


def get_due_at(tx: ReadTransaction, record: Return, clock: Clock | None) -> datetime | None:
    """Return the time by which the next step has to be taken, or None without a deadline.

    During a journey, this is the time at which the arrival is due. If the travel plan
    cannot be opened, it is the due time of the stored deadline.
    """
    if clock is None or record.state != State.IN_TRANSIT:
        return clock.due_at if clock else None
    return find_due(tx, [record]).get(record.id, clock.due_at)


def list_waiting(tx: ReadTransaction) -> list[Arrival]:
    """List the arrivals that the caller has to confirm, with their true due times.

    An arrival is left out if its stored deadline already has the true due time, or if its
    travel plan cannot be opened.
    """
    rows = return_queries.list_travelling(tx, tx.now + HORIZON)
    due = find_due(tx, [record for _, record in rows]) if rows else {}
    return [
        Arrival(
            reference=clock.reference,
            kind=clock.kind,
            set_at=clock.set_at,
            case_id=clock.case_id,
            due_at=due[record.id],
            number=clock.number,
        )
        for clock, record in rows
        if due.get(record.id, clock.due_at) != clock.due_at
    ]


def move_deadline(tx: WriteTransaction, record: Return, clock: Clock) -> bool:
    """Move an arrival deadline to the end of today; return False if it is missed.

    Once the arrival is due, the deadline moves to that time and is missed. If the travel
    plan cannot be opened, the deadline stays unchanged and counts as missed, so that the
    lead learns of it.
    """
    due_at = find_due(tx, [record]).get(record.id)
    if due_at is None:
        return False
    clock.due_at = min(due_at, get_end_of_today(tx, record, tx.now))
    if tx.now >= due_at:
        return False
    clock.failures = 0
    if clock.fires_at is not None:
        # A deadline fires early if its office was closed.
        ran_out = missed_deadlines.count_firings(tx, clock)
        clock.fires_at = clock.due_at if ran_out else None
    return True


def move_running_deadline(tx: WriteTransaction, record: Return) -> None:
    """Call `move_deadline` if the person is travelling and a deadline is running."""
    clock = deadline_queries.find_running(tx, [record.id]).get(record.id)
    if clock is not None and record.state == State.IN_TRANSIT:
        move_deadline(tx, record, clock)
