"""A limit that counts for somebody: in their calendar, and at the pace of a drill: pure.

What was left of working days when a clock was paused is counted in working time, each day
from midnight to midnight: a week-end that lies in the pause, or after it, takes none of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from app.deadlines.limits import ClockKind, Limit, Priority
from app.directory.calendars import Calendar, Place

DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Term:
    """How long somebody has, where they work, and how fast clocks run; 1: as they are.

    `least` is what is left of it at any speed of a drill.
    """

    limit: Limit
    place: Place
    speed: int = 1
    least: timedelta = timedelta()

    def until(self, start: datetime) -> datetime:
        """Say when it is over."""
        whole = self.limit.after(start, self.place.calendar(start)) - start
        return start + max(whole / self.speed, min(whole, self.least))

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


class Concerned(Protocol):
    """As much of a case as a deadline follows from."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def priority(self) -> Priority | None:
        """How soon help is needed."""

    @property
    def country(self) -> str | None:
        """Where the person is."""

    @property
    def offices(self) -> frozenset[UUID]:
        """Every focal point that has or had a part in it."""

    @property
    def holder(self) -> UUID | None:
        """Who holds it now."""

    def country_known_to(self, focal_point: UUID | None) -> str | None:
        """Return where the person is, as far as an office may find it out."""

    def snapshot_behind(self, record: UUID) -> Mapping[str, Any] | None:
        """Return what the recipient of a record reads, if it may not know the holder."""

    @property
    def submitter_knows_country(self) -> bool:
        """Whether its submitter, as such, may learn where the person is now (R12)."""

    @property
    def is_handed_on(self) -> bool:
        """Whether its submitter has it out of its hands now (R12)."""


class Apparent(NamedTuple):
    """Whose answer is waited for, and where the person is, as a recipient may know it."""

    office: UUID | None
    country: str | None


def find_apparent_holder(about: Concerned, record: UUID) -> Apparent | None:
    """Return the holder that a recipient reads, if it may not know the present one."""
    asked = about.snapshot_behind(record)
    if asked is None:
        return None
    holder = asked["holder"]
    return Apparent(UUID(holder) if holder else None, asked["notice"]["country"])


def country_for(kind: ClockKind, about: Concerned, waits_on: UUID | None) -> str | None:
    """Return the country that a deadline may depend on; None: on none.

    A limit that an agreement set tells its countries: a submitter that handed the case on
    must not learn them by the deadline for its answer (R12), nor by any a State body that
    was asked for a travel document.
    """
    if about.submitter_knows_country or not waits_on_submitter(kind, about, waits_on):
        return about.country_known_to(waits_on)
    return None


def waits_on_submitter(kind: ClockKind, about: Concerned, waits_on: UUID | None) -> bool:
    """Return whether a deadline is for the submitter's answer, and not the holder's."""
    return kind == ClockKind.ANSWER and waits_on not in {None, about.holder}
