"""Measurements that show the operator whether the worker keeps up with deadlines (R57)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.deadlines import missed_deadlines
from app.deadlines.limits import DeadlineKind
from app.deadlines.missed_deadlines import RunningKind
from app.kernel.heartbeat import REQUIRED_PARTS, Part, get_heartbeats
from app.kernel.transactions import ReadTransaction

SILENT_AFTER: Final = timedelta(seconds=60)
"""The time without a heartbeat after which a part of the worker counts as silent."""
LATE_AFTER: Final = timedelta(minutes=5)
"""The maximum time for which a due deadline may wait for the worker."""
WAITED_FOR: Final = frozenset({Part.CLOCKS, Part.NOTICES})
"""The parts of the worker without which missed deadlines or notifications wait."""


@dataclass(frozen=True)
class WorkerHealth:
    """The heartbeats of the worker, and when the oldest deadline began to wait for it."""

    now: datetime
    beats: dict[Part, datetime]
    oldest: datetime | None

    @property
    def silent(self) -> list[Part]:
        """The required parts of the worker without a recent heartbeat."""
        return list_silent(self.beats, self.now)

    @property
    def is_late(self) -> bool:
        """Whether a deadline has waited too long for the worker."""
        return self.oldest is not None and self.now - self.oldest > LATE_AFTER


def list_silent(beats: Mapping[Part, datetime], now: datetime) -> list[Part]:
    """Return the required parts without a recent heartbeat."""
    alive = {part for part, at in beats.items() if now - at <= SILENT_AFTER}
    return [part for part in REQUIRED_PARTS if part not in alive]


def is_worker_silent(tx: ReadTransaction) -> bool:
    """Return whether missed deadlines or notifications wait because no worker runs."""
    now = tx.runtime.time(tx.session)
    return not WAITED_FOR.isdisjoint(list_silent(get_heartbeats(tx.session), now))


def load_worker_health(session: Session, now: datetime) -> WorkerHealth:
    """Return the worker's heartbeats, and when the oldest deadline began to wait for it."""
    oldest = missed_deadlines.find_oldest(session, now)
    return WorkerHealth(now, get_heartbeats(session), oldest)


@dataclass(frozen=True)
class Backlog:
    """Counts of the deadlines to handle or retry, and of the cases with a late desk."""

    now: datetime
    overdue: int
    oldest: datetime | None
    running: list[RunningKind]
    late_at_desks: int

    @property
    def failing(self) -> int:
        """The number of deadlines whose handling failed."""
        return sum(kind.failing for kind in self.running)

    @property
    def worst(self) -> RunningKind | None:
        """The kind of the deadline with the most failures, or None if none has failed."""
        failing = [kind for kind in self.running if kind.failing]
        return max(failing, key=lambda kind: (kind.failures, kind.kind), default=None)

    @property
    def unacknowledged(self) -> datetime | None:
        """The time at which the oldest unacknowledged request began to wait, or None."""
        waiting = (kind for kind in self.running if kind.kind == DeadlineKind.ACKNOWLEDGE)
        return min((kind.first_set_at for kind in waiting), default=None)


def load_backlog(session: Session, now: datetime) -> Backlog:
    """Return the backlog of the worker, without naming any office (A8)."""
    return Backlog(
        now,
        missed_deadlines.count_overdue(session, now),
        missed_deadlines.find_oldest(session, now),
        missed_deadlines.measure_running_kinds(session),
        missed_deadlines.count_late_at_desks(session, now),
    )
