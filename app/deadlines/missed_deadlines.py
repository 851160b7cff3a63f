"""Queries for missed deadlines, and for deadlines that the worker has to handle."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session

from app.deadlines.limits import ASKED, OWN_PACE, DeadlineKind
from app.deadlines.miss_counts import DAY, Rhythm, count_misses
from app.deadlines.models import Clock, Firing
from app.directory import queries as directory_queries
from app.kernel.protected_rows import raise_altered
from app.kernel.transactions import ReadTransaction, WriteTransaction


class DueClock(NamedTuple):
    """A deadline that the worker has to handle, and its `fires_at` when it was read."""

    number: int
    case_id: UUID
    kind: DeadlineKind
    fires_at: datetime | None


class RunningKind(NamedTuple):
    """The failures and the earliest start of the running deadlines of one kind.

    The field `failing` is the number of deadlines that the worker failed to handle, and
    `failures` is the highest number of failures of any one deadline.
    """

    kind: DeadlineKind
    failing: int
    failures: int
    first_set_at: datetime


HANDLED_AT: Final = func.coalesce(Clock.fires_at, Clock.due_at, type_=Clock.due_at.type)
"""The time at which the worker handles a running deadline."""
DUE: Final = (Clock.number, Clock.case_id, Clock.kind, Clock.fires_at)


def list_overdue(session: Session, now: datetime, limit: int) -> Sequence[DueClock]:
    """List the missed deadlines that the worker has to handle, oldest first."""
    late = select(*DUE).where(is_waiting(now))
    rows = session.execute(late.order_by(Clock.due_at, Clock.number).limit(limit))
    return [DueClock(*row) for row in rows]


def is_waiting(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition for missed deadlines that the worker has to handle."""
    is_to_fire = Clock.fires_at.is_(None) | (Clock.fires_at <= now)
    return Clock.stopped_at.is_(None) & (Clock.due_at <= now) & is_to_fire


def list_running(session: Session) -> Sequence[Clock]:
    """List every running deadline, ordered by due time."""
    waits = select(Clock).where(Clock.stopped_at.is_(None))
    return session.scalars(waits.order_by(Clock.due_at, Clock.number)).all()


def list_abandoned(session: Session, now: datetime, limit: int) -> Sequence[DueClock]:
    """List the deadlines of closed offices that the worker has to handle, oldest first.

    Deadlines that no other office waits for are left out. Most deadlines are listed only
    until the worker has handled them once. Deadlines to answer a request are listed again,
    so that nobody waits for a closed office. A deadline that the worker failed to handle is
    listed again after its delay.
    """
    again = Clock.kind.in_(ASKED) & (Clock.failures == 0)
    retried = (Clock.failures > 0) & (Clock.fires_at <= now)
    to_handle = Clock.fires_at.is_(None) | again | retried
    waits = Clock.stopped_at.is_(None) & to_handle
    of_closed = waits & Clock.waits_on.in_(directory_queries.select_closed())
    rows = select(*DUE).where(of_closed & Clock.kind.not_in(OWN_PACE))
    found = session.execute(rows.order_by(Clock.number).limit(limit))
    return [DueClock(*row) for row in found]


def has_run_out(clock: Clock, now: datetime, *, absent: bool) -> bool:
    """Return whether the worker must handle a deadline.

    `absent` is true if the office that has to meet the deadline is closed. Otherwise, no
    deadline is handled before its due time, which the MAC covers, unlike `fires_at`.
    """
    if clock.stopped_at is not None:
        return False
    checked_at = clock.fires_at or clock.due_at
    if absent and clock.kind not in OWN_PACE:
        again = clock.kind in ASKED and clock.failures == 0
        return again or clock.fires_at is None or checked_at <= now
    return max(checked_at, clock.due_at) <= now


def find_oldest(session: Session, now: datetime) -> datetime | None:
    """Return when the oldest deadline began to wait for the worker; None if none waits."""
    oldest = select(HANDLED_AT).where(is_waiting(now)).order_by(HANDLED_AT).limit(1)
    return session.scalar(oldest)


def count_overdue(session: Session, now: datetime) -> int:
    """Count the missed deadlines that the worker has to handle."""
    return session.scalars(select(func.count()).where(is_waiting(now))).one()


def measure_running_kinds(session: Session) -> list[RunningKind]:
    """Return the failures and the earliest start of running deadlines, for each kind.

    One SQL statement counts the deadlines with failures, and finds the highest number of
    failures of one deadline and the earliest time at which a deadline was set.
    """
    failed = func.sum(case((Clock.failures > 0, 1), else_=0))
    figures = (failed, func.max(Clock.failures), func.min(Clock.set_at))
    rows = select(Clock.kind, *figures).where(Clock.stopped_at.is_(None))
    return [RunningKind(*row) for row in session.execute(rows.group_by(Clock.kind))]


def count_late_at_desks(session: Session, now: datetime) -> int:
    """Count the cases in which a desk has missed a deadline that is still running."""
    at_desk = Clock.waits_on.in_(directory_queries.select_desks())
    late = Clock.stopped_at.is_(None) & (Clock.due_at <= now) & at_desk
    cases = select(func.count(Clock.case_id.distinct())).where(late)
    return session.scalars(cases).one()


