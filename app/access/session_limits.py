"""How long a session lasts (ADR 66)."""

from datetime import datetime, timedelta
from typing import Final

SESSION_LIFETIME: Final = timedelta(hours=8)
IDLE_TIMEOUT: Final = timedelta(minutes=15)
"""The time without a request after which a session has ended."""
RENEWAL: Final = timedelta(minutes=1)
"""How often the time of the last request of a session is stored."""
KEPT: Final = timedelta(days=7)
"""How long a session is kept after it expired, so that a sign-in can be explained."""


def compute_idle_until(seen_at: datetime, expires_at: datetime) -> datetime:
    """Return when a session ends if no further request is made with it."""
    return min(seen_at + IDLE_TIMEOUT, expires_at)
