"""Correction of deadlines of older versions that reveal the day of an arrival (ADR 42)."""

from sqlalchemy import select

from app.cases import system_queries
from app.deadlines import missed_deadlines
from app.deadlines.models import Clock
from app.kernel.transactions import Reading, Writing
from app.returns import arrivals, queries
from app.returns.lifecycle import State
from app.returns.models import Return


def list_revealing_clocks(work: Reading) -> list[int]:
    """Return the numbers of the deadlines that reveal the day of an arrival."""
    return [
        clock.number
        for clock, record in queries.list_arrivals_ahead(work)
        if is_revealing(work, clock, record)
    ]


def is_revealing(work: Reading, clock: Clock, record: Return) -> bool:
    """Return whether a deadline is due after the day on which it runs or was stopped."""
    if clock.stopped_at is None and record.state != State.IN_TRANSIT:
        return False
    last_seen = clock.stopped_at or work.now
    return clock.due_at > arrivals.get_end_of_today(work, record, last_seen)


def move_clock(work: Writing, number: int) -> bool:
    """Move a deadline to the end of its day; return False if it was moved already."""
    system_queries.lock_for_system(work, missed_deadlines.read_again(work, number).case_id)
    clock = missed_deadlines.read_again(work, number)
    statement = select(Return).where(Return.id == clock.record_id)
    record = work.session.scalars(statement).one()
    if not is_revealing(work, clock, record):
        return False
    if clock.stopped_at is None:
        arrivals.move_deadline(work, record, clock)
    else:
        clock.due_at = arrivals.get_end_of_today(work, record, clock.stopped_at)
    return True
