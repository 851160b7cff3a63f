"""Whether somebody watches the clocks: for whoever runs the service (R57)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.deadlines import breaches
from app.deadlines.breaches import Running
from app.deadlines.limits import ClockKind
from app.kernel.heartbeat import NEEDED, Part, last_beats

SILENT_AFTER: Final = timedelta(seconds=60)
"""How long a part of the worker may not be heard of."""
LATE_AFTER: Final = timedelta(minutes=5)
"""How long a clock that ran out may wait for the worker."""


@dataclass(frozen=True)
class Keeping:
    """When each part was last heard of, and since when a clock waits for the worker."""

    now: datetime
    beats: dict[Part, datetime]
    oldest: datetime | None

    @property
    def silent(self) -> list[Part]:
        """The parts that are needed, and were not heard of lately."""
        alive = {part for part, at in self.beats.items() if self.now - at <= SILENT_AFTER}
        return [part for part in NEEDED if part not in alive]

    @property
    def is_late(self) -> bool:
        """Whether a clock ran out and nobody looked at it in time."""
        return self.oldest is not None and self.now - self.oldest > LATE_AFTER


def look(session: Session, now: datetime) -> Keeping:
    """Look how the clocks are kept, by the time of the database."""
    return Keeping(now, last_beats(session), breaches.oldest(session, now))


@dataclass(frozen=True)
class Backlog:
    """What waits for the worker, what it cannot do, and who waits longest for others."""

    now: datetime
    overdue: int
    oldest: datetime | None
    running: list[Running]
    late_at_desks: int

    @property
    def failing(self) -> int:
        """How many clocks could not be fired."""
        return sum(kind.failing for kind in self.running)

    @property
    def worst(self) -> Running | None:
        """The kind of which one failed most often; None: none fails."""
        failing = [kind for kind in self.running if kind.failing]
        return max(failing, key=lambda kind: (kind.failures, kind.kind), default=None)

    @property
    def unacknowledged(self) -> datetime | None:
        """Since when a case or referral waits that nobody acknowledged; None: none does."""
        waiting = (kind for kind in self.running if kind.kind == ClockKind.ACKNOWLEDGE)
        return min((kind.first_set_at for kind in waiting), default=None)


def backlog(session: Session, now: datetime) -> Backlog:
    """Count what waits, over all offices: who waits for whom is theirs to know (A8)."""
    return Backlog(
        now,
        breaches.overdue_count(session, now),
        breaches.oldest(session, now),
        breaches.running_kinds(session),
        breaches.late_at_desks(session, now),
    )
