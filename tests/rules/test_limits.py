"""The time limits agree with a table written by hand from LIFECYCLES.md, section 7."""

from datetime import UTC, datetime, timedelta

import pytest

from app.deadlines.limits import DeadlineKind, Priority, get_default_limit
from app.directory.calendars import Calendar

MONDAY = datetime(2026, 6, 1, 12, tzinfo=UTC)
FRIDAY = MONDAY + timedelta(days=4)
SATURDAY = MONDAY + timedelta(days=5)
SUNDAY = MONDAY + timedelta(days=6)
# clock          | emergency      | urgent         | normal
TABLE = """
acknowledge      | 1 h            | 3 h            | 1 working day
decide_lead      | 24 h           | 72 h           | 5 working days
decide_referral  | 24 h           | 72 h           | 14 days
meet_person      | 24 h           | 72 h           | 14 days
give_feedback    | 24 h           | 3 working days | 7 days
answer_handover  | 24 h           | 72 h           | 10 working days
review           | 7 days         | 14 days        | 30 days
review_risk      | 7 days         | 7 days         | 7 days
confirm_arrival  | 24 h           | 24 h           | 24 h
monitor          | 7 days         | 7 days         | 7 days
review_closure   | 30 days        | 30 days        | 30 days
assess_interests | 72 h           | 72 h           | 72 h
consent_ends     | 0 h            | 0 h            | 0 h
decide_emergency_access   | 4 h            | 4 h            | 4 h
emergency_access_ends     | 4 h            | 4 h            | 4 h
inform_person      | 24 h           | 24 h           | 24 h
answer           | 4 h            | 1 working day  | 1 working day
approve          | 72 h           | 72 h           | 72 h
finish_draft     | 14 days        | 14 days        | 14 days
confirm_deletion | 5 working days | 5 working days | 5 working days
erase            | 24 months      | 24 months      | 24 months
"""
ROWS = {
    row.split("|")[0].strip(): [cell.strip() for cell in row.split("|")[1:]]
    for row in TABLE.strip().splitlines()
}
# The duration of each limit, if it starts at noon on one of these days.
ENDS = {
    "0 h": dict.fromkeys((MONDAY, FRIDAY, SATURDAY, SUNDAY), timedelta()),
    "1 h": dict.fromkeys((MONDAY, FRIDAY, SATURDAY, SUNDAY), timedelta(hours=1)),
    "3 h": dict.fromkeys((MONDAY, FRIDAY, SATURDAY, SUNDAY), timedelta(hours=3)),
    "4 h": dict.fromkeys((MONDAY, FRIDAY, SATURDAY, SUNDAY), timedelta(hours=4)),
    "24 h": dict.fromkeys((MONDAY, FRIDAY, SATURDAY, SUNDAY), timedelta(days=1)),
    "72 h": dict.fromkeys((MONDAY, FRIDAY, SATURDAY, SUNDAY), timedelta(days=3)),
    "7 days": dict.fromkeys((MONDAY, FRIDAY, SATURDAY, SUNDAY), timedelta(days=7)),
    "14 days": dict.fromkeys((MONDAY, FRIDAY, SATURDAY, SUNDAY), timedelta(days=14)),
    "30 days": dict.fromkeys((MONDAY, FRIDAY, SATURDAY, SUNDAY), timedelta(days=30)),
    "1 working day": {
        MONDAY: timedelta(days=1),
        FRIDAY: timedelta(days=3),
        SATURDAY: timedelta(days=2),
        SUNDAY: timedelta(days=1),
    },
    "3 working days": {
        MONDAY: timedelta(days=3),
        FRIDAY: timedelta(days=5),
        SATURDAY: timedelta(days=4),
        SUNDAY: timedelta(days=3),
    },
    "5 working days": {
        MONDAY: timedelta(days=7),
        FRIDAY: timedelta(days=7),
        SATURDAY: timedelta(days=6),
        SUNDAY: timedelta(days=5),
    },
    "10 working days": {
        MONDAY: timedelta(days=14),
        FRIDAY: timedelta(days=14),
        SATURDAY: timedelta(days=13),
        SUNDAY: timedelta(days=12),
    },
}


def compute_end(limit: str, start: datetime) -> datetime:
    """Return the time at which a time limit of LIFECYCLES.md ends."""
    if limit == "24 months":
        return start.replace(year=start.year + 2)
    return start + ENDS[limit][start]


def compute_due(kind: DeadlineKind, priority: Priority | None, start: datetime) -> datetime:
    """Return the due time in UTC. All weeks have five working days, and no holidays."""
    return get_default_limit(kind, priority).compute_end(start, Calendar())


def test_the_copy_says_something_of_every_clock() -> None:
    assert set(ROWS) == set(DeadlineKind)


@pytest.mark.parametrize("start", [MONDAY, FRIDAY, SATURDAY, SUNDAY], ids="{:%A}".format)
@pytest.mark.parametrize("priority", Priority)
def test_every_clock_runs_as_long_as_the_document_says(
    priority: Priority, start: datetime
) -> None:
    column = ["emergency", "urgent", "normal"].index(priority)

    ends = {kind: compute_due(kind, priority, start) for kind in DeadlineKind}

    assert ends == {kind: compute_end(ROWS[kind][column], start) for kind in DeadlineKind}


@pytest.mark.parametrize("kind", DeadlineKind)
def test_what_has_no_priority_yet_has_the_time_of_a_normal_one(kind: DeadlineKind) -> None:
    assert compute_due(kind, None, FRIDAY) == compute_due(kind, Priority.NORMAL, FRIDAY)


def test_a_working_day_ends_at_the_same_hour() -> None:
    late = FRIDAY.replace(hour=23, minute=59)

    assert compute_due(DeadlineKind.ACKNOWLEDGE, Priority.NORMAL, late) == late + timedelta(
        days=3
    )


def test_an_emergency_does_not_wait_for_monday() -> None:
    assert (
        compute_due(DeadlineKind.ACKNOWLEDGE, Priority.EMERGENCY, SATURDAY).weekday() == 5
    )