def find_waited_for(session: Session, *which: ColumnElement[bool]) -> frozenset[UUID]:
    """Return the offices with a running deadline that meets all conditions in `which`."""
    offices = select(Clock.waits_on).where(Clock.stopped_at.is_(None), *which).distinct()
    return frozenset(one for one in session.scalars(offices) if one is not None)


def find_holders(session: Session) -> frozenset[UUID]:
    """Return the offices with a running deadline of a case itself; drafts do not count."""
    of_case = (Clock.record_id == Clock.case_id) & (Clock.kind != DeadlineKind.FINISH_DRAFT)
    return find_waited_for(session, of_case)


def count_drafts_of_closed(session: Session) -> dict[UUID, int]:
    """Count the unfinished drafts of cases at each closed office that has some."""
    waits = Clock.stopped_at.is_(None) & (Clock.kind == DeadlineKind.FINISH_DRAFT)
    of_closed = waits & Clock.waits_on.in_(directory_queries.select_closed())
    counted = select(Clock.waits_on, func.count()).where(of_closed)
    rows = session.execute(counted.group_by(Clock.waits_on))
    return {office: count for office, count in rows if office}


def read_again(tx: WriteTransaction, number: int) -> Clock:
    """Read a deadline again after its case was locked.

    Raises NotAuthentic if it was inserted or altered outside the service.
    """
    clock = tx.session.get_one(Clock, number, populate_existing=True)
    if clock.is_altered:
        raise_altered(clock)
    return clock


def is_last_due(tx: ReadTransaction, record_id: UUID, kind: DeadlineKind) -> bool:
    """Return whether the deadline of this kind that a record got last runs and is due.

    So an earlier retention that was started again by SQL does not replace the current one.
    Deadlines that were altered outside the service are left out.
    """
    own = (Clock.record_id == record_id) & (Clock.kind == kind)
    found = [
        one for one in tx.session.scalars(select(Clock).where(own)) if not one.is_altered
    ]
    last = max((one.set_at for one in found), default=None)
    return any(
        one.stopped_at is None and one.due_at <= tx.now
        for one in found
        if one.set_at == last
    )


def count_firings(tx: ReadTransaction, clock: Clock) -> int:
    """Count how often a deadline was recorded as missed."""
    query = select(func.count()).where(Firing.clock_number == clock.number)
    return tx.session.scalars(query).one()


def find_next_generation(tx: ReadTransaction, clock: Clock) -> int:
    """Return the lowest number, from 1, that no record of a miss of this deadline has.

    A row that was inserted by SQL then does not prevent that the miss is recorded.
    """
    query = select(Firing.generation).where(Firing.clock_number == clock.number)
    used = frozenset(tx.session.scalars(query))
    return next(number for number in count(1) if number not in used)


def list_firings(tx: ReadTransaction, record_ids: Iterable[UUID]) -> list[Firing]:
    """List the recorded missed deadlines of the given records, oldest deadline first."""
    query = select(Firing).where(Firing.record_id.in_(list(record_ids)))
    rows = query.order_by(Firing.clock_number, Firing.generation)
    return list(tx.session.scalars(rows))


def compute_rhythm(tx: ReadTransaction, clock: Clock, least: timedelta) -> Rhythm:
    """Return the intervals after which a deadline counts as missed again."""
    return Rhythm.from_duration(clock.due_at - clock.set_at, least, tx.runtime.speed)


def compute_due_for_successor(tx: ReadTransaction, clock: Clock) -> datetime:
    """Return when a deadline is due for an office that takes it over.

    A missed deadline is due in a day. The new office has not missed it, but the person has
    waited long enough, so the full time does not start again.
    """
    is_late = clock.due_at <= tx.now
    return tx.now + DAY / tx.runtime.speed if is_late else clock.due_at


IS_RECORDED: Final = exists().where(
    Firing.clock_number == Clock.number, Firing.waits_on == Clock.waits_on
)
"""A condition: the worker has recorded that the office missed the deadline."""


def count_missed_deadlines(
    tx: ReadTransaction, waited_on: Mapping[UUID, UUID], *, unless: ColumnElement[bool]
) -> Mapping[UUID, int]:
    """Count, for each case, how many deadlines the given office has missed.

    Until it is stopped, a deadline counts again each time its length passes, at most once a
    day, because an office that never answers starts no other deadline. Deadlines for which
    `unless` holds do not count. The end of a consent never counts, because a person may
    refuse a new consent. A deadline that was altered outside the service is ignored.
    """
    cases, offices = list(waited_on), list(set(waited_on.values()))
    theirs = Clock.case_id.in_(cases) & Clock.waits_on.in_(offices)
    theirs &= Clock.kind != DeadlineKind.CONSENT_ENDS
    counts = dict.fromkeys(cases, 0)
    for clock in tx.session.scalars(select(Clock).where(theirs, ~unless)):
        if clock.waits_on == waited_on[clock.case_id] and not clock.is_altered:
            rhythm, until = compute_rhythm(tx, clock, DAY), clock.stopped_at or tx.now
            counts[clock.case_id] += count_misses(clock.due_at, rhythm, until)
    return counts
