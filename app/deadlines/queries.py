"""Reading clocks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from app.deadlines.limits import ANSWERS, UNHURRIED, ClockKind
from app.deadlines.models import Clock, Firing
from app.deadlines.silence import DAY, length_of, silences
from app.directory.kinds import Kind
from app.directory.models import FocalPoint
from app.kernel.work import Reading, Writing


class Due(NamedTuple):
    """A clock to look at, with the case to hold first."""

    number: int
    case_id: UUID
    kind: ClockKind


class Running(NamedTuple):
    """How the running clocks of a kind go.

    How many could not be fired, how often the worst of them failed, when the first was set.
    """

    kind: ClockKind
    failing: int
    failures: int
    first_set_at: datetime


DUE: Final = (Clock.number, Clock.case_id, Clock.kind)
SINCE: Final = func.coalesce(Clock.fires_at, Clock.due_at, type_=Clock.due_at.type)
"""Since when a clock that ran out waits for the worker."""


def running(work: Reading, record_ids: Iterable[UUID]) -> Mapping[UUID, Clock]:
    """Find the running clock of each record that has one."""
    mine = Clock.record_id.in_(list(record_ids))
    rows = work.session.scalars(select(Clock).where(mine, Clock.stopped_at.is_(None)))
    return {clock.record_id: clock for clock in rows}


def waiting(work: Reading) -> Select[Clock]:
    """Select what waits for this focal point."""
    mine = Clock.waits_on == work.actor.focal_point_id
    return select(Clock).where(mine, Clock.stopped_at.is_(None))


def time_left(work: Reading, record_id: UUID, kind: ClockKind) -> timedelta | None:
    """Say what was left of the last clock of this kind when it stopped; None: none ran.

    Nothing is left of one that was late: it is due at once.
    """
    of_kind = (Clock.record_id == record_id) & (Clock.kind == kind)
    newest = select(Clock).where(of_kind, Clock.stopped_at.is_not(None))
    clock = work.session.scalar(newest.order_by(Clock.number.desc()).limit(1))
    if clock is None or clock.stopped_at is None:
        return None
    return max(clock.due_at - clock.stopped_at, timedelta())


def late_count(work: Reading, case_id: UUID, waited_on: UUID) -> int:
    """Count how often a focal point let a clock of a case pass.

    One that nobody answers counts again whenever its length has gone by, and a day at the
    least: whoever says nothing at all starts no other clock.
    """
    mine = (Clock.case_id == case_id) & (Clock.waits_on == waited_on)
    clocks = work.session.scalars(select(Clock).where(mine))
    return sum(
        silences(
            clock.due_at,
            length_of(clock.set_at, clock.due_at, DAY),
            clock.stopped_at or work.now,
        )
        for clock in clocks
    )


def waits_for_the_worker(now: datetime) -> ColumnElement[bool]:
    """Spell that a clock ran out and was not looked at since."""
    again = Clock.fires_at.is_(None) | (Clock.fires_at <= now)
    return Clock.stopped_at.is_(None) & (Clock.due_at <= now) & again


def overdue(session: Session, now: datetime, limit: int) -> Sequence[Due]:
    """List the clocks that ran out and were not looked at since.

    The longest overdue first. They are not held: whoever fires one looks again.
    """
    late = select(*DUE).where(waits_for_the_worker(now))
    rows = session.execute(late.order_by(Clock.due_at, Clock.number).limit(limit))
    return [Due(*row) for row in rows]


def abandoned(session: Session, limit: int) -> Sequence[Due]:
    """List the clocks that wait for an office that is active no longer.

    Once each: nobody has to wait until a deadline for somebody who is not there.
    """
    gone = select(FocalPoint.id).where(~FocalPoint.active)
    waits = Clock.stopped_at.is_(None) & Clock.fires_at.is_(None)
    waits_for_them = waits & Clock.waits_on.in_(gone) & Clock.kind.not_in(UNHURRIED)
    rows = select(*DUE).where(waits_for_them)
    found = session.execute(rows.order_by(Clock.number).limit(limit))
    return [Due(*row) for row in found]


def is_up(clock: Clock, now: datetime, *, absent: bool) -> bool:
    """Say whether a clock has run out, or waits for an office that is not there."""
    if clock.stopped_at is not None:
        return False
    hurried = absent and clock.fires_at is None and clock.kind not in UNHURRIED
    return hurried or (clock.fires_at or clock.due_at) <= now


def oldest_overdue(session: Session, now: datetime) -> datetime | None:
    """Say since when a clock waits to be looked at; None: none does."""
    waiting = select(SINCE).where(waits_for_the_worker(now))
    return session.scalar(waiting.order_by(SINCE).limit(1))


def overdue_count(session: Session, now: datetime) -> int:
    """Count the clocks that wait to be looked at."""
    waiting = select(func.count()).where(waits_for_the_worker(now))
    return session.scalars(waiting).one()


def running_kinds(session: Session) -> list[Running]:
    """Say of each kind of clock that runs how it goes; one read of all that run."""
    failed = func.sum(case((Clock.failures > 0, 1), else_=0))
    figures = (failed, func.max(Clock.failures), func.min(Clock.set_at))
    rows = select(Clock.kind, *figures).where(Clock.stopped_at.is_(None))
    return [Running(*row) for row in session.execute(rows.group_by(Clock.kind))]


def late_at_desks(session: Session, now: datetime) -> int:
    """Count the cases that wait for a desk longer than they may."""
    desks = select(FocalPoint.id).where(FocalPoint.kind == Kind.DESK)
    late = Clock.stopped_at.is_(None) & (Clock.due_at <= now) & Clock.waits_on.in_(desks)
    cases = select(func.count(Clock.case_id.distinct())).where(late)
    return session.scalars(cases).one()


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


def answers(
    work: Reading, focal_points: Iterable[UUID], since: datetime
) -> Mapping[UUID, tuple[int, int]]:
    """Count what each was asked since a moment and is over, and how much of it was late.

    In one statement. A question that was taken back counts as answered: the clock does not
    tell the two apart.
    """
    overdue = Clock.stopped_at.is_(None) & (Clock.due_at < work.now)
    late = (Clock.stopped_at > Clock.due_at) | overdue
    rows = (
        select(Clock.waits_on, func.count(), func.sum(case((late, 1), else_=0)))
        .where(Clock.waits_on.in_(list(focal_points)), Clock.set_at >= since)
        .where(Clock.kind.in_(ANSWERS), Clock.stopped_at.is_not(None) | overdue)
        .group_by(Clock.waits_on)
    )
    return {who: (count, int(lates)) for who, count, lates in work.session.execute(rows)}
