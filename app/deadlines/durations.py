"""Limits in the calendar of an office, at the speed of a drill; pure functions.

The working days that are left when a deadline is paused are counted in working time, each
day from midnight to midnight. A week-end during or after the pause uses none of it.
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
    """How long an office has, where it works, and the speed of clocks (1 is normal).

    `least` is a lower bound at any speed of a drill.
    """

    limit: Limit
    place: Place
    speed: int = 1
    least: timedelta = timedelta()

    def compute_end(self, start: datetime) -> datetime:
        """Return when it ends."""
        whole = self.limit.compute_end(start, self.place.get_calendar(start)) - start
        return start + max(whole / self.speed, min(whole, self.least))

    def compute_resumed_due(
        self, stopped: datetime, due: datetime, now: datetime
    ) -> datetime:
        """Return when a paused deadline is due if it resumes now; now, if it was late.

        In a drill the time left is counted without a calendar: a week-end takes seconds.
        """
        if stopped >= due:
            return now
        if self.limit.runs_on or self.speed > 1:
            return now + (due - stopped)
        left = measure_working_time(stopped, due, self.place.get_calendar(stopped))
        return add_working_time(now, left, self.place.get_calendar(now))


def get_next_midnight(local: datetime) -> datetime:
    """Return the end of this day."""
    return datetime.combine(local.date() + DAY, time())


def measure_working_time(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """Return how much of a period lies on working days."""
    local, last, total = calendar.to_local(start), calendar.to_local(end), timedelta()
    while local < last:
        following = min(get_next_midnight(local), last)
        if calendar.is_working_day(local.date()):
            total += following - local
        local = following
    return total


def add_working_time(start: datetime, left: timedelta, calendar: Calendar) -> datetime:
    """Return when so much working time has passed; never on a day off."""
    local = calendar.to_local(start)
    while True:
        rest = get_next_midnight(local) - local
        if calendar.is_working_day(local.date()):
            if left < rest:
                return calendar.to_utc(local + left)
            left -= rest
        local += rest


class DeadlineCase(Protocol):
    """The attributes of a case that a deadline depends on."""

    @property
    def id(self) -> UUID:
        """The id of the case."""

    @property
    def priority(self) -> Priority | None:
        """How soon help is needed."""

    @property
    def country(self) -> str | None:
        """The country where the person is."""

    @property
    def offices(self) -> frozenset[UUID]:
        """Every focal point that is or was a party."""

    @property
    def holder(self) -> UUID | None:
        """The office that holds the case now."""

    def get_known_country(self, focal_point: UUID | None) -> str | None:
        """Return the country of the person, as far as an office may know it."""

    def get_recipient_snapshot(self, record: UUID) -> Mapping[str, Any] | None:
        """Return the snapshot that a record's recipient reads in place of the holder."""

    @property
    def submitter_knows_country(self) -> bool:
        """Whether the submitter, as such, may know where the person is now (R12)."""

    @property
    def is_handed_on(self) -> bool:
        """Whether the submitter has handed the case on (R12)."""


class ApparentHolder(NamedTuple):
    """The office that is waited for and the country, as a recipient may know them."""

    office: UUID | None
    country: str | None


def find_apparent_holder(about: DeadlineCase, record: UUID) -> ApparentHolder | None:
    """Return the holder that a recipient reads, if it may not know the present one."""
    asked = about.get_recipient_snapshot(record)
    if asked is None:
        return None
    holder = asked["holder"]
    return ApparentHolder(UUID(holder) if holder else None, asked["notice"]["country"])


def get_country(kind: ClockKind, about: DeadlineCase, waits_on: UUID | None) -> str | None:
    """Return the country that a deadline may depend on, or None.

    A limit set by an agreement reveals the countries of the agreement. A submitter that
    handed the case on must not learn them from the deadline of its answer (R12), nor may a
    State body that was asked for a travel document learn them from any deadline.
    """
    if about.submitter_knows_country or not is_for_submitter(kind, about, waits_on):
        return about.get_known_country(waits_on)
    return None


def is_for_submitter(kind: ClockKind, about: DeadlineCase, waits_on: UUID | None) -> bool:
    """Return whether a deadline is for the submitter's answer, and not the holder's."""
    return kind == ClockKind.ANSWER and waits_on not in {None, about.holder}
