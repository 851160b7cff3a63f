"""Working days and time zones of offices, as pure functions.

Public holidays come from the `holidays` library, which covers all 28 countries in the
directory. It estimates the dates of future lunar holidays, which may be wrong by one day.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from holidays import country_holidays

from app.directory.kinds import Described, list_home_countries

SATURDAY, SUNDAY = 5, 6
USUAL_WEEKEND: Final = frozenset({SATURDAY, SUNDAY})
WEEKEND_OVERRIDES: Final = {"KN": USUAL_WEEKEND}
"""Weekends that differ from those of the library.

For Saint Kitts and Nevis the library has only Sunday, because the Public Holidays Act
moves a holiday from a Sunday but not from a Saturday. That does not make Saturday a working
day.
"""
CACHE_SIZE: Final = 1024
"""The maximum number of entries of each cache, one for each combination of arguments."""


@dataclass(frozen=True)
class Calendar:
    """The time zone, the weekend (Monday is 0), and the holidays of two years.

    `working_days` contains the weekend days that a government declared to be working days.
    """

    time_zone: str = "UTC"
    weekend: frozenset[int] = USUAL_WEEKEND
    holidays: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()

    def is_working_day(self, day: date) -> bool:
        """Return whether a day is a working day."""
        is_day_off = day.weekday() in self.weekend or day in self.holidays
        return day in self.working_days or not is_day_off

    def to_local(self, moment: datetime) -> datetime:
        """Return the local time of a moment, without time zone information."""
        return moment.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None, fold=0)

    def to_utc(self, local: datetime) -> datetime:
        """Convert a local time to UTC as defined in RFC 5545, section 3.3.5.

        If the local time occurs twice, the first occurrence is used. If the clocks skip it,
        it is converted with the offset that applied before the change.
        """
        return local.replace(tzinfo=ZoneInfo(self.time_zone), fold=0).astimezone(UTC)


@dataclass(frozen=True)
class Place:
    """The time zone of an office, and the country whose holidays apply to it."""

    time_zone: str = "UTC"
    country: str | None = None

    def get_calendar(self, at: datetime) -> Calendar:
        """Return the calendar for the year of a moment and the following year."""
        return build_calendar(self, at.astimezone(ZoneInfo(self.time_zone)).year)


class Office(Described, Protocol):
    """The attributes of an office that its calendar depends on."""

    @property
    def time_zone(self) -> str:
        """The IANA time zone of the office hours."""


def get_place(office: Office) -> Place:
    """Return the time zone of an office and the country whose holidays apply to it.

    No holidays are known for an office of several countries or of none. The holidays of a
    consulate are those of its own State.
    """
    countries = list_home_countries(office)
    return Place(office.time_zone, countries[0] if len(countries) == 1 else None)


@lru_cache(CACHE_SIZE)
def build_calendar(place: Place, year: int) -> Calendar:
    """Build the calendar of a place for a year and the following year."""
    if place.country is None:
        return Calendar(place.time_zone)
    this, following = (load_year(place.country, one) for one in (year, year + 1))
    return Calendar(
        place.time_zone,
        this.weekend,
        this.holidays | following.holidays,
        this.working_days | following.working_days,
    )


@lru_cache(CACHE_SIZE)
def load_year(country: str, year: int) -> Calendar:
    """Load the calendar of a country for one year. An unknown country has no holidays."""
    try:
        known = country_holidays(country, years=year)
    except NotImplementedError:
        return Calendar()
    weekend = WEEKEND_OVERRIDES.get(country, frozenset(known.weekend))
    return Calendar("UTC", weekend, frozenset(known), frozenset(known.weekend_workdays))
