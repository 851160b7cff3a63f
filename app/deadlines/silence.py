"""How often a clock was let pass: pure, so that everybody counts alike (R55).

The first time when it is due; then whenever its own length has gone by again. Once a third
silence was told to everybody there is, it is told weekly, or an answer that never comes
would fill the journal.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

PATIENCE: Final = 3
"""Silences after which a lead may lose its case, and a desk is brought in."""
WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Rhythm:
    """After how long a silence counts again: at first, and once all were told."""

    length: timedelta
    then: timedelta

    @classmethod
    def of(cls, ran: timedelta, least: timedelta, speed: int = 1) -> Self:
        """Follow how long a clock runs, and no less than is fair to who must answer again.

        One that goes on after a pause may have had nothing left. In a drill all is faster.
        """
        length = max(ran, least / speed)
        return cls(length, max(length, WEEK / speed))


def silences(due_at: datetime, rhythm: Rhythm, now: datetime) -> int:
    """Count how often it was let pass until now."""
    if now < due_at:
        return 0
    count = 1 + (now - due_at) // rhythm.length
    if count <= PATIENCE:
        return count
    told_to_all = due_at + (PATIENCE - 1) * rhythm.length
    return PATIENCE + (now - told_to_all) // rhythm.then


def next_silence(due_at: datetime, rhythm: Rhythm, count: int) -> datetime:
    """Say when it will have been let pass once more than `count` times."""
    if count < PATIENCE:
        return due_at + count * rhythm.length
    told_to_all = due_at + (PATIENCE - 1) * rhythm.length
    return told_to_all + (count - PATIENCE + 1) * rhythm.then
