"""Tests of the countries in which an office works, and of the State that it represents."""

from dataclasses import dataclass, field

import pytest

from app.directory.kinds import (
    EVERYWHERE,
    OfficeKind,
    has_language,
    is_at_home,
    is_blocked,
    is_of_origin,
    is_serving,
)


@dataclass(frozen=True)
class Office:
    kind: OfficeKind
    of_state: str | None = None
    serves: list[str] = field(default_factory=list)


UZ_LEAD = Office(OfficeKind.STATE, "UZ", ["UZ"])
UZ_CONSULATE_IN_KZ = Office(OfficeKind.STATE, "UZ", ["KZ"])
KZ_LEAD = Office(OfficeKind.STATE, "KZ", ["KZ"])
KZ_NGO = Office(OfficeKind.NON_STATE, serves=["KZ"])
IOM = Office(OfficeKind.INTERGOVERNMENTAL, serves=[EVERYWHERE])


def test_a_focal_point_works_where_it_says() -> None:
    assert is_serving(UZ_CONSULATE_IN_KZ, "KZ")
    assert not is_serving(UZ_CONSULATE_IN_KZ, "UZ")


def test_one_that_works_everywhere_works_outside_of_the_directory_too() -> None:
    assert is_serving(IOM, "KZ")
    assert is_serving(IOM, "FR")


def test_one_that_names_no_country_works_nowhere() -> None:
    assert not is_serving(Office(OfficeKind.NON_STATE), "KZ")


def test_a_consulate_is_not_at_home_where_it_works() -> None:
    assert not is_at_home(UZ_CONSULATE_IN_KZ, "KZ")
    assert is_at_home(UZ_CONSULATE_IN_KZ, "UZ")


def test_who_is_of_no_state_is_at_home_where_it_works() -> None:
    assert is_at_home(KZ_NGO, "KZ")
    assert not is_at_home(KZ_NGO, "UZ")
    assert is_at_home(IOM, "UZ")


def test_the_state_of_origin_is_every_body_of_it_wherever_it_sits() -> None:
    assert is_of_origin(UZ_LEAD, "UZ", "KZ")
    assert is_of_origin(UZ_CONSULATE_IN_KZ, "UZ", "KZ")
    assert not is_of_origin(KZ_LEAD, "UZ", "KZ")


def test_while_the_origin_is_unknown_any_other_state_may_be_it() -> None:
    assert is_of_origin(UZ_CONSULATE_IN_KZ, None, "KZ")
    assert not is_of_origin(KZ_LEAD, None, "KZ")


def test_a_feared_state_is_blocked_wherever_its_bodies_sit_and_no_other() -> None:
    assert is_blocked(UZ_LEAD, origin_blocked=True, origin="UZ")
    assert is_blocked(UZ_CONSULATE_IN_KZ, origin_blocked=True, origin="UZ")
    assert not is_blocked(KZ_LEAD, origin_blocked=True, origin="UZ")


@pytest.mark.parametrize("state", [UZ_LEAD, UZ_CONSULATE_IN_KZ, KZ_LEAD])
def test_while_it_is_not_known_which_state_is_feared_every_state_is_blocked(
    state: Office,
) -> None:
    assert is_blocked(state, origin_blocked=True, origin=None)
    assert not is_blocked(state, origin_blocked=False, origin=None)


@pytest.mark.parametrize("origin", ["KZ", "UZ", None])
def test_who_is_of_no_state_is_never_blocked(origin: str | None) -> None:
    assert not is_blocked(KZ_NGO, origin_blocked=True, origin=origin)
    assert not is_blocked(IOM, origin_blocked=True, origin=origin)


def test_a_person_at_home_is_in_the_state_of_origin() -> None:
    assert is_of_origin(UZ_LEAD, "UZ", "UZ")


@pytest.mark.parametrize("origin", ["KZ", "UZ", None])
def test_who_is_of_no_state_is_never_of_the_origin(origin: str | None) -> None:
    assert not is_of_origin(KZ_NGO, origin, "KZ")
    assert not is_of_origin(IOM, origin, "KZ")


@pytest.mark.parametrize(
    ("mine", "asked", "shared"),
    [
        (["uz", "ru"], "uz", True),
        (["uz-Latn"], "uz-Cyrl", True),
        (["uz-Cyrl"], "uz", True),
        (["es"], "es-GT", True),
        (["fa"], "prs", False),
        (["ru"], "rus", False),
        ([], "uz", False),
    ],
)
def test_a_language_is_shared_whatever_its_script(
    *, mine: list[str], asked: str, shared: bool
) -> None:
    assert has_language(mine, asked) == shared
