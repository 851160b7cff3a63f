"""Weeks, quarters and years of figures. All dates are in UTC.

A week begins on Monday. It belongs to the quarter and the year of its Thursday, as in
ISO 8601, so that each week belongs to exactly one quarter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Self, override

from app.kernel.instants import get_monday

WEEK: Final = timedelta(weeks=1)
THURSDAY: Final = timedelta(days=3)
MONTHS_OF_QUARTER: Final = 3


def find_week(at: datetime) -> date:
    """Return the Monday of the week of an instant."""
    return get_monday(at.astimezone(UTC).date())


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a year: `number` is 1 to 4."""

    year: int
    number: int

    @override
    def __str__(self) -> str:
        """Return the quarter as `2026Q3`."""
        return f"{self.year}Q{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the quarter of a text such as `2026Q3`."""
        year, _, number = text.partition("Q")
        return cls(int(year), int(number))

    def list_weeks(self) -> Iterator[date]:
        """Yield the Mondays of the weeks of the quarter."""
        first = date(self.year, (self.number - 1) * MONTHS_OF_QUARTER + 1, 1)
        monday = get_monday(first)
        if monday + THURSDAY < first:
            monday += WEEK
        while find_quarter(monday) == self:
            yield monday
            monday += WEEK


def find_quarter(monday: date) -> Quarter:
    """Return the quarter to which a week belongs."""
    thursday = monday + THURSDAY
    return Quarter(thursday.year, (thursday.month - 1) // MONTHS_OF_QUARTER + 1)
