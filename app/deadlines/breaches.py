"""Reading the clocks that ran out."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.deadlines.limits import UNHURRIED
from app.deadlines.models import Clock, Firing
from app.deadlines.silence import DAY, Rhythm, silences
from app.directory import queries as directory
from app.kernel.work import Reading, Writing


def overdue(session: Session, now: datetime, limit: int) -> Sequence[tuple[int, UUID]]:
    """List the clocks that ran out and were not looked at since, with their cases.

    The longest overdue first. They are not held: whoever fires one looks again.
    """
    late = select(Clock.number, Clock.case_id).where(is_waiting(now))
    rows = session.execute(late.order_by(Clock.due_at, Clock.number).limit(limit))
    return [(number, case_id) for number, case_id in rows]


def is_waiting(now: datetime) -> ColumnElement[bool]:
    """Keep the clocks that ran out and that the worker has to look at now."""
    again = Clock.fires_at.is_(None) | (Clock.fires_at <= now)
    return Clock.stopped_at.is_(None) & (Clock.due_at <= now) & again


def abandoned(session: Session, limit: int) -> Sequence[tuple[int, UUID]]:
    """List the clocks that wait for an office that is active no longer, and their cases.

    Once each: nobody has to wait until a deadline for somebody who is not there.
    """
    waits = Clock.stopped_at.is_(None) & Clock.fires_at.is_(None)
    waits_for_them = (
        waits & Clock.waits_on.in_(directory.closed()) & Clock.kind.not_in(UNHURRIED)
    )
    rows = select(Clock.number, Clock.case_id).where(waits_for_them)
    found = session.execute(rows.order_by(Clock.number).limit(limit))
    return [(number, case_id) for number, case_id in found]


def is_up(clock: Clock, now: datetime, *, absent: bool) -> bool:
    """Say whether a clock has run out, or waits for an office that is not there."""
    if clock.stopped_at is not None:
        return False
    hurried = absent and clock.fires_at is None and clock.kind not in UNHURRIED
    return hurried or (clock.fires_at or clock.due_at) <= now


def oldest(session: Session, now: datetime) -> datetime | None:
    """Say since when a clock waits to be looked at; None: none does."""
    since = func.coalesce(Clock.fires_at, Clock.due_at, type_=Clock.due_at.type)
    return session.scalar(select(since).where(is_waiting(now)).order_by(since).limit(1))


def again(work: Writing, number: int) -> Clock:
    """Read a clock as it is now that its case is held."""
    return work.session.get_one(Clock, number, populate_existing=True)


def times_fired(work: Reading, clock: Clock) -> int:
    """Count how often a clock was fired."""
    mine = select(func.count()).where(Firing.clock_number == clock.number)
    return work.session.scalars(mine).one()


def firings(work: Reading, record_ids: Iterable[UUID]) -> list[Firing]:
    """List when clocks of some records ran out, in the order in which they were set."""
    mine = select(Firing).where(Firing.record_id.in_(list(record_ids)))
    rows = mine.order_by(Firing.clock_number, Firing.generation)
    return list(work.session.scalars(rows))


def rhythm_of(work: Reading, clock: Clock, least: timedelta) -> Rhythm:
    """Say after how long a silence of a clock counts again."""
    return Rhythm.of(clock.due_at - clock.set_at, least, work.ground.speed)


def late_count(work: Reading, case_id: UUID, waited_on: UUID) -> int:
    """Count how often a focal point let a clock of a case pass.

    One that nobody answers counts again whenever its length has gone by, and a day at the
    least: whoever says nothing at all starts no other clock.
    """
    mine = (Clock.case_id == case_id) & (Clock.waits_on == waited_on)
    return sum(
        silences(clock.due_at, rhythm_of(work, clock, DAY), clock.stopped_at or work.now)
        for clock in work.session.scalars(select(Clock).where(mine))
    )
