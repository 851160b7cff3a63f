"""How often a clock was let pass: pure, so that everybody counts alike (R55).

The first time when it is due; then whenever its own length has gone by again. Once a third
silence was told to everybody there is, it is told weekly, or an answer that never comes
would fill the journal.
"""

from datetime import datetime, timedelta
from typing import Final

PATIENCE: Final = 3
"""Silences after which a lead may lose its case, and a desk is brought in."""
WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


def length_of(set_at: datetime, due_at: datetime, least: timedelta) -> timedelta:
    """Say how long a clock runs, and no less than is fair to whoever must answer again.

    One that goes on after a pause may have had nothing left.
    """
    return max(due_at - set_at, least)


def silences(due_at: datetime, length: timedelta, now: datetime) -> int:
    """Count how often it was let pass until now."""
    if now < due_at:
        return 0
    count = 1 + (now - due_at) // length
    if count <= PATIENCE:
        return count
    told_to_all = due_at + (PATIENCE - 1) * length
    return PATIENCE + (now - told_to_all) // max(length, WEEK)


def next_silence(due_at: datetime, length: timedelta, count: int) -> datetime:
    """Say when it will have been let pass once more than `count` times."""
    if count < PATIENCE:
        return due_at + count * length
    told_to_all = due_at + (PATIENCE - 1) * length
    return told_to_all + (count - PATIENCE + 1) * max(length, WEEK)
