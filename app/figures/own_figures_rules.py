"""Pure functions for an office's own figures: period, percentiles, and age of open work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from app.kernel.problems import Problem

USUAL_DAYS: Final = 30
"""The length of the period, in days, if the caller gives no first day."""
MAX_DAYS: Final = 366
"""The maximum length of a period, in days. It limits the cost of a request."""
FIRST_YEAR, LAST_YEAR = 2000, 2999
WATCHED: Final = timedelta(weeks=12)
"""The time for which oversight sees the offices whose requests often end without help."""
LEAST_WITHOUT_HELP: Final = 10
"""The least number of such requests of an office: a few can happen to any office."""
SHARE_WITHOUT_HELP: Final = 1 / 2
"""The least share of such requests of an office. No source states these three numbers."""
MEDIAN, NINETIETH = 50, 90


class PeriodInvalid(Problem):
    """The period is reversed, too long, or outside the years 2000 to 2999."""

    status = 422


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included, in the time zone of an office."""

    first: date
    last: date

    @classmethod
    def build(cls, first: date | None, last: date | None, today: date) -> Self:
        """Return the period that a caller asks for, by default the last 30 days.

        Raises PeriodInvalid (422) if the period is reversed, too long, or out of range.
        """
        days = [day for day in (first, last) if day is not None]
        if not all(FIRST_YEAR <= day.year <= LAST_YEAR for day in days):
            raise PeriodInvalid("Choose days in the years 2000 to 2999.")
        end = today if last is None else last
        start = end - timedelta(days=USUAL_DAYS - 1) if first is None else first
        if end < start:
            raise PeriodInvalid("`from` must not be after `to`. `to` is today by default.")
        if (end - start).days >= MAX_DAYS:
            raise PeriodInvalid(
                f"A period has at most {MAX_DAYS} days: choose a later `from`."
            )
        return cls(start, end)


def find_percentile(ascending: Sequence[timedelta], percent: int) -> timedelta | None:
    """Return the shortest duration that `percent` % of the durations do not exceed.

    This is the nearest-rank method: the result is always a duration that was measured. It
    is None if there are no durations.
    """
    rank = -(-len(ascending) * percent // 100)
    return ascending[rank - 1] if ascending else None


class WorkAge(StrEnum):
    """The time since the earliest deadline of a case passed, as a range."""

    NOT_DUE = "not_due"
    UNDER_ONE_DAY = "under_one_day"
    ONE_TO_THREE_DAYS = "one_to_three_days"
    THREE_TO_SEVEN_DAYS = "three_to_seven_days"
    OVER_SEVEN_DAYS = "over_seven_days"


LOWER_BOUNDS: Final = (
    (WorkAge.OVER_SEVEN_DAYS, timedelta(days=7)),
    (WorkAge.THREE_TO_SEVEN_DAYS, timedelta(days=3)),
    (WorkAge.ONE_TO_THREE_DAYS, timedelta(days=1)),
    (WorkAge.UNDER_ONE_DAY, timedelta.resolution),
)
"""The minimum time for which work of each age is overdue, oldest work first."""


def find_age(due_at: datetime, now: datetime) -> WorkAge:
    """Return the age of work whose earliest deadline is `due_at`."""
    ages = (age for age, least in LOWER_BOUNDS if now - due_at >= least)
    return next(ages, WorkAge.NOT_DUE)


def count_by_age(due_times: Iterable[datetime], now: datetime) -> dict[WorkAge, int]:
    """Count due times by age; every age is included."""
    counts = dict.fromkeys(WorkAge, 0)
    for due_at in due_times:
        counts[find_age(due_at, now)] += 1
    return counts


def is_unusual(requests: int, without_help: int) -> bool:
    """Return whether so many requests of an office ended without help that it stands out.

    Somebody who invents cases withdraws the requests, or nobody answers them.
    """
    enough = without_help >= LEAST_WITHOUT_HELP
    return enough and without_help >= SHARE_WITHOUT_HELP * requests
