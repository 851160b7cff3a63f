"""Pure functions that compute due times in the calendar of an office and in drills.

A drill has no data about real people, and its deadlines may run faster than real time.

If a limit is in working days, only the time on working days, from midnight to midnight,
counts towards the remaining time of a paused deadline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from app.deadlines.limits import DeadlineKind, Limit, Priority
from app.directory.calendars import Calendar, Place

DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Term:
    """A time limit in the calendar of an office, and the speed of time (1 is normal).

    `least` is the minimum length, even if a drill speeds up time, unless the limit itself
    is shorter.
    """

    limit: Limit
    place: Place
    speed: int = 1
    least: timedelta = timedelta()

    def compute_end(self, start: datetime) -> datetime:
        """Return the time at which a term that begins at `start` ends."""
        whole = self.limit.compute_end(start, self.place.get_calendar(start)) - start
        return start + max(whole / self.speed, min(whole, self.least))

    def compute_resumed_due(
        self, stopped: datetime, due: datetime, now: datetime
    ) -> datetime:
        """Return the due time of a deadline that resumes; a missed deadline is due now.

        If time runs faster, the calendar is ignored, because a weekend lasts only seconds.
        """
        if stopped >= due:
            return now
        if self.limit.runs_on or self.speed > 1:
            return now + (due - stopped)
        left = measure_working_time(stopped, due, self.place.get_calendar(stopped))
        return add_working_time(now, left, self.place.get_calendar(now))


def get_next_midnight(local: datetime) -> datetime:
    """Return the midnight at which the day of a local time ends."""
    return datetime.combine(local.date() + DAY, time())


def measure_working_time(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """Return the time between `start` and `end`, counting only working days."""
    local, last, total = calendar.to_local(start), calendar.to_local(end), timedelta()
    while local < last:
        following = min(get_next_midnight(local), last)
        if calendar.is_working_day(local.date()):
            total += following - local
        local = following
    return total


def add_working_time(start: datetime, left: timedelta, calendar: Calendar) -> datetime:
    """Return the time at which `left` has passed, counting only time on working days."""
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
        """The priority of the case, or None if it is not set yet."""

    @property
    def country(self) -> str | None:
        """The country in which the person is now, or None if it is unknown."""

    @property
    def offices(self) -> frozenset[UUID]:
        """Every office that is or was a party of the case."""

    @property
    def holder(self) -> UUID | None:
        """The office that holds the case now, or None if no office does."""

    def get_known_country(self, focal_point: UUID | None) -> str | None:
        """Return the country of the person as the office may see it, or None if unknown."""

    def get_summary_snapshot(self, focal_point: UUID | None) -> Mapping[str, Any] | None:
        """Return the snapshot that the office sees instead of the current summary."""

    def get_recipient_snapshot(self, record: UUID) -> Mapping[str, Any] | None:
        """Return the snapshot of the case that the recipient of a record sees.

        Return None if the recipient sees the current case.
        """

    @property
    def submitter_knows_country(self) -> bool:
        """Whether a submitter may learn in which country the person is now (R12)."""

    @property
    def is_handed_on(self) -> bool:
        """Whether a lead has taken the case, or the case was closed (R12)."""


class ApparentHolder(NamedTuple):
    """The holder, country and priority that a recipient sees, not the current ones."""

    office: UUID | None
    country: str | None
    priority: Priority | None


def find_apparent_holder(
    about: DeadlineCase, record: UUID, recipient: UUID
) -> ApparentHolder | None:
    """Return the holder, country and priority as the recipient of a record sees them.

    Returns None if the recipient sees the current case.
    """
    asked = about.get_recipient_snapshot(record)
    if asked is None:
        return None
    holder, country = asked["holder"], asked["notice"]["country"]
    priority = get_known_priority(about, recipient)
    return ApparentHolder(UUID(holder) if holder else None, country, priority)


def get_known_priority(about: DeadlineCase, office: UUID | None) -> Priority | None:
    """Return the priority of the case as an office sees it, or None if it is not set."""
    asked = about.get_summary_snapshot(office)
    priority: str | None = asked["notice"]["priority"] if asked else about.priority
    return Priority(priority) if priority else None


def get_country(
    kind: DeadlineKind, about: DeadlineCase, waits_on: UUID | None
) -> str | None:
    """Return the country that a deadline may depend on, or None if it may depend on none.

    A limit set by an agreement reveals the countries of the agreement. Once a lead has the
    case, the submitter must not learn them from the deadline of its answer (R12). A State
    body that was asked for a travel document must not learn them from any deadline.
    """
    if about.submitter_knows_country or not is_for_submitter(kind, about, waits_on):
        return about.get_known_country(waits_on)
    return None


def is_for_submitter(
    kind: DeadlineKind, about: DeadlineCase, waits_on: UUID | None
) -> bool:
    """Return whether the submitter, and not the holder, has to answer by a deadline."""
    return kind == DeadlineKind.ANSWER and waits_on not in {None, about.holder}
