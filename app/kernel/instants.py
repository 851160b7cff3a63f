"""Instants as the database keeps them."""

from datetime import UTC, datetime, timedelta
from typing import override

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, always UTC, never naive.

    SQLite forgets the time zone of what it stores: a naive value would pass in silence and
    come back as another moment.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("A datetime without a time zone is not an instant.")
        return value and value.astimezone(UTC)

    @override
    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value and value.astimezone(UTC)


def get_time_to_midnight(now: datetime) -> timedelta:
    """Return how long the day of UTC still lasts."""
    return midnight(now) + timedelta(days=1) - now


def midnight(now: datetime) -> datetime:
    """Return when the day of UTC began."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
