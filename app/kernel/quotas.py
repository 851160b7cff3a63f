"""Quotas of an account: its open drafts, and the bytes that it seals in a day.

A stolen or misused account must not be able to fill the disk. The quotas never prevent the
submission of a case, nor writes to a case with a declared vital interest.
"""

import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Never
from uuid import UUID

from app.kernel.instants import get_midnight, get_time_to_midnight
from app.kernel.problems import Problem


class TooManyDrafts(Problem):
    """The account has reached its limit of open drafts."""

    status = 429

    def __init__(self, most: int) -> None:
        super().__init__(
            f"The account has {most} or more open drafts. Submit or discard some. A case "
            "with `submit`: true is still accepted."
        )


class DailyVolumeUsed(Problem):
    """The account has reached its daily limit of sealed content."""

    status = 429

    def __init__(self, *, left: int, needed: int, wait: timedelta) -> None:
        super().__init__(
            f"The request seals {needed} bytes; only {left} are left until midnight UTC. "
            "You can still submit cases, and write to cases with a vital interest.",
            wait=max(1, round(wait.total_seconds())),
        )


@dataclass
class Quotas:
    """The quotas of accounts, and the bytes that this process sealed for each one today."""

    open_drafts: int = sys.maxsize
    sealed_bytes_per_day: int = sys.maxsize
    used: dict[UUID, tuple[datetime, int]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def count_bytes(self, account: UUID, now: datetime, number: int) -> None:
        """Count the bytes that an account sealed, even if the transaction fails later."""
        with self.lock:
            total = self.get_bytes_used(account, now) + number
            self.used[account] = (get_midnight(now), total)

    def get_bytes_left(self, account: UUID, now: datetime) -> int:
        """Return how many bytes an account may still seal before midnight UTC."""
        return max(0, self.sealed_bytes_per_day - self.get_bytes_used(account, now))

    def get_bytes_used(self, account: UUID, now: datetime) -> int:
        """Return how many bytes an account has sealed since midnight UTC."""
        day, number = self.used.get(account, (get_midnight(now), 0))
        return number if day == get_midnight(now) else 0

    def raise_volume_used(self, account: UUID, now: datetime, needed: int) -> Never:
        """Raise DailyVolumeUsed (429) with the bytes left and the time until midnight."""
        left, wait = self.get_bytes_left(account, now), get_time_to_midnight(now)
        raise DailyVolumeUsed(left=left, needed=needed, wait=wait)

    def require_draft(self, open_now: int) -> None:
        """Raise TooManyDrafts (429) if an account has reached its limit of open drafts."""
        if open_now >= self.open_drafts:
            raise TooManyDrafts(self.open_drafts)
