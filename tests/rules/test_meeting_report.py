"""Tests of the report for a meeting: sums, changes, shares, periods, and gaps."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product

import pytest

from app.consents.noise import SCALE
from app.figures.catalogue import TableName
from app.figures.comparison import (
    RATIO,
    Change,
    Share,
    ShownSum,
    compare_counts,
    compare_shares,
    compute_margin,
)
from app.figures.meeting_report import (
    Comparison,
    ReportPeriodInvalid,
    ReportPeriods,
    build_figures,
    build_period,
    build_shares,
)
from app.figures.numbers import STEP, compute_rounded
from app.figures.release_schemas import CellFigure, CountryFigures, TableFigures
from app.figures.report_schemas import ComparedCell, Measure, ReportQuery
from app.figures.weeks import Quarter

Q1, Q2, Q3, Q4 = (Quarter(2026, number) for number in (1, 2, 3, 4))
LATEST = Q4
type Cells = dict[tuple[TableName, tuple[str, ...]], int | None]
CELLS: Cells = {
    (TableName.CASES, ()): 100,
    (TableName.ASSISTANCE, ("within_24_hours",)): 20,
    (TableName.ASSISTANCE, ("within_72_hours",)): 30,
    (TableName.SERVICES_ASKED, ("SHELTER",)): 80,
    (TableName.SERVICES_GIVEN, ("SHELTER",)): 60,
}


def make_figures(
    cells: Cells, *quarters: Quarter, country: str | None = "KZ"
) -> CountryFigures:
    """Return the figures of a country, as a release contains them."""
    return CountryFigures(
        country=country,
        quarters=[str(quarter) for quarter in quarters],
        tables=[
            TableFigures(table=table, cells=[CellFigure(codes=list(codes), people=people)])
            for (table, codes), people in cells.items()
        ],
    )


def build_comparison(
    released: Mapping[Quarter, Sequence[CountryFigures]], first: str = "2026Q3"
) -> Comparison:
    """Compare the quarters from `first` to 2026Q4 with as many quarters before them."""
    query = ReportQuery.model_validate({"from": first, "to": "2026Q4"})
    return Comparison.build(ReportPeriods.build(query, LATEST), released)


def release_each(changes: Mapping[Quarter, Cells]) -> dict[Quarter, list[CountryFigures]]:
    """Return the figures of each quarter of 2026, with the changed numbers in `changes`."""
    return {
        quarter: [make_figures({**CELLS, **changes.get(quarter, {})}, quarter)]
        for quarter in (Q1, Q2, Q3, Q4)
    }


def find_cell(comparison: Comparison, table: TableName, *codes: str) -> ComparedCell:
    [country] = build_figures(comparison)
    [found] = [one for one in country.tables if one.table == table]
    return next(cell for cell in found.cells if cell.codes == list(codes))


def test_sum_adds_the_numbers_of_the_quarters_of_a_period() -> None:
    people = TableName.CASES, ()
    comparison = build_comparison(release_each({Q3: {people: 150}, Q4: {people: 200}}))

    cell = find_cell(comparison, TableName.CASES)

    assert (cell.earlier.people, cell.later.people) == (200, 350)
    assert cell.earlier.not_shown == cell.later.not_shown == []
    assert cell.change == Change.HIGHER


def test_sum_with_a_number_that_is_not_shown_says_so_and_has_no_change() -> None:
    comparison = build_comparison(release_each({Q4: {(TableName.CASES, ()): None}}))

    cell = find_cell(comparison, TableName.CASES)

    assert (cell.later.people, cell.later.not_shown) == (100, ["2026Q4"])
    assert cell.change is None
    assert {share.measure for share in build_shares(comparison)} == {Measure.SERVICE_GIVEN}


def test_quarter_without_a_release_is_named_and_its_numbers_are_missing() -> None:
    released = release_each({})
    del released[Q1]
    comparison = build_comparison(released)

    period = build_period(comparison.periods.earlier, released)
    cell = find_cell(comparison, TableName.CASES)

    assert (period.quarters, period.missing) == (["2026Q1", "2026Q2"], ["2026Q1"])
    assert cell.earlier.not_shown == ["2026Q1"]
    assert cell.change is None


def test_quarters_that_are_added_up_count_only_in_a_period_that_has_them_all() -> None:
    small = make_figures({(TableName.CASES, ()): 20}, Q1, Q3)
    released = {Q4: [small], **dict.fromkeys((Q1, Q2, Q3), ())}

    assert build_figures(build_comparison(released)) == []
    year = ReportQuery.model_validate({"from": "2026Q1", "to": "2026Q4"})
    comparison = Comparison.build(ReportPeriods.build(year, LATEST), released)
    cell = find_cell(comparison, TableName.CASES)
    assert (cell.later.people, cell.later.not_shown) == (20, ["2026Q2", "2026Q4"])


def test_totals_of_different_countries_are_not_compared() -> None:
    total: Cells = {(TableName.CASES, ()): 100}
    released = {
        quarter: [make_figures(total, quarter), make_figures(total, quarter, country=None)]
        for quarter in (Q1, Q2, Q3, Q4)
    }
    same = build_figures(build_comparison(released))[-1]
    released[Q4].insert(1, make_figures(total, Q4, country="UZ"))
    *_, other = build_figures(build_comparison(released))

    assert same.country is other.country is None
    assert same.tables[0].cells[0].change == Change.SIMILAR
    assert other.tables[0].cells[0].change is None


def test_share_adds_the_cells_of_help_within_a_time() -> None:
    comparison = build_comparison(release_each({}))

    found = {share.measure: share for share in build_shares(comparison)}

    assert found[Measure.HELPED_WITHIN_24_HOURS].later.percent == 20
    assert found[Measure.HELPED_WITHIN_72_HOURS].later.percent == 50
    assert Measure.HELPED_WITHIN_7_DAYS not in found
    given = found[Measure.SERVICE_GIVEN]
    assert (given.service, given.later.part, given.later.whole) == ("SHELTER", 120, 160)


def test_higher_share_is_told_from_a_larger_number_of_people() -> None:
    twice: Cells = {key: 2 * (people or 0) for key, people in CELLS.items()}
    faster: Cells = {(TableName.ASSISTANCE, ("within_24_hours",)): 70}

    grown = build_shares(build_comparison(release_each(dict.fromkeys((Q3, Q4), twice))))
    found = build_shares(build_comparison(release_each(dict.fromkeys((Q3, Q4), faster))))

    assert {share.change for share in grown} == {Change.SIMILAR}
    assert found[0].measure == Measure.HELPED_WITHIN_24_HOURS
    assert (found[0].earlier.percent, found[0].later.percent) == (20, 70)
    assert found[0].change == Change.HIGHER


def compute_errors() -> dict[int, float]:
    """Return the probability of each error that noise and rounding cause in a number."""
    noise = {
        error: (1 - RATIO) / (1 + RATIO) * RATIO ** abs(error) for error in range(-60, 61)
    }
    found: defaultdict[int, float] = defaultdict(float)
    for error, count in product(noise, range(100, 100 + STEP)):
        found[compute_rounded(count + error) - count] += noise[error] / STEP
    return found


def add_errors(one: Mapping[int, float], other: Mapping[int, float]) -> dict[int, float]:
    found: defaultdict[int, float] = defaultdict(float)
    for first, second in product(one, other):
        found[first + second] += one[first] * other[second]
    return found


@pytest.mark.parametrize("quarters", [1, 2, 4])
def test_noise_and_rounding_alone_are_hardly_ever_called_a_change(quarters: int) -> None:
    assert pytest.approx(SCALE) == 2
    each = compute_errors()
    errors = {0: 1.0}
    for _ in range(2 * quarters):
        errors = add_errors(errors, each)
    same = ShownSum(0, quarters)

    wrong = sum(
        chance
        for error, chance in errors.items()
        if compare_counts(same, ShownSum(error, quarters)) != Change.SIMILAR
    )

    assert 0.0001 < wrong < 0.01


@pytest.mark.parametrize("quarters", [1, 4, 8])
def test_difference_just_above_the_margin_is_a_change(quarters: int) -> None:
    margin = compute_margin(2 * quarters)
    one = ShownSum(1000, quarters)

    for people, change in ((margin, Change.SIMILAR), (margin + 1, Change.HIGHER)):
        other = ShownSum(1000 + people, quarters)
        assert compare_counts(one, other) == change
    assert compare_counts(ShownSum(1001 + margin, quarters), one) == Change.LOWER


def test_shares_that_noise_and_rounding_leave_possible_are_not_a_change() -> None:
    whole = ShownSum(200, 1)
    low, high = (Share(ShownSum(people, 1), whole) for people in (100, 140))
    margin = compute_margin(1)

    assert low.bounds == ((100 - margin) / (200 + margin), (100 + margin) / (200 - margin))
    assert high.bounds[0] > low.bounds[1]
    assert compare_shares(low, high) == Change.HIGHER
    assert compare_shares(high, low) == Change.LOWER
    near = Share(ShownSum(120, 1), whole)
    assert compare_shares(low, near) == compare_shares(near, low) == Change.SIMILAR


def test_share_of_few_people_keeps_between_nothing_and_all() -> None:
    few = Share(ShownSum(15, 2), ShownSum(15, 2))

    assert few.bounds[0] >= 0
    assert few.bounds[1] == 1
    assert Share(ShownSum(20, 1), ShownSum(15, 1)).percent == 100


def test_periods_are_the_last_two_quarters_and_those_before_by_default() -> None:
    periods = ReportPeriods.build(ReportQuery(), Q1)

    assert list(map(str, periods.later)) == ["2025Q4", "2026Q1"]
    assert list(map(str, periods.earlier)) == ["2025Q2", "2025Q3"]


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "2026Q2", "to": "2026Q1"},
        {"from": "2024Q1", "to": "2026Q1"},
        {"from": "2026Q1", "to": "2026Q2", "compare": "2025Q4"},
        {"from": "2026Q1", "to": "2026Q2", "compare": "2026Q3"},
    ],
)
def test_period_that_is_reversed_too_long_or_overlapping_is_refused(
    asked: Mapping[str, str],
) -> None:
    with pytest.raises(ReportPeriodInvalid):
        ReportPeriods.build(ReportQuery.model_validate(asked), LATEST)


def test_earlier_period_may_be_long_before() -> None:
    asked = {"from": "2026Q1", "to": "2026Q2", "compare": "2023Q4"}

    periods = ReportPeriods.build(ReportQuery.model_validate(asked), LATEST)

    assert list(map(str, periods.earlier)) == ["2023Q4", "2024Q1"]
