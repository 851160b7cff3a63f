"""Pure functions that decide when a message is sent again or given up (R53).

A message that was certainly not accepted is soon sent again, after random pauses of
increasing length. After an unknown outcome, the message may have arrived, so it is sent
again only after the minimum time between two messages. A rejected message is given
up after fewer attempts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.deadlines.limits import Priority


class Outcome(StrEnum):
    """The outcome of an attempt to send a message."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The message was not accepted: there was no connection, or a temporary error."""
    REJECTED = "rejected"
    """The message was rejected permanently; for example, the address does not exist."""
    UNKNOWN = "unknown"
    """The message was sent, but it is not known whether it was accepted."""


WEIGHT: Final[Mapping[Outcome, int]] = {
    Outcome.REFUSED: 1,
    Outcome.UNKNOWN: 6,
    Outcome.REJECTED: 24,
}
"""The weights of failed attempts, which add up to the weight of a message."""
GIVE_UP_WEIGHT: Final = 72
"""The weight at which a message is given up. If a server refuses nine of ten attempts, 1
message in 2000 is given up."""
JOIN_LIMIT: Final = GIVE_UP_WEIGHT // 2
"""The weight from which a message is no longer used for new notifications, because it may
soon be given up."""
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(minutes=5)
MAX_DOUBLINGS: Final = 16
"""The maximum number of doublings, which prevents an overflow. The upper limit of a pause
reaches `LONGEST_PAUSE` earlier."""
LONGEST_TRY: Final = timedelta(minutes=2)
"""The maximum duration of an attempt. After this time, its message can no longer arrive."""
MAX_AHEAD: Final = 2 * LONGEST_TRY
"""The maximum time from now to the end of an attempt, even if the times of two transactions
differ. A later time was set by a wrong clock. It is ignored, because it would block the
recipient."""
SHARE: Final[Mapping[Priority, float]] = {
    Priority.EMERGENCY: 1 / 4,
    Priority.URGENT: 1 / 2,
    Priority.NORMAL: 1,
}
"""The share of the window that has to pass between two messages to the same address, by the
urgency of the second message."""


def is_given_up(weight: int) -> bool:
    """Return whether the failures of a message have reached the limit for giving it up."""
    return weight >= GIVE_UP_WEIGHT


def compute_pause(weight: int, jitter: float) -> timedelta:
    """Return the pause after a failure of a message with this weight.

    The upper limit doubles with each unit of weight, up to `LONGEST_PAUSE`. `jitter`, from
    0 to 1, selects a pause between half of the limit and the limit, so that messages that
    failed together are not sent again together.
    """
    doublings: int = min(max(weight, 1) - 1, MAX_DOUBLINGS)
    longest = min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
    return longest * (0.5 + jitter / 2)


def compute_window(window: timedelta, urgency: Priority) -> timedelta:
    """Return the time to wait between two messages if the second has this urgency."""
    return window * SHARE[urgency]


def get_earliest(
    left_at: datetime | None, window: timedelta, urgency: Priority
) -> datetime | None:
    """Return the earliest time of the next message, or None if none was sent before."""
    return left_at and left_at + compute_window(window, urgency)
