"""How long each answer may take: the defaults of LIFECYCLES.md, section 7, as one table."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from app.directory.calendars import Calendar


class Priority(StrEnum):
    """How soon help is needed (the inter-agency referral form)."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    NORMAL = "normal"


class ClockKind(StrEnum):
    """What somebody must do before a time; the comment names the clock of the plan."""

    ACKNOWLEDGE = "acknowledge"  # D01
    DECIDE_LEAD = "decide_lead"  # D02
    DECIDE_REFERRAL = "decide_referral"  # D03
    MEET_PERSON = "meet_person"  # D04
    GIVE_FEEDBACK = "give_feedback"  # D05
    ANSWER_HANDOVER = "answer_handover"  # D07
    REVIEW = "review"  # D10
    REVIEW_RISK = "review_risk"  # D12
    CONFIRM_ARRIVAL = "confirm_arrival"  # D06
    MONITOR = "monitor"  # D08
    REVIEW_CLOSURE = "review_closure"  # D09
    ASSESS_INTERESTS = "assess_interests"  # of a child without a guardian (BR09)
    CONSENT_ENDS = "consent_ends"  # ask the person again before it does
    DECIDE_READING = "decide_reading"  # in an emergency (R15)
    READING_ENDS = "reading_ends"
    TELL_PERSON = "tell_person"  # that somebody read (BR05)
    ANSWER = "answer"
    APPROVE = "approve"
    FINISH_DRAFT = "finish_draft"
    CONFIRM_DELETION = "confirm_deletion"
    ERASE = "erase"  # D11


class Unit(StrEnum):
    """What a length of time is counted in.

    Hours run day and night. The others are of the calendar of whoever is waited for: they
    end when the clock on the wall shows there what it showed at the start.
    """

    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"


HOURS_OF: Final = {
    Unit.HOURS: 1,
    Unit.DAYS: 24,
    Unit.WORKING_DAYS: 24 * 7 / 5,
    Unit.MONTHS: 24 * 365.25 / 12,
}
"""About how long each is, so that lengths in different units can be compared."""


@dataclass(frozen=True)
class Limit:
    """A length of time, such as three working days."""

    count: int
    unit: Unit

    @property
    def about(self) -> float:
        """Say about how many hours it is."""
        return self.count * HOURS_OF[self.unit]

    @property
    def runs_on(self) -> bool:
        """Say whether it runs day and night, through week-ends and holidays."""
        return self.unit != Unit.WORKING_DAYS

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        """Say when it is over, in UTC, in the calendar of whoever is waited for."""
        local = calendar.local(start)
        match self.unit:
            case Unit.HOURS:
                return start + timedelta(hours=self.count)
            case Unit.DAYS:
                return calendar.instant(local + timedelta(days=self.count))
            case Unit.MONTHS:
                return calendar.instant(months_later(local, self.count))
            case Unit.WORKING_DAYS:
                return calendar.instant(working_days_later(local, self.count, calendar))


def working_days_later(local: datetime, count: int, calendar: Calendar) -> datetime:
    """Move so many working days on, to the same hour; a start on a day off is none of them.

    From Friday 16:00 one working day is until Monday 16:00; so it is from Saturday 16:00.
    """
    for _ in range(count):
        local += timedelta(days=1)
        while not calendar.works_on(local.date()):
            local += timedelta(days=1)
    return local


def months_later(local: datetime, count: int) -> datetime:
    """Move to the same day of a later month, or to that month's last day."""
    years, month = divmod(local.month - 1 + count, 12)
    year = local.year + years
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)


def hours(count: int) -> Limit:
    """Spell a limit in hours."""
    return Limit(count, Unit.HOURS)


def days(count: int) -> Limit:
    """Spell a limit in days that run through week-ends."""
    return Limit(count, Unit.DAYS)


def months(count: int) -> Limit:
    """Spell a limit in months of the calendar."""
    return Limit(count, Unit.MONTHS)


def working_days(count: int) -> Limit:
    """Spell a limit in working days."""
    return Limit(count, Unit.WORKING_DAYS)


