"""When an office is open: weekly hours in its own time zone, as words between spaces.

`always`, or spans such as `mo-fr/09:00-18:00`. The days may go past Sunday (`su-th`). A day
with a break is two spans, and so is a night: up to `24:00` and from `00:00`. Holidays are
not known here.
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
FORM: Final = f"^({ALWAYS}|{SPAN.pattern})$".replace(r"\d", "[0-9]")
"""As a contract spells it; that a span holds at least a minute stands beside it."""
MINUTES: Final = 60


def is_spelled(word: str) -> bool:
    """Say whether this is a span of hours that holds at least a minute, or `always`."""
    span = SPAN.fullmatch(word)
    if span is None:
        return word == ALWAYS
    _, _, start, end = span.groups()
    return minute_of(start) < minute_of(end)


def minute_of(time: str) -> int:
    """Count the minutes from midnight on."""
    hours, minutes = time.split(":")
    return int(hours) * MINUTES + int(minutes)


def is_open(opening: Sequence[str], time_zone: str, now: datetime) -> bool | None:
    """Say whether it is open at a moment; None: nobody said when it is."""
    if not opening:
        return None
    if ALWAYS in opening:
        return True
    local = now.astimezone(ZoneInfo(time_zone))
    minute = local.hour * MINUTES + local.minute
    return any(holds(word, local.weekday(), minute) for word in opening)


def holds(word: str, day: int, minute: int) -> bool:
    """Say whether a span holds this minute of this day; its end is outside of it."""
    span = SPAN.fullmatch(word)
    if span is None:
        return False
    first, last, start, end = span.groups()
    begin, days = DAYS.index(first), len(DAYS)
    in_days = (day - begin) % days <= (DAYS.index(last or first) - begin) % days
    return in_days and minute_of(start) <= minute < minute_of(end)
