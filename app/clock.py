"""The clock of this machine."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Read the clock: the only place that does."""
    return datetime.now(UTC)
