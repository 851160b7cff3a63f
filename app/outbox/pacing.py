"""When something is tried again, and when it is given up: pure (R53).

A try that failed for certain is repeated soon, ever later, never at the same moment as the
others. One of which nobody knows what came of it may have arrived: it is repeated after the
window alone. What is refused for good is not insisted on.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.deadlines.limits import Priority


class Outcome(StrEnum):
    """What came of a try."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """For certain not taken: nobody answered, or "not now"."""
    REJECTED = "rejected"
    """For certain not taken, nor will it ever be: there is no such address."""
    UNKNOWN = "unknown"
    """It was handed over, and nobody said whether it was taken."""


WEIGHT: Final[Mapping[Outcome, int]] = {
    Outcome.REFUSED: 1,
    Outcome.UNKNOWN: 6,
    Outcome.REJECTED: 24,
}
MOST: Final = 72
"""Given up at this weight: a server that refuses nine of ten takes all but 1 in 2000."""
JOINED: Final = MOST // 2
"""From this weight on nothing joins: it would be given up with what is soon given up."""

FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(minutes=5)
ENOUGH: Final = 16
"""Doublings, after which no pause is shorter than the longest."""
LONGEST_TRY: Final = timedelta(minutes=2)
"""A sender has given up by then: from there on nothing of this try can arrive."""
AHEAD: Final = 2 * LONGEST_TRY
"""Further ahead than this a try cannot end, though two transactions differ in their time: a
clock that was wrong wrote it, and it is not believed, or a contact were mute until then."""

SHARE: Final[Mapping[Priority, float]] = {
    Priority.EMERGENCY: 1 / 4,
    Priority.URGENT: 1 / 2,
    Priority.NORMAL: 1,
}
"""How much of the window lies between two messages to the same address."""


def is_over(weight: int) -> bool:
    """Say whether it was tried often enough."""
    return weight >= MOST


def pause(weight: int, luck: float) -> timedelta:
    """Say how long to wait after a failure: doubling, and `luck` (0 to 1) spreads it.

    Between half of the pause and all of it, so that what failed together comes apart.
    """
    doublings: int = min(max(weight, 1) - 1, ENOUGH)
    whole = min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
    return whole * (0.5 + luck / 2)


def window_for(window: timedelta, urgency: Priority) -> timedelta:
    """Say how long at the least lies between two messages to the same address."""
    return window * SHARE[urgency]


def earliest(
    left_at: datetime | None, window: timedelta, urgency: Priority
) -> datetime | None:
    """Say when an address may be written to again; None: it was not written to."""
    return left_at and left_at + window_for(window, urgency)
