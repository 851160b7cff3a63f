"""A failed message is sent again after growing, random pauses, until it is given up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deadlines.limits import Priority
from app.outbox.pacing import (
    GIVE_UP_WEIGHT,
    LONGEST_PAUSE,
    LONGEST_TRY,
    WEIGHT,
    Outcome,
    compute_pause,
    compute_window,
    get_earliest,
    is_given_up,
)
from app.settings import Settings

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WEIGHTS, LUCK = st.integers(0, 10_000), st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("weight", "least", "most"),
    [(1, 15, 30), (2, 30, 60), (3, 60, 120), (4, 120, 240), (5, 150, 300), (70, 150, 300)],
)
def test_a_pause_doubles_up_to_five_minutes(weight: int, least: int, most: int) -> None:
    assert compute_pause(weight, 0) == timedelta(seconds=least)
    assert compute_pause(weight, 1) == timedelta(seconds=most)


@given(WEIGHTS, LUCK, LUCK)
def test_a_pause_is_never_none_nor_endless_and_luck_spreads_it(
    weight: int, one: float, other: float
) -> None:
    short, long = sorted([compute_pause(weight, one), compute_pause(weight, other)])

    assert timedelta(seconds=15) <= short <= long <= LONGEST_PAUSE
    assert compute_pause(weight, min(one, other)) == short


@given(WEIGHTS, LUCK)
def test_no_pause_is_shorter_than_the_one_before(weight: int, luck: float) -> None:
    assert compute_pause(weight, luck) <= compute_pause(weight + 1, luck)


@pytest.mark.parametrize(
    ("outcome", "tries"),
    [(Outcome.REFUSED, 72), (Outcome.UNKNOWN, 12), (Outcome.REJECTED, 3)],
)
def test_what_is_refused_for_good_is_given_up_sooner(outcome: Outcome, tries: int) -> None:
    assert not is_given_up(WEIGHT[outcome] * (tries - 1))
    assert is_given_up(WEIGHT[outcome] * tries)


def test_of_a_server_that_refuses_nine_of_ten_almost_everything_is_taken() -> None:
    assert 0.9**GIVE_UP_WEIGHT < 1 / 1900


def test_a_server_that_is_down_for_some_hours_loses_nothing() -> None:
    hurried = sum(
        (compute_pause(weight, 0) for weight in range(1, GIVE_UP_WEIGHT)), timedelta()
    )
    usual = sum(
        (compute_pause(weight, 0.5) for weight in range(1, GIVE_UP_WEIGHT)), timedelta()
    )

    assert hurried > timedelta(hours=2, minutes=45)
    assert usual > timedelta(hours=4)


@pytest.mark.parametrize(
    ("urgency", "minutes"),
    [(Priority.EMERGENCY, 15), (Priority.URGENT, 30), (Priority.NORMAL, 60)],
)
def test_what_is_urgent_may_call_again_sooner(urgency: Priority, minutes: int) -> None:
    assert compute_window(timedelta(hours=1), urgency) == timedelta(minutes=minutes)
    assert get_earliest(NOON, timedelta(hours=1), urgency) == NOON + timedelta(
        minutes=minutes
    )
    assert get_earliest(None, timedelta(hours=1), urgency) is None


def test_no_window_that_can_be_set_is_shorter_than_a_try() -> None:
    [least] = [
        limit.ge
        for limit in Settings.model_fields["notice_window_minutes"].metadata
        if hasattr(limit, "ge")
    ]

    assert compute_window(timedelta(minutes=least), Priority.EMERGENCY) >= LONGEST_TRY
