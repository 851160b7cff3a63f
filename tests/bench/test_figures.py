"""Tests of the figures that are computed from measurements."""

import pytest

from tests.bench.against import Change
from tests.bench.figures import (
    NOISE_LIMIT,
    Comparison,
    Round,
    Slice,
    compute_percentile,
    is_noisy,
)
from tests.bench.goals import GROWTH, TAIL, Goal, Verdict, assess
from tests.bench.profiling import count_samples, get_library
from tests.bench.report import format_changes
from tests.bench.sides import Kind


def make_slice(rps: float, each: float) -> Slice:
    """Return a slice of one second with `rps` requests of `each` microseconds of CPU."""
    count = round(rps)
    waits = tuple(number / 1000 for number in range(1, count + 1))
    return Slice(1.0, waits, each * count / 1e6, 0)


def make_round(floor: float, product: float, again: float) -> Round:
    """Return a round with the given rates, in which CPU time and elapsed time are equal."""
    found = (floor, product, again)
    return Round(*(make_slice(rps, 1e6 / rps) for rps in found))


def test_percentile_is_a_measured_value() -> None:
    hundred = [float(value) for value in range(100, 0, -1)]

    assert compute_percentile(hundred, 50) == 50
    assert compute_percentile(hundred, 99) == 99
    assert compute_percentile([3.0], 99) == 3
    assert compute_percentile([1.0, 2.0], 99) == 2


def test_slice_computes_cost_of_a_request() -> None:
    assert make_slice(200, 400).rps == 200
    assert make_slice(200, 400).each == pytest.approx(400)


def test_product_is_compared_with_floor_before_and_after() -> None:
    drifting = make_round(100, 55, 121)

    assert drifting.by_rps == pytest.approx(0.5)
    assert drifting.by_cpu == pytest.approx(0.5)


def test_tree_that_costs_a_quarter_is_shown_as_a_quarter() -> None:
    found = Comparison((make_round(100, 400, 100), make_round(10, 40, 10)))

    [_, _, row] = format_changes([Change("SQLite", Kind.P, found)]).splitlines()

    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:2] == ["SQLite", "P poll"]
    assert cells[4:6] == ["0.250", "0.0%"]


def test_one_bad_round_does_not_change_the_median() -> None:
    rounds = (*[make_round(100, 50, 100)] * 4, make_round(100, 5, 100))

    assert Comparison(rounds).by_rps == pytest.approx(0.5)


def test_p99_covers_all_rounds() -> None:
    quick, slow = make_slice(100, 100), Slice(1.0, (9.0,) * 100, 0.01, 0)
    rounds = (Round(quick, quick, quick), Round(quick, slow, quick))

    assert Comparison(rounds).product.p99 == 9


def test_floor_that_differs_from_itself_is_noisy() -> None:
    calm = Comparison((make_round(100, 50, 104),))
    wild = Comparison((make_round(100, 50, 107),))

    assert calm.noise < NOISE_LIMIT < wild.noise
    assert not is_noisy([calm, calm])
    assert is_noisy([calm, wild])


def test_noise_does_not_depend_on_order() -> None:
    up, down = (
        Comparison((make_round(100, 50, 110),)),
        Comparison((make_round(110, 50, 100),)),
    )

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
def test_ratio_to_floor_reaches_goal_from_above(found: float, verdict: Verdict) -> None:
    assert assess(Goal(0.45, 0.60), found, noisy=False) == verdict


def test_duration_ratio_reaches_goal_from_below() -> None:
    assert assess(TAIL, 10.1, noisy=False) == Verdict.MISSED
    assert assess(TAIL, 10, noisy=False) == Verdict.REACHED
    assert assess(TAIL, 4, noisy=False) == Verdict.EXTREME
    assert assess(GROWTH, 1.16, noisy=False) == Verdict.MISSED
    assert assess(GROWTH, 1.15, noisy=False) == Verdict.REACHED


def test_noisy_run_is_not_judged() -> None:
    assert assess(Goal(0.45, 0.60), 0.01, noisy=True) == Verdict.NOISY
    assert assess(None, 0.01, noisy=True) == Verdict.FREE


def test_sample_counts_once_for_each_function() -> None:
    alone, within, total = count_samples(["main;work;work 3", "main;wait 1"])

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
def test_frame_belongs_to_its_library(frame: str, library: str) -> None:
    assert get_library(frame) == library
