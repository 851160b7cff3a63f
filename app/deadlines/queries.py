"""Reading clocks."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, case, func, select

from app.deadlines.limits import ANSWERS
from app.deadlines.models import Clock
from app.kernel.work import Reading


def running(work: Reading, record_ids: Iterable[UUID]) -> Mapping[UUID, Clock]:
    """Find the running clock of each record that has one."""
    mine = Clock.record_id.in_(list(record_ids))
    rows = work.session.scalars(select(Clock).where(mine, Clock.stopped_at.is_(None)))
    return {clock.record_id: clock for clock in rows}


def waiting(work: Reading) -> Select[Clock]:
    """Select what waits for this focal point."""
    mine = Clock.waits_on == work.actor.focal_point_id
    return select(Clock).where(mine, Clock.stopped_at.is_(None))


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
