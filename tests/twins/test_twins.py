"""Tests that offices observe the same, whatever happens in cases of other people (ADR 89).

`make twins` plays many seeds, on both databases.
"""

from random import Random
from typing import Final

import pytest

from tests.support.effort import Run, choose_number
from tests.twins.cells import CELLS, NEVER_OBSERVABLE, OBSERVABLE
from tests.twins.play import Stage, draw_plan, play_seed

MANY: Final = choose_number(12, sample=4, night=len(CELLS))
"""The number of seeds. Consecutive seeds take the cells of the table in turn."""


def list_seeds() -> list[int]:
    """Return consecutive seeds from one that this run draws."""
    first = Random(Run.seed).randrange(1_000)
    return list(range(first, first + MANY))


@pytest.mark.slow
@pytest.mark.parametrize("seed", list_seeds())
def test_coalition_observes_the_same_in_both_worlds(stage: Stage, seed: int) -> None:
    result = play_seed(stage, seed)

    assert result.answers > 100
    assert result.accepted > 0
    assert result.difference is None, result.difference.describe()


def test_seeds_take_all_cells_in_turn() -> None:
    plans = [draw_plan(seed) for seed in range(len(CELLS))]

    assert {plan.cells[0] for plan in plans} == set(CELLS)
    assert all(len(set(plan.variants)) == 2 for plan in plans)


def test_no_shelter_country_or_border_is_listed_as_observable() -> None:
    assert {one.secret for one in OBSERVABLE} & NEVER_OBSERVABLE == set()
