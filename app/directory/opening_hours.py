"""Opening hours: weekly spans in the time zone of the office.

A span is `always`, or it has the form `mo-fr/09:00-18:00`. The days may continue past
Sunday (`su-th`). A day with a break needs two spans. A night also needs two spans, one up
to `24:00` and one from `00:00`. Holidays are not considered.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

ALWAYS: Final = "always"
DAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
_DAY, _TIME = f"({'|'.join(DAYS)})", r"((?:[01]\d|2[0-3]):[0-5]\d|24:00)"
SPAN: Final = re.compile(f"{_DAY}(?:-{_DAY})?/{_TIME}-{_TIME}", re.ASCII)
PATTERN: Final = f"^({ALWAYS}|{SPAN.pattern})$".replace(r"\d", "[0-9]")
"""The pattern of a span in the API. The order of its times is checked separately."""
MINUTES: Final = 60


def is_valid_span(word: str) -> bool:
    """Return whether a word is `always` or a span of at least one minute."""
    span = SPAN.fullmatch(word)
    if span is None:
        return word == ALWAYS
    _, _, start, end = span.groups()
    return count_minutes(start) < count_minutes(end)


def count_minutes(time: str) -> int:
    """Return the number of minutes from midnight to a time of day."""
    hours, minutes = time.split(":")
    return int(hours) * MINUTES + int(minutes)


def is_open(opening: Sequence[str], time_zone: str, now: datetime) -> bool | None:
    """Return whether an office is open at a moment, or None if its hours are not known."""
    if not opening:
        return None
    if ALWAYS in opening:
        return True
    local = now.astimezone(ZoneInfo(time_zone))
    minute = local.hour * MINUTES + local.minute
    return any(includes_minute(word, local.weekday(), minute) for word in opening)


def includes_minute(word: str, day: int, minute: int) -> bool:
    """Return whether a span includes a minute of a weekday; the end is excluded."""
    span = SPAN.fullmatch(word)
    if span is None:
        return False
    first, last, start, end = span.groups()
    begin, days = DAYS.index(first), len(DAYS)
    in_days = (day - begin) % days <= (DAYS.index(last or first) - begin) % days
    return in_days and count_minutes(start) <= minute < count_minutes(end)
