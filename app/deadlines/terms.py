"""A limit that counts for somebody: in their calendar, and at the pace of a drill: pure.

What was left of working days when a clock was paused is counted in working time, each day
from midnight to midnight: a week-end that lies in the pause, or after it, takes none of it.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from app.deadlines.limits import Limit
from app.directory.calendars import Calendar, Place

DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Term:
    """How long somebody has, where they work, and how fast clocks run; 1: as they are."""

    limit: Limit
    place: Place
    speed: int = 1

    def until(self, start: datetime) -> datetime:
        """Say when it is over."""
        end = self.limit.after(start, self.place.calendar(start))
        return start + (end - start) / self.speed

    def resumed(self, stopped: datetime, due: datetime, now: datetime) -> datetime:
        """Say until when one runs now that was paused; one that was late is due at once.

        In a drill what was left is counted as time alone: a week-end takes seconds there.
        """
        if stopped >= due:
            return now
        if self.limit.runs_on or self.speed > 1:
            return now + (due - stopped)
        left = working_time(stopped, due, self.place.calendar(stopped))
        return after_working_time(now, left, self.place.calendar(now))


def midnight_after(local: datetime) -> datetime:
    """Say when this day ends."""
    return datetime.combine(local.date() + DAY, time())


def working_time(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """Count how much of a time lies on working days."""
    local, last, total = calendar.local(start), calendar.local(end), timedelta()
    while local < last:
        following = min(midnight_after(local), last)
        if calendar.works_on(local.date()):
            total += following - local
        local = following
    return total


def after_working_time(start: datetime, left: timedelta, calendar: Calendar) -> datetime:
    """Say when so much time has gone by on working days; never within a day off."""
    local = calendar.local(start)
    while True:
        rest = midnight_after(local) - local
        if calendar.works_on(local.date()):
            if left < rest:
                return calendar.instant(local + left)
            left -= rest
        local += rest
