"""On which days an office works, and what time it is there: pure.

Days off come from the `holidays` library, which knows all 28 countries of the mechanism. Of
feasts that follow the moon, those to come are its estimate, and may be a day off.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from holidays import country_holidays

from app.directory.kinds import Described, homes

SATURDAY, SUNDAY = 5, 6
USUAL_WEEK_END: Final = frozenset({SATURDAY, SUNDAY})
WEEK_ENDS: Final = {"KN": USUAL_WEEK_END}
"""Where the library's is not the week of an office.

It names Sunday alone for Saint Kitts and Nevis, since the Public Holidays Act there moves a
holiday from a Sunday and not from a Saturday; that says nothing of who works on Saturdays.
"""
CALENDARS: Final = 1024
"""How many are kept: each a country's in one time zone and two years."""


@dataclass(frozen=True)
class Calendar:
    """A time zone, the days off of the week, and those of two years; Monday is 0.

    `working` are days of a week-end that a government made working days, for another day.
    """

    time_zone: str = "UTC"
    week_end: frozenset[int] = USUAL_WEEK_END
    holidays: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()

    def works_on(self, day: date) -> bool:
        """Say whether this is a working day."""
        rests = day.weekday() in self.week_end or day in self.holidays
        return day in self.working or not rests

    def local(self, moment: datetime) -> datetime:
        """Say what the clock on the wall shows: a time without a zone."""
        return moment.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None, fold=0)

    def instant(self, local: datetime) -> datetime:
        """Say when the clock on the wall shows this, in UTC, as RFC 5545 does (3.3.5).

        Where clocks go back it shows it twice: the first time counts. Where they go forward
        it never does: then it is as long after the change as it would have been.
        """
        return local.replace(tzinfo=ZoneInfo(self.time_zone), fold=0).astimezone(UTC)


@dataclass(frozen=True)
class Place:
    """Where somebody works: in which time zone, and with which country's days off."""

    time_zone: str = "UTC"
    country: str | None = None

    def calendar(self, at: datetime) -> Calendar:
        """Find the calendar of the year of a moment, and of the year after it."""
        return calendar_of(self, at.astimezone(ZoneInfo(self.time_zone)).year)


class Office(Described, Protocol):
    """As much of a focal point as its calendar follows from."""

    @property
    def time_zone(self) -> str:
        """Where its clocks are set."""


def place_of(office: Office) -> Place:
    """Say which calendar an office keeps: its own hours, its country's days off.

    One that is of several countries, or of none, has no holidays that we could name. A
    consulate keeps those of its State.
    """
    countries = homes(office)
    return Place(office.time_zone, countries[0] if len(countries) == 1 else None)


@dataclass(frozen=True)
class DaysOff:
    """What a country rests on, and where it works on a week-end, in one year."""

    week_end: frozenset[int] = USUAL_WEEK_END
    holidays: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()


@lru_cache(CALENDARS)
def calendar_of(place: Place, year: int) -> Calendar:
    """Bring together a time zone and the days off of two years."""
    if place.country is None:
        return Calendar(place.time_zone)
    this, following = (days_off(place.country, one) for one in (year, year + 1))
    return Calendar(
        place.time_zone,
        this.week_end,
        this.holidays | following.holidays,
        this.working | following.working,
    )


@lru_cache(CALENDARS)
def days_off(country: str, year: int) -> DaysOff:
    """Ask the library, which reads a country's rules when they are first asked for.

    Of a country it does not know, nobody knows a holiday.
    """
    try:
        known = country_holidays(country, years=year)
    except NotImplementedError:
        return DaysOff()
    week_end = WEEK_ENDS.get(country, frozenset(known.weekend))
    return DaysOff(week_end, frozenset(known), frozenset(known.weekend_workdays))
