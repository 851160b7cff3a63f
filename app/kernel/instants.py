"""The column type of instants, and functions that compute the start of a day or week."""

from datetime import UTC, date, datetime, timedelta
from typing import override

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """The column type of instants, which are always in UTC and never naive.

    SQLite drops the time zone, so a naive local time would be read back as a UTC time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("A datetime needs a time zone to be stored.")
        return value and value.astimezone(UTC)

    @override
    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value and value.astimezone(UTC)


def get_time_to_midnight(now: datetime) -> timedelta:
    """Return the time until the next midnight in UTC."""
    return get_midnight(now) + timedelta(days=1) - now


def get_midnight(now: datetime) -> datetime:
    """Return the midnight (UTC) at which the day of a given time began."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def get_monday(day: date) -> date:
    """Return the Monday of the week of a day."""
    return day - timedelta(days=day.weekday())
