"""Tests of the time that is left after a pause, and of limits that a drill shortens."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deadlines.durations import Term, add_working_time, measure_working_time
from app.deadlines.limits import Limit, days, hours, months, working_days
from app.directory.calendars import Calendar, Place

ALMATY: Final = Place("Asia/Almaty", "KZ")
HAVANA: Final = Place("America/Havana", "CU")
# limit | paused at | due | resumed at | new due time | reason (in Almaty time)
PAUSES: Final = """
1 day   | 2026-06-05 17:00 | 2026-06-08 16:00 | 2026-06-10 09:00 | 2026-06-11 08:00 | 7 h of Friday, 16 of Monday
1 day   | 2026-06-05 17:00 | 2026-06-08 16:00 | 2026-06-12 12:00 | 2026-06-15 11:00 | 12 h of Friday, 11 of Monday
1 day   | 2026-06-06 15:00 | 2026-06-08 12:00 | 2026-06-10 09:00 | 2026-06-10 21:00 | paused on a Saturday: 12 h of Monday
1 day   | 2026-06-08 10:00 | 2026-06-08 16:00 | 2026-06-13 10:00 | 2026-06-15 06:00 | goes on on a Saturday: 6 h of Monday
5 days  | 2026-03-19 09:00 | 2026-03-30 09:00 | 2026-04-01 09:00 | 2026-04-07 09:00 | Thu, Fri, Nauryz, Thu, Fri: 4 days, none of them Nauryz
5 days  | 2026-03-11 09:00 | 2026-03-16 09:00 | 2026-03-20 09:00 | 2026-03-30 09:00 | 3 days: Friday, Nauryz, Thursday, Friday, Monday
24 h    | 2026-06-05 17:00 | 2026-06-06 15:00 | 2026-06-12 12:00 | 2026-06-13 10:00 | 22 h, day and night
14 d    | 2026-03-19 09:00 | 2026-03-30 09:00 | 2026-04-01 09:00 | 2026-04-12 09:00 | 11 days as they come
1 day   | 2026-06-09 17:00 | 2026-06-08 16:00 | 2026-06-10 09:00 | 2026-06-10 09:00 | it was late: due at once
"""  # noqa: E501 - one pause a line
ROWS: Final = [
    [cell.strip() for cell in line.split("|")] for line in PAUSES.strip().splitlines()
]


def parse_almaty(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+05:00").astimezone(UTC)


def limit_of(text: str) -> Limit:
    count, unit = text.split()
    return {"h": hours, "d": days}.get(unit, working_days)(int(count))


@pytest.mark.parametrize("row", ROWS, ids=[row[-1] for row in ROWS])
def test_a_pause_takes_nothing_and_gives_nothing(row: list[str]) -> None:
    limit, stopped, due, goes_on, until, _ = row
    term = Term(limit_of(limit), ALMATY)

    resumed = term.compute_resumed_due(
        parse_almaty(stopped), parse_almaty(due), parse_almaty(goes_on)
    )

    assert resumed == parse_almaty(until)


moments = st.integers(0, 400 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=minutes)
)
calendars = st.sampled_from(
    [
        Calendar(),
        Calendar("Asia/Tashkent"),
        ALMATY.get_calendar(datetime(2026, 6, 1, tzinfo=UTC)),
    ]
)


@given(calendars, moments, st.integers(1, 20))
def test_whoever_goes_on_at_once_is_due_as_if_nothing_had_been(
    calendar: Calendar, start: datetime, count: int
) -> None:
    due = working_days(count).compute_end(start, calendar)

    left = measure_working_time(start, due, calendar)

    assert add_working_time(start, left, calendar) == due


@given(calendars, moments, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_time_that_is_left_ends_on_a_working_day(
    calendar: Calendar, start: datetime, left: timedelta
) -> None:
    end = add_working_time(start, left, calendar)

    assert calendar.is_working_day(calendar.to_local(end).date())
    assert measure_working_time(start, end, calendar) == left
    assert end - start >= left


LIMITS: Final = [hours(1), days(14), months(24), working_days(5)]


@pytest.mark.parametrize("limit", LIMITS, ids=str)
@given(moments)
def test_every_limit_ends_later_than_it_begins_also_where_clocks_change(
    limit: Limit, start: datetime
) -> None:
    assert Term(limit, HAVANA).compute_end(start) > start


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_a_drill_divides_every_limit_by_its_speed(limit: Limit) -> None:
    start = datetime(2026, 3, 20, 11, tzinfo=UTC)
    usual = Term(limit, ALMATY).compute_end(start) - start

    drilled = Term(limit, ALMATY, speed=60).compute_end(start) - start

    assert drilled == usual / 60


def test_in_a_drill_a_pause_counts_seconds_not_week_ends() -> None:
    term = Term(working_days(1), ALMATY, speed=1440)
    friday, later = parse_almaty("2026-06-05 23:59"), parse_almaty("2026-06-06 10:00")

    resumed = term.compute_resumed_due(friday, friday + timedelta(minutes=2), later)

    assert resumed == later + timedelta(minutes=2)
