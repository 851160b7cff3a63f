"""How much one account may write: open drafts, and bytes of sealed content in a day.

An account that was stolen, or is held by somebody corrupt, must not fill the disk on which
everybody's cases lie. To submit a case is never refused for it, nor what is written in a
case for which a vital interest was declared.
"""

import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Never
from uuid import UUID

from app.kernel.instants import get_time_to_midnight, midnight
from app.kernel.problems import Problem


class TooManyDrafts(Problem):
    """Your account has as many open drafts as it may have."""

    status = 429

    def __init__(self, most: int) -> None:
        super().__init__(
            f"It has {most} or more open drafts, so none is left. Submit or discard some; "
            "a case that is submitted at once is taken all the same.",
        )


class DailyVolumeUsed(Problem):
    """Your account has written as much sealed content today as it may."""

    status = 429

    def __init__(self, *, left: int, needed: int, wait: timedelta) -> None:
        super().__init__(
            f"This has {needed} bytes, and {left} are left until midnight UTC. A case can "
            "still be submitted, and a case in vital interest written.",
            wait=max(1, round(wait.total_seconds())),
        )


@dataclass
class Quotas:
    """What accounts may write, and how many bytes each sealed today, in this process."""

    open_drafts: int = sys.maxsize
    sealed_bytes_per_day: int = sys.maxsize
    used: dict[UUID, tuple[datetime, int]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def count_bytes(self, account: UUID, now: datetime, number: int) -> None:
        """Count what an account sealed, even if its transaction fails afterwards."""
        with self.lock:
            self.used[account] = midnight(now), self.used_today(account, now) + number

    def left_today(self, account: UUID, now: datetime) -> int:
        """Return how many bytes an account may still seal before midnight UTC."""
        return max(0, self.sealed_bytes_per_day - self.used_today(account, now))

    def used_today(self, account: UUID, now: datetime) -> int:
        """Return how many bytes an account sealed since midnight UTC."""
        day, number = self.used.get(account, (midnight(now), 0))
        return number if day == midnight(now) else 0

    def refuse_volume(self, account: UUID, now: datetime, needed: int) -> Never:
        """Raise DailyVolumeUsed (429): an account may not seal that much today."""
        left, wait = self.left_today(account, now), get_time_to_midnight(now)
        raise DailyVolumeUsed(left=left, needed=needed, wait=wait)

    def require_draft(self, open_now: int) -> None:
        """Raise TooManyDrafts (429) where an account has as many drafts as it may."""
        if open_now >= self.open_drafts:
            raise TooManyDrafts(self.open_drafts)
