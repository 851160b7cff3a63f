"""Tests of the rules that count a case in the cells of the tables of figures."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases.models import AgeClass
from app.cases.sections import ExploitationForm, PersonGender
from app.figures.catalogue import TABLES, Assistance, TableName
from app.figures.counting import GENDERS, SubmittedCase, count_people

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def make_case(**changes: Any) -> SubmittedCase:
    told: dict[str, Any] = {
        "country": "KZ",
        "age_class": AgeClass.ADULT,
        "gender": PersonGender.FEMININE,
        "exploitation": [ExploitationForm.FORCED_LABOUR],
        "asked": ["SHELTER", "LEGAL_AID"],
        "given": ["SHELTER"],
        "submitted_at": NOON,
        "helped_at": NOON + timedelta(hours=2),
    }
    return SubmittedCase(**told | changes)


CASES = st.builds(
    SubmittedCase,
    country=st.sampled_from(["KZ", "UZ"]),
    age_class=st.none() | st.sampled_from(AgeClass),
    gender=st.none() | st.sampled_from(PersonGender),
    exploitation=st.lists(st.sampled_from(ExploitationForm), max_size=3),
    asked=st.lists(st.sampled_from(["SHELTER", "MEDICAL"]), max_size=3),
    given=st.lists(st.sampled_from(["SHELTER", "MEDICAL"]), max_size=3),
    submitted_at=st.just(NOON),
    helped_at=st.none() | st.sampled_from([NOON, NOON + timedelta(days=9)]),
)


def test_person_is_counted_in_each_table() -> None:
    assert count_people([make_case()]) == {
        ("KZ", TableName.CASES): {(): 1},
        ("KZ", TableName.AGE_AND_GENDER): {("adult", "female"): 1},
        ("KZ", TableName.ASSISTANCE): {("within_24_hours",): 1},
        ("KZ", TableName.EXPLOITATION): {("ForcedLabour",): 1},
        ("KZ", TableName.SERVICES_ASKED): {("SHELTER",): 1, ("LEGAL_AID",): 1},
        ("KZ", TableName.SERVICES_GIVEN): {("SHELTER",): 1},
    }


@pytest.mark.parametrize(
    ("waited", "counted"),
    [
        (timedelta(0), Assistance.WITHIN_24_HOURS),
        (timedelta(hours=24), Assistance.WITHIN_24_HOURS),
        (timedelta(hours=24) + SECOND, Assistance.WITHIN_72_HOURS),
        (timedelta(hours=72), Assistance.WITHIN_72_HOURS),
        (timedelta(hours=72) + SECOND, Assistance.WITHIN_7_DAYS),
        (timedelta(days=7), Assistance.WITHIN_7_DAYS),
        (timedelta(days=7) + SECOND, Assistance.LATER),
        (None, Assistance.LATER),
    ],
)
def test_time_to_the_first_help_has_four_classes(
    waited: timedelta | None, counted: Assistance
) -> None:
    helped = None if waited is None else NOON + waited

    assert make_case(helped_at=helped).find_assistance() == counted


@pytest.mark.parametrize("age", [AgeClass.CHILD, AgeClass.PRESUMED_CHILD, None])
def test_person_of_unclear_age_is_counted_as_a_child(age: AgeClass | None) -> None:
    counts = count_people([make_case(age_class=age)])

    assert counts["KZ", TableName.AGE_AND_GENDER] == {("child", "female"): 1}


def test_what_nobody_recorded_is_counted_as_not_recorded() -> None:
    counts = count_people([make_case(gender=None, exploitation=[], asked=[], given=[])])

    assert counts["KZ", TableName.AGE_AND_GENDER] == {("adult", "not_recorded"): 1}
    assert counts["KZ", TableName.EXPLOITATION] == {("not_recorded",): 1}
    assert ("KZ", TableName.SERVICES_ASKED) not in counts


def test_each_gender_of_the_standard_is_counted() -> None:
    assert set(GENDERS) == set(PersonGender)


@given(st.lists(CASES, max_size=20))
def test_each_person_is_in_one_cell_of_a_table_that_divides_them(
    cases: list[SubmittedCase],
) -> None:
    counts = count_people(cases)
    people = Counter(case.country for case in cases)

    for (country, name), cells in counts.items():
        assert set(cells) <= set(TABLES[name].cells)
        assert max(cells.values()) <= people[country]
        if TABLES[name].is_partition:
            assert sum(cells.values()) == people[country]
