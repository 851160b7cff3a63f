"""Pure functions that count how often a deadline was missed (R55).

A deadline is missed for the first time when it is due, and again each time its length has
passed. After the third miss, it is counted at most once a week, so that a missing answer
does not fill the journal.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

MISSES_TO_ESCALATE: Final = 3
"""The number of misses after which a lead may be replaced, and a desk takes part."""
WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Rhythm:
    """The intervals after which a deadline counts as missed again.

    `length` is the interval until the third miss, and `then` is the interval afterwards.
    """

    length: timedelta
    then: timedelta

    @classmethod
    def from_duration(cls, ran: timedelta, least: timedelta, speed: int = 1) -> Self:
        """Return the rhythm of a deadline whose length is `ran`.

        `least` is the minimum of `length`, because a resumed deadline may have had no time
        left. The minimum of `then` is a week. `speed` divides both minimums; it is more
        than 1 only in a drill.
        """
        length = max(ran, least / speed)
        return cls(length, max(length, WEEK / speed))


def count_misses(due_at: datetime, rhythm: Rhythm, now: datetime) -> int:
    """Count how often a deadline was missed until now."""
    if now < due_at:
        return 0
    count = 1 + (now - due_at) // rhythm.length
    if count <= MISSES_TO_ESCALATE:
        return count
    told_to_all = due_at + (MISSES_TO_ESCALATE - 1) * rhythm.length
    return MISSES_TO_ESCALATE + (now - told_to_all) // rhythm.then


def compute_next_miss(due_at: datetime, rhythm: Rhythm, count: int) -> datetime:
    """Return when a deadline will have been missed more than `count` times."""
    if count < MISSES_TO_ESCALATE:
        return due_at + count * rhythm.length
    told_to_all = due_at + (MISSES_TO_ESCALATE - 1) * rhythm.length
    return told_to_all + (count - MISSES_TO_ESCALATE + 1) * rhythm.then
