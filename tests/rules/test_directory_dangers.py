"""Tests of the directory changes that one person may make, and of those that need two."""

from datetime import date
from typing import Any, Final

import pytest

from app.administration import second_person_columns
from app.administration.cell_values import format_cell, validate_row
from app.administration.row_changes import RowChange
from app.administration.soundness_checks import describe_loss, find_countries_without_desk
from app.directory.actions import get_standard_data
from app.directory.file_rows import AgreementRow, ContactRow, CountryRow, FocalPointRow
from app.directory.files import read_folder

type Values = dict[str, Any]

ALONE: Final = {
    "focal_point": "source as_of confidence time_zone languages",
    "country": "source as_of confidence time_zone languages routing_reason",
    "agreement": "source as_of confidence",
    "contact": "language label",
}
"""Columns that one person may change. Other columns, even new columns, need two people."""

STANDARD = read_folder(get_standard_data())
OFFICE: Final[Values] = {
    "code": "KZ_POST",
    "name": "Post",
    "kind": "state",
    "function": "consular",
    "of_state": "UZ",
    "serves": ["KZ"],
    "time_zone": "Asia/Almaty",
    "languages": [],
    "services": [],
    "can_lead": False,
    "active": True,
    "confidence": "configured",
    "source": None,
    "as_of": None,
}
AGREEMENT: Final[Values] = {
    "code": "KZ_UZ",
    "name": "Both",
    "countries": ["KZ", "UZ"],
    "source": None,
    "in_force_from": date(2026, 1, 1),
    "in_force_until": date(2027, 1, 1),
    "confidence": "configured",
}
COUNTRIES: Final = ("KZ", "UZ", "JM")


def build_full_row(
    model: type[FocalPointRow | CountryRow | AgreementRow | ContactRow],
) -> Values:
    """Return a row in which every column has a different value."""
    return {name: f"{name} before" for name in model.model_fields}


def change_columns(row: Values, *names: str) -> RowChange:
    return RowChange(row, row | {name: f"{name} after" for name in names})


@pytest.mark.parametrize("name", FocalPointRow.model_fields)
def test_one_person_changes_few_columns_of_an_office(name: str) -> None:
    grave = second_person_columns.list_focal_point_columns(
        change_columns(build_full_row(FocalPointRow), name)
    )

    assert (grave == frozenset()) == (name in ALONE["focal_point"].split())


@pytest.mark.parametrize(("active", "people"), [(True, 2), (False, 1)])
def test_to_call_an_office_made_up_takes_two_where_it_is_active(
    active: bool, people: int
) -> None:
    before = OFFICE | {"active": active}

    grave = second_person_columns.list_focal_point_columns(
        RowChange(before, before | {"confidence": "fictitious"})
    )
    back = RowChange(before | {"confidence": "fictitious"}, before)

    assert grave == (frozenset({"confidence"}) if people == 2 else frozenset())
    assert second_person_columns.list_focal_point_columns(back) == frozenset()


@pytest.mark.parametrize("name", CountryRow.model_fields)
def test_one_person_changes_few_settings_of_a_country(name: str) -> None:
    grave = second_person_columns.list_country_columns(
        change_columns(build_full_row(CountryRow), name)
    )

    assert (grave == frozenset()) == (name in ALONE["country"].split())


@pytest.mark.parametrize("name", ContactRow.model_fields)
def test_one_person_changes_few_columns_of_a_contact(name: str) -> None:
    grave = second_person_columns.list_contact_columns(
        change_columns(build_full_row(ContactRow), name)
    )

    assert (grave == frozenset()) == (name in ALONE["contact"].split())


@pytest.mark.parametrize("active", [True, False])
def test_a_new_contact_takes_two_if_anybody_is_called_on_there(active: bool) -> None:
    new = RowChange(None, build_full_row(ContactRow) | {"active": active})

    assert second_person_columns.list_contact_columns(new) == (
        frozenset({"active"}) if active else frozenset()
    )


@pytest.mark.parametrize("name", ["code", "name", "level", "confidence", "source"])
def test_one_person_changes_few_columns_of_an_agreement(name: str) -> None:
    row = AGREEMENT | {"level": "L1"}

    grave = second_person_columns.list_agreement_columns(change_columns(row, name))

    assert (grave == frozenset()) == (name in ALONE["agreement"].split())


def test_a_column_nobody_thought_of_takes_two() -> None:
    turn = change_columns(
        build_full_row(FocalPointRow) | {"tomorrow": 1}, "tomorrow", "languages"
    )

    assert second_person_columns.list_focal_point_columns(turn) == {"tomorrow"}


@pytest.mark.parametrize(
    ("kind", "was", "becomes", "people"),
    [
        ("non_state", None, True, 2),
        ("non_state", None, False, 1),
        ("non_state", False, True, 2),
        ("non_state", True, False, 1),
        ("state", True, False, 1),
        ("intergovernmental", True, False, 1),
        ("desk", None, True, 2),
        ("desk", None, False, 1),
        ("desk", True, False, 2),
        ("oversight", True, False, 2),
    ],
)
def test_beginning_takes_two_and_ending_one_but_for_desk_and_oversight(
    kind: str, was: bool | None, becomes: bool, people: int
) -> None:
    before = None if was is None else OFFICE | {"kind": kind, "active": was}

    grave = second_person_columns.list_focal_point_columns(
        RowChange(before, OFFICE | {"kind": kind, "active": becomes})
    )

    assert (1 + bool(grave)) == people


