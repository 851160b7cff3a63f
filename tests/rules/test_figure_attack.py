"""Attacks on released figures: a reader must not learn a count of fewer than 11 people.

The reader has all releases of two years of invented people, and bounds each small count by
an integer program. The reader knows the method, and the noise of each shown number.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from app.consents.noise import SCALE
from app.figures import releases
from app.figures.catalogue import TABLES, TableName
from app.figures.numbers import (
    LARGEST_NOISE,
    STEP,
    compute_rounded,
    is_large_enough,
)
from tests.support.effort import choose_number
from tests.support.figure_attack import (
    SUBSETS,
    Attack,
    Sum,
    compute_difference,
    derive_test_noise,
    start_attack,
)

DECISIONS: Final = Path(__file__).parents[2] / "docs" / "adr"
SEEDS = range(choose_number(2, sample=1, night=200))


@pytest.mark.parametrize("seed", SEEDS)
def test_each_small_count_can_have_five_values(seed: int) -> None:
    attack, series = start_attack(seed)
    targets = list(attack.list_targets(series.values()))

    assert len(targets) > 1000
    assert attack.find_bounded(targets) == []


def test_without_complementary_suppression_small_counts_follow_from_sums(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(releases, "remove_revealing", lambda *_: True)
    attack, series = start_attack(1)
    found = attack.find_bounded(attack.list_targets(series.values()))

    assert len(found) > 5
    for terms, low, high in found:
        assert low <= attack.compute(terms) <= high < low + 4


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_certain_about_a_person_who_is_known_to_be_counted(seed: int) -> None:
    """The number of people outside of a cell, if below 11, can have five or more values."""
    attack, _ = start_attack(seed)
    others = [terms for terms in list_others(attack) if attack.compute(terms) < 11]

    assert others
    assert attack.find_bounded(others) == []


def list_others(attack: Attack) -> Iterator[Sum]:
    """Yield the sum of the people outside of a cell, for each cell of a table of people."""
    for quarter, counts in attack.counts.items():
        for country, table in counts:
            people = attack.collect_cells(country, quarter, TableName.CASES)
            for cell in TABLES[table].cells:
                part = attack.collect_cells(country, quarter, table, cell)
                if table in SUBSETS:
                    yield compute_difference(people, part)
                elif table in {TableName.AGE_AND_GENDER, TableName.ASSISTANCE}:
                    whole = attack.collect_cells(country, quarter, table)
                    rest = {v: 1 for v in whole if v not in part}
                    yield rest


@pytest.mark.parametrize("padding", [0, 10, 11, 13, 15, 20])
def test_insider_who_adds_people_cannot_tell_one_person_from_none(padding: int) -> None:
    """From one shown number, the insider guesses right less than 65 % of the time."""
    seen = {real: draw_shown(real + padding) for real in (0, 1)}
    right = sum(max(seen[0][shown], seen[1][shown]) for shown in seen[0] | seen[1])

    assert right / seen[0].total() / 2 < 0.65


def compute_shares(count: int) -> dict[int, float]:
    """Return the probability of each number that is shown for a large count."""
    ratio, found = math.exp(-1 / SCALE), defaultdict[int, float](float)
    for noise in range(-60, 61):
        share = (1 - ratio) / (1 + ratio) * ratio ** abs(noise)
        found[compute_rounded(count + min(LARGEST_NOISE, noise))] += share
    return found


def compute_success(numbers: int) -> float:
    """Return how often an insider guesses right from several numbers together.

    The insider has added people until each number lies on the edge of its rounding, and
    decides by the likelihood ratio of all numbers whether a known person is counted.
    """
    edge = 100 + STEP // 2
    without, counted = compute_shares(edge), compute_shares(edge + 1)
    sums = {0.0: (1.0, 1.0)}
    for _ in range(numbers):
        added = defaultdict[float, tuple[float, float]](lambda: (0.0, 0.0))
        for (ratio, shares), shown in product(sums.items(), {*without} & {*counted}):
            zero, one = without[shown], counted[shown]
            key = round(ratio + math.log(one / zero), 6)
            was = added[key]
            added[key] = (was[0] + shares[0] * zero, was[1] + shares[1] * one)
        sums = added
    return sum(max(shares) for shares in sums.values()) / 2


@pytest.mark.parametrize(
    ("numbers", "percent"), [(1, 62), (14, 82), (17, 85), (24, 89), (40, 94), (102, 99)]
)
def test_all_numbers_of_a_person_tell_as_much_as_the_decision_record_says(
    numbers: int, percent: int
) -> None:
    """A service that was asked for and given counts in four numbers of a release."""
    row = f"| {numbers} | {percent} % |"

    assert round(100 * compute_success(numbers)) == percent
    assert row in (DECISIONS / "0074-what-a-release-of-figures-shows.md").read_text("utf-8")


def test_insider_who_adds_many_people_learns_no_single_count() -> None:
    """More than 90 % of the shown numbers are possible for each real count from 0 to 10."""
    seen = [draw_shown(real + 15) for real in range(11)]
    common = set(seen[0]).intersection(*seen)
    share = sum(found[shown] for found in seen for shown in common)

    assert share / sum(found.total() for found in seen) > 0.9


def draw_shown(count: int) -> Counter[int | None]:
    """Return how many times each number or None is shown for a count with random noise."""
    derive = derive_test_noise("padding")
    draws = choose_number(20_000, sample=5_000)
    noises = (min(LARGEST_NOISE, derive((str(n),))) for n in range(draws))
    return Counter(
        compute_rounded(count + noise) if is_large_enough(count, noise) else None
        for noise in noises
    )


def test_noise_is_a_discrete_laplace_distribution() -> None:
    """The mean deviation is near that of the scale 2, and 1 is about as frequent as -1."""
    derive = derive_test_noise("distribution")
    found = Counter(derive((str(n),)) for n in range(20_000))
    mean = sum(abs(noise) * times for noise, times in found.items()) / found.total()
    ratio = math.exp(-0.5)

    assert mean == pytest.approx(2 * ratio / (1 - ratio**2), rel=0.05)
    assert found[1] == pytest.approx(found[-1], rel=0.1)
