"""Tests of what a case file says about consents, sides, and access to the safeguards."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from app.cases.facts import build_fact_sheet
from app.cases.lifecycle import State
from app.cases.sections import OriginContact, Safeguards, Section
from app.consents.coverage import Purpose
from app.consents.standing import Standing, is_for_state_class
from app.directory.kinds import OfficeKind
from app.kernel.actors import Relation
from tests.rules.test_coverage import (
    KZ_LEAD,
    SHELTER,
    UZ_LEAD,
    UZ_NGO,
    Consent,
    Office,
    naming,
)
from tests.support.world import NOON

IDENTITY = [Section.NEEDS.value, Section.IDENTITY.value]
TO_US = replace(naming(KZ_LEAD), sections=IDENTITY)
TO_REFER = Consent(kind=OfficeKind.STATE, purposes=[Purpose.REFER.value])


def build_standing(
    *given: Consent,
    child: bool = False,
    state: State = State.REFERRING,
    mine: frozenset[Relation] = frozenset(),
    **guards: Any,
) -> Standing:
    """Return the case file of a person in Kazakhstan with these consents and safeguards."""
    case: Any = SimpleNamespace(
        is_child=child, country="KZ", state=state, get_known_country=lambda _: "KZ"
    )
    case.list_relations = lambda _: mine
    facts, fears = build_fact_sheet([], child=child), Safeguards(**guards)
    consents: list[Any] = list(given)
    return Standing(case, consents, fears, None, facts, False, NOON, True)


@pytest.mark.parametrize(
    ("given", "may"),
    [
        ([], False),
        ([TO_US], True),
        ([replace(naming(UZ_LEAD), sections=IDENTITY)], False),
        ([Consent(kind=OfficeKind.STATE, sections=IDENTITY)], False),
        ([naming(KZ_LEAD)], False),
        ([replace(TO_US, withdrawn_at=NOON)], False),
        ([replace(TO_US, expires_at=NOON)], False),
        ([naming(UZ_LEAD), TO_US, Consent()], True),
    ],
)
def test_a_state_body_is_told_a_name_by_a_word_for_this_very_body_alone(
    given: list[Consent], may: bool
) -> None:
    assert build_standing(*given).may_be_named(KZ_LEAD) is may


def test_a_childs_own_word_names_it_to_no_state_body() -> None:
    assert build_standing(TO_US).may_be_named(KZ_LEAD)
    assert not build_standing(TO_US, child=True).may_be_named(KZ_LEAD)


@pytest.mark.parametrize("reader", [SHELTER, Office(kind=OfficeKind.INTERGOVERNMENTAL)])
def test_who_is_no_state_body_may_be_told(reader: Office) -> None:
    assert build_standing().may_be_named(reader)


@pytest.mark.parametrize(
    ("origin", "apart", "of_origin"),
    [("UZ", [UZ_LEAD], [UZ_LEAD]), (None, [KZ_LEAD, UZ_LEAD], [UZ_LEAD])],
)
def test_the_side_of_origin_is_its_state_or_any_while_nobody_knows_it(
    origin: str | None, apart: list[Office], of_origin: list[Office]
) -> None:
    stands = build_standing(country_of_origin=origin)
    offices = [KZ_LEAD, UZ_LEAD, SHELTER, UZ_NGO]

    assert [one for one in offices if stands.may_belong_to_origin_state(one)] == apart
    assert [one for one in offices if stands.is_of_origin(one)] == of_origin


def test_the_side_of_origin_knows_who_helps_at_home_alone() -> None:
    stands = build_standing(country_of_origin="UZ")

    assert stands.may_see_helper(UZ_LEAD, UZ_NGO)
    assert not stands.may_see_helper(UZ_LEAD, SHELTER)
    assert stands.may_see_helper(KZ_LEAD, UZ_NGO)
    assert stands.may_see_helper(SHELTER, UZ_NGO)


@pytest.mark.parametrize(
    ("guards", "permitted"),
    [
        ({"origin_contact": OriginContact.PERMITTED}, True),
        ({"origin_contact": OriginContact.UNDECIDED}, False),
        ({"origin_contact": OriginContact.BLOCKED}, False),
        ({"origin_contact": OriginContact.PERMITTED, "fear_of_state": True}, False),
        ({"origin_contact": OriginContact.PERMITTED, "seeks_asylum": True}, False),
    ],
)
def test_a_fear_forbids_the_contact_that_was_permitted(
    guards: dict[str, Any], permitted: bool
) -> None:
    assert build_standing(**guards).is_origin_contact_permitted() is permitted


@pytest.mark.parametrize(
    ("relation", "state", "may"),
    [
        (Relation.SUBMITTER, State.DRAFT, True),
        (Relation.SUBMITTER, State.UNDER_REVIEW, True),
        (Relation.SUBMITTER, State.REFERRING, False),
        (Relation.SUBMITTER, State.CLOSED, False),
        (Relation.CANDIDATE, State.SUBMITTED, False),
        (Relation.CANDIDATE, State.UNDER_REVIEW, True),
        (Relation.LEAD, State.REFERRING, True),
        (Relation.LEAD, State.SUSPENDED, True),
        (Relation.LEAD, State.CLOSED, False),
        (Relation.DESK, State.UNDER_REVIEW, False),
        (Relation.OVERSIGHT, State.UNDER_REVIEW, False),
    ],
)
def test_a_fear_is_known_to_whom_the_safeguards_open(
    relation: Relation, state: State, may: bool
) -> None:
    reader: Any = SimpleNamespace(id=KZ_LEAD.id, code="KZ_LEAD", kind=OfficeKind.STATE)
    reader.of_state, reader.serves = "KZ", ["KZ"]
    mine = frozenset({relation})

    assert build_standing(state=state, mine=mine).may_know_fears(reader) is may
    unsafe = build_standing(state=state, mine=mine, unsafe_focal_points=["KZ_LEAD"])
    assert unsafe.may_know_fears(reader) is (may and relation == Relation.SUBMITTER)


REFER = [Purpose.REFER.value]


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        (Consent(purposes=REFER), True),
        (Consent(purposes=REFER, country=None, focal_point_id=SHELTER.id), True),
        (Consent(purposes=REFER, country="UZ"), False),
        (Consent(purposes=REFER, withdrawn_at=NOON), False),
        (Consent(), False),
    ],
)
def test_a_consent_to_be_referred_is_for_where_the_person_is(
    given: Consent, counts: bool
) -> None:
    assert build_standing(given).may_be_referred() is counts


@pytest.mark.parametrize("vital", [False, True])
@pytest.mark.parametrize("assessed", [False, True])
@pytest.mark.parametrize("given", [[], [TO_REFER]], ids=["no word", "a consent"])
def test_each_ground_alone_lets_a_candidate_be_given_the_notice(
    given: list[Consent], *, assessed: bool, vital: bool
) -> None:
    sheet: Any = SimpleNamespace(interests_are_assessed=assessed)
    stands = replace(build_standing(*given), facts=sheet, in_vital_interest=vital)

    assert stands.may_read_summary(KZ_LEAD) is (bool(given) or assessed or vital)


def test_a_return_is_agreed_to_with_one_organisation_and_apart_from_all_else() -> None:
    home = replace(naming(UZ_NGO), purposes=[Purpose.RETURN.value])

    assert build_standing(home).has_consent_to_return(UZ_NGO)
    assert not build_standing(home).has_consent_to_return(SHELTER)
    assert not build_standing(replace(home, withdrawn_at=NOON)).has_consent_to_return(
        UZ_NGO
    )
    more = replace(home, purposes=[Purpose.RETURN.value, Purpose.SHELTER.value])
    assert not build_standing(more).has_consent_to_return(UZ_NGO)


def test_a_class_of_state_bodies_is_told_from_one_that_was_named() -> None:
    given: list[Any] = [
        Consent(kind=OfficeKind.STATE, sections=IDENTITY),
        Consent(kind=OfficeKind.STATE),
        Consent(sections=IDENTITY),
        TO_US,
    ]

    assert [is_for_state_class(one) for one in given] == [True, False, False, False]


def test_a_word_that_ran_out_stands_again_for_who_takes_it_back() -> None:
    over = Consent(purposes=REFER, expires_at=NOON)
    other = Consent(purposes=REFER, country="UZ", expires_at=NOON)
    stands = build_standing(over, other, Consent())

    assert not stands.may_be_referred()
    before = stands.as_if_running([stands.consents[0]])
    assert before.may_be_referred()
    assert before.consents == [stands.consents[0], stands.consents[2]]
    assert stands.as_if_running([]) == stands.as_if_running([stands.consents[2]])
