"""How long each answer may take: the defaults of LIFECYCLES.md, section 7, as one table."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

SATURDAY: Final = 5


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
    CONSENT_ENDS = "consent_ends"  # a guardian's: then the assessment is due again
    ANSWER = "answer"
    APPROVE = "approve"
    FINISH_DRAFT = "finish_draft"
    CONFIRM_DELETION = "confirm_deletion"
    ERASE = "erase"  # D11


@dataclass(frozen=True)
class Limit:
    """A length of time, by the clock, in working days or in months.

    Working days are Monday to Friday in UTC; calendars of countries come with the worker.
    """

    hours: int = 0
    working_days: int = 0
    months: int = 0

    def after(self, start: datetime) -> datetime:
        """Say when it is over."""
        end = months_later(start, self.months) + timedelta(hours=self.hours)
        for _ in range(self.working_days):
            end = next_working_day(end)
        return end


def next_working_day(moment: datetime) -> datetime:
    """Move to the same hour of the next day that is neither Saturday nor Sunday."""
    following = moment + timedelta(days=1)
    while following.weekday() >= SATURDAY:
        following += timedelta(days=1)
    return following


def months_later(moment: datetime, count: int) -> datetime:
    """Move to the same day of a later month, or to that month's last day."""
    years, month = divmod(moment.month - 1 + count, 12)
    year = moment.year + years
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def hours(count: int) -> Limit:
    """Spell a limit in hours."""
    return Limit(hours=count)


def days(count: int) -> Limit:
    """Spell a limit in days that run through week-ends."""
    return Limit(hours=24 * count)


def months(count: int) -> Limit:
    """Spell a limit in months of the calendar."""
    return Limit(months=count)


def working_days(count: int) -> Limit:
    """Spell a limit in working days."""
    return Limit(working_days=count)


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
    _K.ANSWER:            (hours(4),  working_days(1), working_days(1)),
    _K.APPROVE:           (hours(72), hours(72),       hours(72)),
    _K.FINISH_DRAFT:      (days(14),  days(14),        days(14)),
    _K.CONFIRM_DELETION:  (working_days(5), working_days(5), working_days(5)),
    _K.ERASE:             (months(24), months(24),     months(24)),
}
# fmt: on


VISITS: Final = (days(7), months(1), months(3), months(6), months(12))
"""When a person is visited after help has ended, unless a lead plans otherwise (D08)."""
ANSWERS: Final = frozenset({_K.ACKNOWLEDGE, _K.DECIDE_LEAD, _K.DECIDE_REFERRAL})
"""The clocks that tell how fast a focal point answers."""


LATEST_REVIEW: Final = (
    "Set a review that is ahead: within 7 days of an emergency, 14 if urgent, else 30."
)


def is_in_time(at: datetime | None, now: datetime, latest: datetime) -> bool:
    """Say whether a review is set: ahead, and no later than it may be (D10)."""
    return at is not None and now < at <= latest


def visits_follow(visits: Sequence[datetime], now: datetime) -> bool:
    """Say whether visits are planned, each ahead and after the one before."""
    rising = all(one < other for one, other in pairwise(visits))
    return bool(visits) and visits[0] > now and rising


def due(kind: ClockKind, priority: Priority | None, start: datetime) -> datetime:
    """Say until when; a draft without a priority has the time of a normal one."""
    column = list(Priority).index(priority or Priority.NORMAL)
    return LIMITS[kind][column].after(start)
