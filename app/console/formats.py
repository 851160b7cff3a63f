"""The formats of times, numbers, countries, languages and codes in the console."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import (
    format_date,
    format_datetime,
    format_timedelta,
    get_timezone_gmt,
    get_timezone_location,
)
from babel.numbers import format_decimal, format_percent

from app.kernel.languages import ENGLISH
from app.reference.cldr import get_country_name, get_language_name
from app.reference.lists import list_items

SOON: Final = timedelta(hours=4)
"""A deadline that is due within this time is due soon, as in `GET /v1/worklist/counts`."""
DURATION_THRESHOLD: Final = 3
"""A duration is written in the largest unit in which its value is at least this."""


class Urgency(StrEnum):
    """The urgency of a deadline; also the CSS class of its mark."""

    LATE = "late"
    SOON = "soon"
    TODAY = "today"
    LATER = "later"


def compute_urgency(due_at: datetime, now: datetime, zone: ZoneInfo) -> Urgency:
    """Return how near a deadline is; today ends at midnight in the given time zone."""
    if due_at < now:
        return Urgency.LATE
    if due_at < now + SOON:
        return Urgency.SOON
    same_day = due_at.astimezone(zone).date() == now.astimezone(zone).date()
    return Urgency.TODAY if same_day else Urgency.LATER


@dataclass(frozen=True)
class Formats:
    """The formats of one reader: a language, a time zone, and the current time."""

    locale: Locale
    zone: ZoneInfo
    now: datetime

    def format_time(self, at: str) -> str:
        """Format an RFC 3339 time in the reader's time zone, such as `27 Nov, 14:37`."""
        local = datetime.fromisoformat(at).astimezone(self.zone)
        return format_datetime(local, "d MMM, HH:mm", locale=self.locale)

    def format_date(self, day: str) -> str:
        """Format an RFC 3339 date, or the date of a time, such as `27 Nov 2026`."""
        at = datetime.fromisoformat(day)
        local = at.astimezone(self.zone) if at.tzinfo else at
        return format_date(local, "d MMM yyyy", locale=self.locale)

    def format_clock(self, at: str) -> str:
        """Format the time of day of an RFC 3339 time, such as `14:02`."""
        local = datetime.fromisoformat(at).astimezone(self.zone)
        return format_datetime(local, "HH:mm", locale=self.locale)

    def format_left(self, at: str) -> str:
        """Format the time until or since an RFC 3339 time, such as `in 59 minutes`."""
        left = datetime.fromisoformat(at) - self.now
        return format_timedelta(left, add_direction=True, locale=self.locale)

    def format_duration(self, seconds: int) -> str:
        """Format a duration with one unit, such as `90 minutes` or `5 hours`."""
        return format_timedelta(
            timedelta(seconds=seconds),
            threshold=DURATION_THRESHOLD,
            locale=self.locale,
        )

    def format_share(self, part: int, whole: int) -> str:
        """Format a part of a whole as a percentage without decimals, such as `83%`."""
        return format_percent(part / whole, locale=self.locale)

    def format_number(self, number: float) -> str:
        """Format a number with at most one decimal place."""
        return format_decimal(number, "#,##0.#", locale=self.locale)

    def find_urgency(self, at: str) -> Urgency:
        """Return how near a deadline is, which is given as an RFC 3339 time."""
        return compute_urgency(datetime.fromisoformat(at), self.now, self.zone)

    @property
    def zone_name(self) -> str:
        """The city of the time zone and its difference from UTC, in the reader's language.

        The long name from Babel contains "summer time" in Russian even in winter.
        """
        city = get_timezone_location(self.zone, locale=self.locale, return_city=True)
        offset = get_timezone_gmt(self.now.astimezone(self.zone), locale=self.locale)
        return f"{city} ({offset})"

    def name_country(self, code: str) -> str:
        """Return the name of a country, or its code if it has no name."""
        return get_country_name(code, self.locale) or code

    def name_language(self, tag: str) -> str:
        """Return the name of a language, or its tag if it has no name."""
        return get_language_name(tag, self.locale) or tag

    def name_code(self, words: str, code: str) -> str:
        """Return the label of a code of a reference list, or the code if it is unknown.

        In an unknown code, spaces replace the underscores.
        """
        return load_words(words, str(self.locale)).get(code) or code.replace("_", " ")

    def name_first(self, lists: Sequence[str], code: str) -> str:
        """Return the label of a code in the first of several lists that contains it."""
        found = (name for name in lists if code in load_words(name, str(self.locale)))
        return self.name_code(next(found, lists[0]), code)

    def list_codes(self, words: str) -> Sequence[str]:
        """Return the codes of a reference list, in the order of the list."""
        return tuple(load_words(words, str(self.locale)))

    def group_codes(self, words: str) -> Mapping[str, Sequence[str]]:
        """Return the codes of a reference list by the group of each."""
        groups: dict[str, list[str]] = {}
        for item in list_items(words):
            groups.setdefault(item.group or "", []).append(item.code)
        return groups


@cache
def load_words(words: str, language: str) -> Mapping[str, str]:
    """Return the labels of a reference list by code, in English if not translated."""
    items = list_items(words)
    return {item.code: item.labels.get(language) or item.labels[ENGLISH] for item in items}
