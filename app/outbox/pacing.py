"""When a message is tried again, and when it is given up: pure functions (R53).

A certain failure is retried soon, with growing random pauses. After an unknown outcome the
message may have arrived, so it is only sent again after the window. Rejections are given up
early.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.deadlines.limits import Priority


class Outcome(StrEnum):
    """The outcome of an attempt."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """Certainly not taken: no answer, or a temporary error."""
    REJECTED = "rejected"
    """Certainly not taken, and permanently: for example, there is no such address."""
    UNKNOWN = "unknown"
    """It was sent, and there was no answer whether it was taken."""


WEIGHT: Final[Mapping[Outcome, int]] = {
    Outcome.REFUSED: 1,
    Outcome.UNKNOWN: 6,
    Outcome.REJECTED: 24,
}
GIVE_UP_WEIGHT: Final = 72
"""A message is given up at this weight. From a server that refuses nine of ten attempts,
only 1 message in 2000 is given up."""
JOIN_LIMIT: Final = GIVE_UP_WEIGHT // 2
"""From this weight on no message joins, as it would be given up too."""

FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(minutes=5)
MAX_DOUBLINGS: Final = 16
"""The most doublings; after these, every pause is the longest."""
LONGEST_TRY: Final = timedelta(minutes=2)
"""The time after which a sender has given up, and nothing of an attempt can arrive."""
MAX_AHEAD: Final = 2 * LONGEST_TRY
"""An attempt cannot end further ahead than this, even if the times of two transactions
differ. A later time comes from a wrong clock, and would block the recipient; it is ignored.
"""

SHARE: Final[Mapping[Priority, float]] = {
    Priority.EMERGENCY: 1 / 4,
    Priority.URGENT: 1 / 2,
    Priority.NORMAL: 1,
}
"""The share of the window that has to pass between two messages to the same address."""


def is_given_up(weight: int) -> bool:
    """Return whether a message with this weight is given up."""
    return weight >= GIVE_UP_WEIGHT


def compute_pause(weight: int, jitter: float) -> timedelta:
    """Return the pause after a failure; it doubles, and `jitter` (0 to 1) randomises it.

    It is between half and all of that, so that failures are not retried together.
    """
    doublings: int = min(max(weight, 1) - 1, MAX_DOUBLINGS)
    longest = min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
    return longest * (0.5 + jitter / 2)


def compute_window(window: timedelta, urgency: Priority) -> timedelta:
    """Return the minimum time between two messages of this urgency to the same address."""
    return window * SHARE[urgency]


def get_earliest(
    left_at: datetime | None, window: timedelta, urgency: Priority
) -> datetime | None:
    """Return when an address may be sent a message again, or None if it was sent none."""
    return left_at and left_at + compute_window(window, urgency)
