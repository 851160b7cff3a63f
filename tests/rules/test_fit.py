"""Tests of how well an office fits a case, at the limits of each criterion."""

from dataclasses import replace

from app.directory.kinds import OfficeKind, Sex
from app.routing.fit import (
    Room,
    build_fit_key,
    estimate_room,
    is_avoided,
    is_near,
)
from tests.rules.questions import BY_CODE, NOON, PLAIN

LAWYER = BY_CODE["LAWYER"]


def test_a_count_of_places_of_which_nobody_knows_the_age_says_nothing() -> None:
    undated = replace(LAWYER, capacity=5, capacity_as_of=None)
    uncounted = replace(LAWYER, capacity=None, capacity_as_of=NOON)

    assert estimate_room(PLAIN, undated) == Room.NOT_KNOWN
    assert estimate_room(PLAIN, uncounted) == Room.NOT_KNOWN


def test_only_the_body_of_a_state_that_is_avoided_is_avoided() -> None:
    body = BY_CODE["NI_LEAD"]
    beside = replace(body, kind=OfficeKind.NON_STATE)

    assert is_avoided(PLAIN, body)
    assert not is_avoided(PLAIN, beside)
    assert not is_avoided(PLAIN, BY_CODE["KZ_LEAD"])


def test_near_is_who_is_of_the_country_and_who_works_there() -> None:
    abroad = replace(BY_CODE["KZ_LEAD"], serves=["UZ"])

    assert is_near(PLAIN, abroad)
    assert is_near(PLAIN, BY_CODE["UZ_POST"])
    assert is_near(PLAIN, LAWYER)
    assert not is_near(PLAIN, BY_CODE["UZ_LEAD"])
    assert not is_near(PLAIN, BY_CODE["DESK_A"])


def test_whom_an_office_serves_counts_for_nothing_while_the_sex_is_not_known() -> None:
    women = replace(LAWYER, sexes=frozenset({Sex.FEMALE}))
    anybody = replace(LAWYER, sexes=frozenset())
    question = replace(PLAIN, sex=Sex.FEMALE)

    assert PLAIN.sex is None
    assert build_fit_key(PLAIN, women) == build_fit_key(PLAIN, anybody)
    assert build_fit_key(question, women) < build_fit_key(question, anybody)
