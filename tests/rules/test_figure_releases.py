"""Tests of the release of a quarter: its periods, rounding, totals and noise."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.figures.catalogue import NOT_RECORDED, TABLES, Age, Assistance, Gender, TableName
from app.figures.numbers import compute_rounded, is_large_enough
from app.figures.possible_values import UNLIMITED, Limits, Search
from app.figures.releases import Figures, QuarterCounts, build_release, list_cells
from app.figures.weeks import Quarter
from tests.support.figure_attack import (
    QUARTERS,
    build_series,
    derive_test_noise,
    generate_counts,
)

FIRST, SECOND, THIRD, FOURTH = QUARTERS[:4]
CASES = (TableName.CASES, ())
WOMEN = (TableName.AGE_AND_GENDER, (Age.ADULT, Gender.FEMALE))
CHILDREN = (TableName.AGE_AND_GENDER, (Age.CHILD,))


def get_no_noise(_words: tuple[str, ...]) -> int:
    return 0


def make_counts(
    people: Mapping[str, tuple[int, int]],
) -> dict[tuple[str, TableName], Counter[tuple[str, ...]]]:
    """Return counts of women and girls by country, all helped within a day."""
    counts: dict[tuple[str, TableName], Counter[tuple[str, ...]]] = {}
    for country, (women, girls) in people.items():
        both = women + girls
        counts[country, TableName.CASES] = Counter({(): both})
        counts[country, TableName.AGE_AND_GENDER] = Counter(
            {(Age.ADULT, Gender.FEMALE): women, (Age.CHILD, Gender.FEMALE): girls}
        )
        counts[country, TableName.ASSISTANCE] = Counter(
            {(Assistance.WITHIN_24_HOURS,): both}
        )
    return counts


def release(
    quarter: Quarter,
    counts: Mapping[Quarter, QuarterCounts],
    shown_before: set[tuple[str, Quarter]] | None = None,
) -> list[Figures]:
    return build_release(
        quarter, counts, shown_before=shown_before or set(), derive_noise=get_no_noise
    )


def test_country_with_few_people_is_not_in_the_release() -> None:
    counts = {FIRST: make_counts({"UZ": (40, 20), "KZ": (6, 6), "TJ": (0, 0)})}

    [figures] = release(FIRST, counts)

    assert (figures.country, figures.quarters) == ("UZ", (FIRST,))
    assert figures.numbers[CASES] == 60


def test_small_quarters_of_a_year_are_shown_together_once() -> None:
    small = make_counts({"UZ": (5, 2)})
    counts = {FIRST: small, SECOND: make_counts({"UZ": (40, 20)}), THIRD: small}

    assert release(FIRST, counts) == release(THIRD, counts) == []
    [rest] = release(FOURTH, counts | {FOURTH: small}, {("UZ", SECOND)})

    assert rest.quarters == (FIRST, THIRD, FOURTH)
    assert rest.numbers[CASES] == 20


def test_single_small_quarter_is_never_shown() -> None:
    large = make_counts({"UZ": (40, 20)})
    counts = {
        FIRST: make_counts({"UZ": (5, 2)}),
        SECOND: large,
        THIRD: large,
        FOURTH: large,
    }

    [figures] = release(FOURTH, counts, {("UZ", SECOND), ("UZ", THIRD)})

    assert figures.quarters == (FOURTH,)


def test_rest_of_year_with_few_people_is_not_shown() -> None:
    few = make_counts({"UZ": (2, 1)})

    assert release(FOURTH, dict.fromkeys(QUARTERS[:4], few)) == []


def test_several_countries_have_totals_and_one_has_none() -> None:
    counts = {FIRST: make_counts({"UZ": (40, 20), "KZ": (30, 25)})}

    *countries, together = release(FIRST, counts)

    assert [figures.country for figures in countries] == ["KZ", "UZ"]
    assert together.country is None
    assert together.numbers[CASES] == 115


@pytest.mark.parametrize("seed", range(5))
def test_no_person_is_counted_in_two_releases(seed: int) -> None:
    series = build_series(generate_counts(seed), derive_test_noise(str(seed)))
    shown = [
        (figures.country, quarter)
        for released in series.values()
        for figures in released
        for quarter in figures.quarters
    ]

    assert len(set(shown)) == len(shown) > 4


def test_noise_of_a_number_is_the_same_in_each_computation() -> None:
    counts, noise = generate_counts(3), derive_test_noise("key")

    assert build_series(counts, noise) == build_series(counts, noise)
    assert build_series(counts, noise) != build_series(counts, derive_test_noise("other"))


def test_number_from_which_a_small_count_follows_is_hidden() -> None:
    """The number of women is hidden, because it would reveal that no girl was counted."""
    noise = {CASES[0]: 2, WOMEN[0]: -2}
    counts = {FIRST: make_counts({"UZ": (60, 0)})}

    [figures] = build_release(
        FIRST,
        counts,
        shown_before=set(),
        derive_noise=lambda words: noise.get(TableName(words[2]), 0),
    )

    assert figures.numbers[CASES] == 60
    assert figures.numbers[CHILDREN] is None
    assert figures.numbers[WOMEN] is None
    assert figures.numbers[TableName.AGE_AND_GENDER, (Age.ADULT,)] is None


def test_tables_that_count_different_people_are_refused() -> None:
    counts = make_counts({"UZ": (40, 20)})
    counts["UZ", TableName.CASES][()] += 1

    with pytest.raises(ValueError, match="UZ"):
        release(FIRST, {FIRST: counts})


def test_each_table_shows_its_cells_after_their_subtotals() -> None:
    ages = list_cells(TableName.AGE_AND_GENDER)

    assert ages[:2] == [(Age.ADULT,), (Age.ADULT, Gender.FEMALE)]
    assert len(ages) == 2 + 8
    for name in set(TABLES) - {TableName.AGE_AND_GENDER, TableName.EXPLOITATION}:
        assert list_cells(name) == list(TABLES[name].cells)


def test_people_without_a_recorded_form_are_not_shown() -> None:
    forms = list_cells(TableName.EXPLOITATION)

    assert forms == [
        c for c in TABLES[TableName.EXPLOITATION].cells if c != (NOT_RECORDED,)
    ]


@given(st.integers(0, 200), st.integers(-20, 8))
def test_each_shown_number_stands_for_five_counts(count: int, noise: int) -> None:
    value = compute_rounded(count + noise)
    alike = [n for n in range(-100, 400) if compute_rounded(n + noise) == value]

    assert is_large_enough(count, noise) == (value >= 15)
    assert value % 5 == 0
    assert len(alike) == 5


@given(st.data())
def test_possible_values_of_a_small_network_are_those_of_trying_all(
    data: st.DataObject,
) -> None:
    """In a two-by-two table, the search finds as many values as a trial of all values."""
    parts = data.draw(st.lists(st.integers(0, 3), min_size=4, max_size=4))
    slack = data.draw(st.lists(st.integers(0, 2), min_size=8, max_size=8))
    a, b, c, d = parts
    counts = [a, b, c, d, a + b, c + d, a + c, b + d]
    ends = [("r1", "c1"), ("r1", "c2"), ("r2", "c1"), ("r2", "c2")]
    ends += [("s", "r1"), ("s", "r2"), ("c1", "s"), ("c2", "s")]
    arcs = [
        Limits((tail,), (head,), max(0, count - less), count + more)
        for (tail, head), count, less, more in zip(
            ends, counts, slack, reversed(slack), strict=True
        )
    ]
    found = Search(arcs, counts).count_values(0, needed=20).number

    ranges = [range(arc.low, arc.high + 1) for arc in arcs]
    tried = {
        w
        for w in ranges[0]
        for x in ranges[1]
        for y in ranges[2]
        for z in ranges[3]
        if all(
            total in allowed
            for total, allowed in zip((w + x, y + z, w + y, x + z), ranges[4:], strict=True)
        )
    }
    assert found == len(tried)


def test_sum_that_is_not_limited_limits_nothing() -> None:
    arcs = [
        Limits(("a",), ("b",), 0, UNLIMITED),
        Limits(("b",), ("a",), 0, UNLIMITED),
    ]

    assert Search(arcs, [3, 3]).count_values(0, needed=5).number == 5
