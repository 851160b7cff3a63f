"""Repair of old deadlines whose due time reveals the day of an arrival (ADR 42)."""

from sqlalchemy import select

from app.cases import system_queries
from app.deadlines import missed_deadlines
from app.deadlines.models import Clock
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.returns import arrivals
from app.returns import queries as return_queries
from app.returns.lifecycle import State
from app.returns.models import Return


def list_revealing_deadlines(tx: ReadTransaction) -> list[int]:
    """Return the primary keys of the deadlines that reveal the day of an arrival."""
    ahead = return_queries.list_arrivals_ahead(tx)
    return [clock.number for clock, one in ahead if is_revealing(tx, clock, one)]


def is_revealing(tx: ReadTransaction, clock: Clock, record: Return) -> bool:
    """Return whether the due time of a deadline reveals the day of an arrival.

    A running deadline reveals the day if the person is travelling and the deadline is due
    after today. A stopped deadline reveals the day if it was due after the day on which it
    was stopped.
    """
    if clock.stopped_at is None and record.state != State.IN_TRANSIT:
        return False
    last_seen = clock.stopped_at or tx.now
    return clock.due_at > arrivals.get_end_of_today(tx, record, last_seen)


def move_revealing_deadline(tx: WriteTransaction, number: int) -> None:
    """Correct a deadline that reveals the day of an arrival.

    A running deadline moves to the end of today, and a stopped deadline to the end of the
    day on which it was stopped. A running deadline stays unchanged if the travel plan
    cannot be opened.
    """
    system_queries.lock_for_system(tx, missed_deadlines.read_again(tx, number).case_id)
    clock = missed_deadlines.read_again(tx, number)
    statement = select(Return).where(Return.id == clock.record_id)
    record = tx.session.scalars(statement).one()
    if not is_revealing(tx, clock, record):
        return
    if clock.stopped_at is None:
        arrivals.move_deadline(tx, record, clock)
    else:
        clock.due_at = arrivals.get_end_of_today(tx, record, clock.stopped_at)
