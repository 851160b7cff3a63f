"""The clock of this machine."""

from datetime import UTC, datetime


def get_utc_now() -> datetime:
    """Return the current time in UTC; no other function reads the clock."""
    return datetime.now(UTC)
