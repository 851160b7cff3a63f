"""The default time limits of LIFECYCLES.md, section 7, as one table."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import Final

from app.directory.calendars import Calendar


class Priority(StrEnum):
    """The priority of a case: how soon help is needed (inter-agency referral form)."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    NORMAL = "normal"


class DeadlineKind(StrEnum):
    """The kind of a deadline: the task that an office has to complete in time."""

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
    ASSESS_INTERESTS = "assess_interests"  # for a child without a guardian (BR09)
    CONSENT_ENDS = "consent_ends"  # a new consent has to be requested before this time
    DECIDE_EMERGENCY_ACCESS = "decide_emergency_access"  # R15
    EMERGENCY_ACCESS_ENDS = "emergency_access_ends"
    INFORM_PERSON = "inform_person"  # about an emergency access (BR05)
    ANSWER = "answer"
    APPROVE = "approve"
    FINISH_DRAFT = "finish_draft"
    CONFIRM_DELETION = "confirm_deletion"
    ERASE = "erase"  # D11


class TimeUnit(StrEnum):
    """A unit of time limits.

    Hours run day and night. The other units follow the calendar of the office that has to
    act: they end at the local time of day at which they started.
    """

    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"


HOURS_OF: Final = {
    TimeUnit.HOURS: 1,
    TimeUnit.DAYS: 24,
    TimeUnit.WORKING_DAYS: 24 * 7 / 5,
    TimeUnit.MONTHS: 24 * 365.25 / 12,
}
"""Approximate hours of each unit, to compare limits in different units."""


@dataclass(frozen=True)
class Limit:
    """A length of time, such as three working days."""

    count: int
    unit: TimeUnit

    @property
    def approximate_hours(self) -> float:
        """The approximate length in hours."""
        return self.count * HOURS_OF[self.unit]

    @property
    def runs_on(self) -> bool:
        """Whether the limit runs day and night, including weekends and holidays."""
        return self.unit != TimeUnit.WORKING_DAYS

    def compute_end(self, start: datetime, calendar: Calendar) -> datetime:
        """Return when a limit ends, in UTC, by the calendar of the responsible office."""
        local = calendar.to_local(start)
        match self.unit:
            case TimeUnit.HOURS:
                return start + timedelta(hours=self.count)
            case TimeUnit.DAYS:
                return calendar.to_utc(local + timedelta(days=self.count))
            case TimeUnit.MONTHS:
                return calendar.to_utc(add_months(local, self.count))
            case TimeUnit.WORKING_DAYS:
                return calendar.to_utc(add_working_days(local, self.count, calendar))


def add_working_days(local: datetime, count: int, calendar: Calendar) -> datetime:
    """Add working days to a local time. Days off are not counted, even at the start.

    For example, one working day from Friday 16:00 or Saturday 16:00 ends on Monday 16:00.
    """
    for _ in range(count):
        local += timedelta(days=1)
        while not calendar.is_working_day(local.date()):
            local += timedelta(days=1)
    return local


def add_months(local: datetime, count: int) -> datetime:
    """Add months to a local time; the result is the same day or the month's last day."""
    years, month = divmod(local.month - 1 + count, 12)
    year = local.year + years
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)


hours = partial(Limit, unit=TimeUnit.HOURS)
days = partial(Limit, unit=TimeUnit.DAYS)
months = partial(Limit, unit=TimeUnit.MONTHS)
working_days = partial(Limit, unit=TimeUnit.WORKING_DAYS)


# fmt: off
_K = DeadlineKind
LIMITS: Final[dict[DeadlineKind, tuple[Limit, Limit, Limit]]] = {
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
    _K.CONSENT_ENDS:      (hours(0),  hours(0),        hours(0)),  # set by the consent
    _K.DECIDE_EMERGENCY_ACCESS:    (hours(4),  hours(4),        hours(4)),
    _K.EMERGENCY_ACCESS_ENDS:      (hours(4),  hours(4),        hours(4)),
    _K.INFORM_PERSON:       (hours(24), hours(24),       hours(24)),
    _K.ANSWER:            (hours(4),  working_days(1), working_days(1)),
    _K.APPROVE:           (hours(72), hours(72),       hours(72)),
    _K.FINISH_DRAFT:      (days(14),  days(14),        days(14)),
    _K.CONFIRM_DELETION:  (working_days(5), working_days(5), working_days(5)),
    _K.ERASE:             (months(24), months(24),     months(24)),
}
# fmt: on


VISITS: Final = (days(7), months(1), months(3), months(6), months(12))
"""Default times of the visits after help has ended, counted from their planning (D08)."""
OWN_PACE: Final = frozenset(
    {_K.FINISH_DRAFT, _K.APPROVE, _K.ERASE, _K.DECIDE_EMERGENCY_ACCESS, _K.CONSENT_ENDS}
)
"""Deadlines that no other office waits for. They do not change if their office closes."""
ASKED: Final = frozenset(
    {_K.ACKNOWLEDGE, _K.DECIDE_LEAD, _K.DECIDE_REFERRAL, _K.ANSWER_HANDOVER}
)
"""Deadlines to answer a request. If the office is closed, they count as missed at once."""


REVIEW_REMEDY: Final = (
    "Set a future date for the review: within 7 days in an emergency, 14 if urgent, "
    "otherwise 30, or as your country or an agreement set."
)


def is_valid_review_date(
    at: datetime | None, now: datetime, latest: datetime | None
) -> bool:
    """Return whether a review date is valid: in the future and not after `latest` (D10)."""
    return at is not None and latest is not None and now < at <= latest


FIRST_VISIT, LAST_VISIT = timedelta(days=30), timedelta(days=731)
"""The maximum time until the first and the last visit, so that a mistyped year is an error.
The numbers have no external source."""
VISITS_REMEDY: Final = (
    "Plan visits in the future, in ascending order: the first within 30 days, the last "
    "within 24 months."
)


def is_valid_visit_plan(visits: Sequence[datetime], now: datetime) -> bool:
    """Return whether a plan has visits, all in the future, in order and within limits."""
    if not visits:
        return False
    rising = all(one < other for one, other in pairwise(visits))
    soon = now < visits[0] <= now + FIRST_VISIT
    return rising and soon and visits[-1] <= now + LAST_VISIT


def get_default_limit(kind: DeadlineKind, priority: Priority | None) -> Limit:
    """Return the default limit of a deadline; a missing priority counts as normal."""
    return LIMITS[kind][list(Priority).index(priority or Priority.NORMAL)]
