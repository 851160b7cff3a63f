"""Reading clocks."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Select, select

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
