"""Whether somebody watches the clocks: for whoever runs the service (R57)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.deadlines.breaches import oldest
from app.kernel.heartbeat import Part, last_beats

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
        """The parts that were not heard of lately."""
        alive = {part for part, at in self.beats.items() if self.now - at <= SILENT_AFTER}
        return [part for part in Part if part not in alive]

    @property
    def is_late(self) -> bool:
        """Whether a clock ran out and nobody looked at it in time."""
        return self.oldest is not None and self.now - self.oldest > LATE_AFTER


def look(session: Session, now: datetime) -> Keeping:
    """Look how the clocks are kept, by the time of the database."""
    return Keeping(now, last_beats(session), oldest(session, now))
