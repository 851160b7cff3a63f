"""A rule that needs no database, tested with a table of examples and with a property.

The rule: an office misses a deadline if it does not answer in time. If it still does not
answer, it misses the deadline again after the same time. After the third miss, a desk gets
the case too, and further misses are counted once a week.

Such tests belong to tests/rules. They run first and are the quickest to write. A table of
examples says what the rule is; a property says what is true for all values.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deadlines.miss_counts import Rhythm, compute_next_miss, count_misses

DUE = datetime(2026, 6, 1, 15, tzinfo=UTC)
THREE_HOURS = Rhythm(length=timedelta(hours=3), then=timedelta(days=7))


@pytest.mark.parametrize(
    ("after", "count"),
    [
        (timedelta(seconds=-1), 0),
        (timedelta(0), 1),
        (timedelta(hours=3), 2),
        (timedelta(hours=6), 3),
        (timedelta(hours=9), 3),  # weekly from here on
        (timedelta(days=7, hours=6), 4),
    ],
)
def test_three_silences_count_by_the_deadline_and_the_next_by_the_week(
    after: timedelta, count: int
) -> None:
    assert count_misses(DUE, THREE_HOURS, DUE + after) == count


@given(st.timedeltas(timedelta(0), timedelta(days=400)))
def test_the_next_silence_is_always_to_come(after: timedelta) -> None:
    now = DUE + after

    count = count_misses(DUE, THREE_HOURS, now)

    assert compute_next_miss(DUE, THREE_HOURS, count) > now
    assert (
        count_misses(DUE, THREE_HOURS, compute_next_miss(DUE, THREE_HOURS, count))
        == count + 1
    )
