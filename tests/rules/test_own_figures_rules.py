"""Tests of the rules for an office's own figures. The tests need no database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.figures.own_figures_rules import (
    MAX_DAYS,
    Period,
    PeriodInvalid,
    WorkAge,
    find_age,
    find_percentile,
    is_unusual,
)

TODAY = date(2026, 11, 29)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(1, 100))
def test_a_percentile_is_the_least_duration_that_covers_enough(
    values: list[int], percent: int
) -> None:
    found = find_percentile([timedelta(seconds=one) for one in sorted(values)], percent)
    assert found is not None
    wanted = percent * len(values)
    covering = [one for one in values if 100 * sum(v <= one for v in values) >= wanted]
    assert found.total_seconds() == min(covering)


def test_no_durations_have_no_percentile() -> None:
    assert find_percentile([], 50) is None


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, (date(2026, 10, 31), TODAY)),
        (None, date(2026, 1, 30), (date(2026, 1, 1), date(2026, 1, 30))),
        (TODAY, None, (TODAY, TODAY)),
        (date(2025, 11, 29), None, (date(2025, 11, 29), TODAY)),
    ],
)
def test_a_period_has_defaults(
    first: date | None, last: date | None, expected: tuple[date, date]
) -> None:
    period = Period.build(first, last, TODAY)
    assert (period.first, period.last) == expected
    assert (period.last - period.first).days < MAX_DAYS


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 11, 30), None),
        (date(2025, 11, 28), None),
        (date(1999, 12, 31), date(2000, 1, 1)),
        (None, date(3000, 1, 1)),
    ],
)
def test_a_wrong_period_is_refused(first: date | None, last: date | None) -> None:
    with pytest.raises(PeriodInvalid):
        Period.build(first, last, TODAY)


@pytest.mark.parametrize(
    ("late", "age"),
    [
        (timedelta(hours=-1), WorkAge.NOT_DUE),
        (timedelta(), WorkAge.NOT_DUE),
        (timedelta(microseconds=1), WorkAge.UNDER_ONE_DAY),
        (timedelta(days=1), WorkAge.ONE_TO_THREE_DAYS),
        (timedelta(days=3), WorkAge.THREE_TO_SEVEN_DAYS),
        (timedelta(days=7), WorkAge.OVER_SEVEN_DAYS),
    ],
)
def test_the_age_of_work_is_the_time_since_its_deadline(
    late: timedelta, age: WorkAge
) -> None:
    assert find_age(NOW - late, NOW) == age


@pytest.mark.parametrize(
    ("requests", "without_help", "unusual"),
    [(9, 9, False), (10, 10, True), (20, 10, True), (21, 10, False), (0, 0, False)],
)
def test_ten_requests_without_help_are_unusual_if_they_are_half_of_all(
    requests: int, without_help: int, unusual: bool
) -> None:
    assert is_unusual(requests, without_help) == unusual
