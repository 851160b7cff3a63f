"""What is worked out of what was measured."""

import pytest

from tests.bench.figures import AGREE, Comparison, Round, Slice, is_noisy, percentile
from tests.bench.goals import GROWTH, TAIL, Goal, Verdict, judged
from tests.bench.profiling import counted, library_of


def slice_of(rps: float, each: float) -> Slice:
    """A second at so many requests, each of so many microseconds of CPU."""
    count = round(rps)
    waits = tuple(number / 1000 for number in range(1, count + 1))
    return Slice(1.0, waits, each * count / 1e6, 0)


def one_of(floor: float, product: float, again: float) -> Round:
    """A round in which CPU costs what time does."""
    found = (floor, product, again)
    return Round(*(slice_of(rps, 1e6 / rps) for rps in found))


def test_a_percentile_is_a_value_that_was_measured() -> None:
    hundred = [float(value) for value in range(100, 0, -1)]

    assert percentile(hundred, 50) == 50
    assert percentile(hundred, 99) == 99
    assert percentile([3.0], 99) == 3
    assert percentile([1.0, 2.0], 99) == 2


def test_a_slice_says_what_one_request_costs() -> None:
    assert slice_of(200, 400).rps == 200
    assert slice_of(200, 400).each == pytest.approx(400)


def test_the_product_is_a_part_of_the_floor_on_both_sides_of_it() -> None:
    drifting = one_of(100, 55, 121)

    assert drifting.by_rps == pytest.approx(0.5)
    assert drifting.by_cpu == pytest.approx(0.5)


def test_one_bad_round_of_five_changes_nothing() -> None:
    rounds = (*[one_of(100, 50, 100)] * 4, one_of(100, 5, 100))

    assert Comparison(rounds).by_rps == pytest.approx(0.5)


def test_the_slowest_of_all_rounds_count_for_p99() -> None:
    quick, slow = slice_of(100, 100), Slice(1.0, (9.0,) * 100, 0.01, 0)
    rounds = (Round(quick, quick, quick), Round(quick, slow, quick))

    assert Comparison(rounds).product.p99 == 9


def test_a_floor_that_differs_from_itself_is_noise() -> None:
    calm = Comparison((one_of(100, 50, 104),))
    wild = Comparison((one_of(100, 50, 107),))

    assert calm.noise < AGREE < wild.noise
    assert not is_noisy([calm, calm])
    assert is_noisy([calm, wild])


def test_noise_is_noise_whichever_came_first() -> None:
    up, down = Comparison((one_of(100, 50, 110),)), Comparison((one_of(110, 50, 100),))

    assert up.noise == down.noise == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (0.44, Verdict.MISSED),
        (0.45, Verdict.REACHED),
        (0.59, Verdict.REACHED),
        (0.60, Verdict.EXTREME),
    ],
)
def test_a_part_of_the_floor_should_be_at_least_its_goal(
    found: float, verdict: Verdict
) -> None:
    assert judged(Goal(0.45, 0.60), found, noisy=False) == verdict


def test_times_should_be_at_most_their_goal() -> None:
    assert judged(TAIL, 10.1, noisy=False) == Verdict.MISSED
    assert judged(TAIL, 10, noisy=False) == Verdict.REACHED
    assert judged(TAIL, 4, noisy=False) == Verdict.EXTREME
    assert judged(GROWTH, 1.16, noisy=False) == Verdict.MISSED
    assert judged(GROWTH, 1.15, noisy=False) == Verdict.REACHED


def test_a_noisy_run_judges_nothing() -> None:
    assert judged(Goal(0.45, 0.60), 0.01, noisy=True) == Verdict.NOISY
    assert judged(None, 0.01, noisy=True) == Verdict.FREE


def test_samples_are_counted_for_each_function_once() -> None:
    alone, within, total = counted(["main;work;work 3", "main;wait 1"])

    assert total == 4
    assert alone == {"work": 3, "wait": 1}
    assert within == {"main": 4, "work": 3, "wait": 1}


@pytest.mark.parametrize(
    ("frame", "library"),
    [
        ("begin (app/kernel/db.py:177)", "app"),
        ("Session.get (sqlalchemy/orm/session.py:3888)", "sqlalchemy"),
        ("UUID.__init__ (uuid.py:142)", "python"),
        ("Runner.run (asyncio/runners.py:86)", "python"),
        ("inner (<string>:2)", "python"),
    ],
)
def test_a_function_is_of_its_library(frame: str, library: str) -> None:
    assert library_of(frame) == library