def test_whoever_shuts_an_office_does_not_turn_it_into_another() -> None:
    ended = OFFICE | {"active": False, "kind": "non_state", "of_state": None}

    assert second_person_columns.list_focal_point_columns(RowChange(OFFICE, ended)) == {
        "kind",
        "of_state",
    }
    assert second_person_columns.list_focal_point_columns(
        RowChange(OFFICE | {"kind": "desk"}, ended | {"kind": "non_state"})
    ) == {"active", "kind", "of_state"}


@pytest.mark.parametrize(
    ("to", "people"),
    [
        ({"countries": ["KZ"]}, 1),
        ({"countries": ["UZ", "KZ"]}, 1),
        ({"countries": ["KZ", "TJ"]}, 2),
        ({"countries": ["KZ", "UZ", "TJ"]}, 2),
        ({"in_force_from": date(2026, 2, 1)}, 1),
        ({"in_force_from": date(2025, 12, 31)}, 2),
        ({"in_force_until": date(2026, 2, 1)}, 1),
        ({"in_force_until": date(2027, 1, 2)}, 2),
        ({"in_force_until": None}, 2),
    ],
)
def test_an_agreement_is_narrowed_by_one(to: Values, people: int) -> None:
    assert (
        1
        + bool(
            second_person_columns.list_agreement_columns(
                RowChange(AGREEMENT, AGREEMENT | to)
            )
        )
        == people
    )


def test_one_without_an_end_is_ended_by_one_and_a_new_one_takes_two() -> None:
    endless = AGREEMENT | {"in_force_until": None}

    assert not second_person_columns.list_agreement_columns(RowChange(endless, AGREEMENT))
    assert second_person_columns.list_agreement_columns(RowChange(None, AGREEMENT))


def build_desk(*serves: str, **to: Any) -> Values:
    return OFFICE | {"kind": "desk", "serves": list(serves)} | to


def test_countries_without_a_desk_are_those_that_no_active_desk_serves() -> None:
    both, one, all_of_them = build_desk("KZ", "UZ"), build_desk("KZ"), build_desk("*")
    ngo = OFFICE | {"kind": "non_state", "serves": ["*"]}

    def find(*offices: Values) -> frozenset[str]:
        return find_countries_without_desk(COUNTRIES, offices)

    assert find(both, build_desk("JM")) == frozenset()
    assert find(all_of_them) == frozenset()
    assert find(one, build_desk("JM")) == {"UZ"}
    assert find(one, build_desk("UZ", "JM")) == frozenset()
    assert find(both, build_desk("JM", active=False)) == {"JM"}
    assert find(ngo) == {"KZ", "UZ", "JM"}


def test_country_keeps_its_desk_although_another_of_its_region_has_none() -> None:
    before, after = [build_desk("KZ", "JM")], [build_desk("JM")]

    lost = describe_loss(COUNTRIES, before, after)

    assert lost == "No active desk would serve KZ."


def test_what_was_not_there_before_is_not_taken_away() -> None:
    watch = OFFICE | {"kind": "oversight"}

    assert describe_loss(COUNTRIES, [OFFICE], [OFFICE]) is None
    assert describe_loss(COUNTRIES, [build_desk("KZ")], [build_desk("KZ"), OFFICE]) is None
    assert describe_loss(COUNTRIES, [build_desk("*")], [build_desk("KZ")])
    assert describe_loss(COUNTRIES, [watch], [watch | {"active": False}])
    assert (
        describe_loss(COUNTRIES, [watch, watch], [watch, watch | {"kind": "state"}]) is None
    )


@pytest.mark.parametrize(
    "row",
    [*STANDARD.focal_points, *STANDARD.countries],
    ids=lambda row: row.reference,
)
def test_what_a_file_said_passes_as_values_unchanged(
    row: FocalPointRow | CountryRow,
) -> None:
    assert validate_row(type(row), row.model_dump()) == row
    assert validate_row(type(row), row.model_dump(mode="json")) == row


def test_a_value_is_spelled_as_a_cell_is() -> None:
    values: tuple[object, ...] = (
        None,
        True,
        False,
        ["a", "b"],
        [],
        date(2026, 1, 2),
        3,
        "x y",
    )

    cells = [format_cell(value) for value in values]

    assert cells == ["", "true", "false", "a b", "", "2026-01-02", "3", "x y"]


def test_a_second_person_is_told_what_changes_and_of_a_beginning_everything() -> None:
    before = OFFICE | {"active": False}

    shut = RowChange(OFFICE, OFFICE | {"active": False}).describe()
    begun = RowChange(before, OFFICE).describe()

    assert shut == {"active": "true -> false"}
    assert begun.keys() == OFFICE.keys()
    assert begun["active"] == "false -> true"
    assert begun["serves"] == '["KZ"]'
