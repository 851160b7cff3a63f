"""The clock of this machine."""

from datetime import UTC, datetime


def get_utc_now() -> datetime:
    """Return the current time in UTC. No other function calls `datetime.now`."""
    return datetime.now(UTC)