# fmt: off
_K = ClockKind
LIMITS: Final[dict[ClockKind, tuple[Limit, Limit, Limit]]] = {
    #                      emergency  urgent           normal
    _K.ACKNOWLEDGE:       (hours(1),  hours(3),        working_days(1)),
    _K.DECIDE_LEAD:       (hours(24), hours(72),       working_days(5)),
    _K.DECIDE_REFERRAL:   (hours(24), hours(72),       days(14)),
    _K.MEET_PERSON:       (hours(24), hours(72),       days(14)),
    _K.GIVE_FEEDBACK:     (hours(24), working_days(3), days(7)),
    _K.ANSWER_HANDOVER:   (hours(24), hours(72),       working_days(10)),
    _K.REVIEW:            (days(7),   days(14),        days(30)),
    _K.REVIEW_RISK:       (days(7),   days(7),         days(7)),
    _K.CONFIRM_ARRIVAL:   (hours(24), hours(24),       hours(24)),
    _K.MONITOR:           (days(7),   days(7),         days(7)),
    _K.REVIEW_CLOSURE:    (days(30),  days(30),        days(30)),
    _K.ASSESS_INTERESTS:  (hours(72), hours(72),       hours(72)),
    _K.CONSENT_ENDS:      (hours(0),  hours(0),        hours(0)),  # as the consent says
    _K.DECIDE_READING:    (hours(4),  hours(4),        hours(4)),
    _K.READING_ENDS:      (hours(4),  hours(4),        hours(4)),
    _K.TELL_PERSON:       (hours(24), hours(24),       hours(24)),
    _K.ANSWER:            (hours(4),  working_days(1), working_days(1)),
    _K.APPROVE:           (hours(72), hours(72),       hours(72)),
    _K.FINISH_DRAFT:      (days(14),  days(14),        days(14)),
    _K.CONFIRM_DELETION:  (working_days(5), working_days(5), working_days(5)),
    _K.ERASE:             (months(24), months(24),     months(24)),
}
# fmt: on


VISITS: Final = (days(7), months(1), months(3), months(6), months(12))
"""When a person is visited after help has ended, unless a lead plans otherwise (D08)."""
UNHURRIED: Final = frozenset(
    {_K.FINISH_DRAFT, _K.APPROVE, _K.ERASE, _K.DECIDE_READING, _K.CONSENT_ENDS}
)
"""Clocks that nobody else waits for: they run out in their own time, whoever is gone."""
ANSWERS: Final = frozenset({_K.ACKNOWLEDGE, _K.DECIDE_LEAD, _K.DECIDE_REFERRAL})
"""The clocks that tell how fast a focal point answers."""
ASKED: Final = ANSWERS | {_K.ANSWER_HANDOVER}
"""Clocks of who was asked to take something on: one who is not there loses it at once."""


LATEST_REVIEW: Final = (
    "Set a review that is ahead: within 7 days of an emergency, 14 if urgent, else 30, "
    "or as long as your country or an agreement set."
)


def is_in_time(at: datetime | None, now: datetime, latest: datetime | None) -> bool:
    """Say whether a review is set: ahead, and no later than it may be (D10)."""
    return at is not None and latest is not None and now < at <= latest


FIRST_VISIT, LAST_VISIT = timedelta(days=30), timedelta(days=731)
"""So far ahead a visit is planned at most: a year mistyped would let nobody see the person
for years, and the case never close. Both are our own: the usual visits are after 7 days to
12 months (D08), and this leaves as much again."""
VISITS_FIT: Final = (
    "Plan the visits, each ahead and after the one before: the first within 30 days, "
    "the last within 24 months."
)


def visits_follow(visits: Sequence[datetime], now: datetime) -> bool:
    """Say whether visits are planned, each after the one before, none too far ahead."""
    if not visits:
        return False
    rising = all(one < other for one, other in pairwise(visits))
    soon = now < visits[0] <= now + FIRST_VISIT
    return rising and soon and visits[-1] <= now + LAST_VISIT


def default(kind: ClockKind, priority: Priority | None) -> Limit:
    """Say how long, where nothing was set; a draft without a priority is a normal one."""
    return LIMITS[kind][list(Priority).index(priority or Priority.NORMAL)]
