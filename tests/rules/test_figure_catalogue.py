"""The tables of figures, and the weeks, quarters and years that they cover."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.figures.catalogue import NOT_RECORDED, TABLES, Gender, TableName
from app.figures.weeks import WEEK, Quarter, find_quarter, find_week
from app.reference import htcds

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)


def test_each_table_has_its_cells_once() -> None:
    assert list(TABLES) == list(TableName)
    for table in TABLES.values():
        assert len(set(table.cells)) == len(table.cells)
    assert TABLES[TableName.CASES].cells == ((),)
    assert len(TABLES[TableName.AGE_AND_GENDER].cells) == 2 * 4


def test_forms_of_exploitation_are_those_of_the_standard() -> None:
    [forms] = TABLES[TableName.EXPLOITATION].axes
    standard = {c.code_clean for c in htcds.CODES if c.list == "vic_TypeOfExploitation"}

    assert set(forms) == standard | {NOT_RECORDED}
    assert len(standard) == 11
    assert Gender(NOT_RECORDED) is Gender.NOT_RECORDED


@pytest.mark.parametrize(
    ("day", "monday", "quarter"),
    [
        (date(2027, 1, 1), date(2026, 12, 28), Quarter(2026, 4)),
        (date(2026, 1, 1), date(2025, 12, 29), Quarter(2026, 1)),
        (date(2026, 3, 31), date(2026, 3, 30), Quarter(2026, 2)),
        (date(2026, 4, 5), date(2026, 3, 30), Quarter(2026, 2)),
        (date(2024, 12, 31), date(2024, 12, 30), Quarter(2025, 1)),
    ],
)
def test_week_belongs_to_the_quarter_of_its_thursday(
    day: date, monday: date, quarter: Quarter
) -> None:
    at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)

    assert find_week(at) == monday
    assert find_quarter(monday) == quarter
    assert monday in list(quarter.list_weeks())


def test_week_is_that_of_utc_whatever_the_zone_of_the_instant() -> None:
    ahead = datetime(2026, 3, 30, 2, 0, tzinfo=UTC).astimezone()

    assert find_week(ahead) == date(2026, 3, 30)
    assert find_week(datetime(2026, 3, 29, 23, 59, tzinfo=UTC)) == date(2026, 3, 23)


@given(st.dates(FIRST, LAST))
def test_each_week_belongs_to_one_quarter(day: date) -> None:
    monday = find_week(datetime(day.year, day.month, day.day, tzinfo=UTC))
    quarter = find_quarter(monday)
    weeks = list(quarter.list_weeks())

    assert monday <= day < monday + WEEK
    assert weeks.count(monday) == 1
    assert weeks == [weeks[0] + n * WEEK for n in range(len(weeks))]
    assert len(weeks) in {12, 13, 14}
    assert find_quarter(weeks[0] - WEEK) != quarter
    assert find_quarter(weeks[-1] + timedelta(weeks=1)) != quarter
