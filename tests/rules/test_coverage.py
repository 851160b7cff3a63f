"""Tests of what a consent covers: recipients, purposes, sections, end date and giver."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.cases.sections import Section
from app.consents.coverage import (
    CoverageQuestion,
    GivenBy,
    Purpose,
    covers,
    find_covered,
    is_valid,
    matches_recipient,
)
from app.directory.kinds import OfficeFunction, OfficeKind, Service
from tests.support.world import NOON

ONE = UUID(int=1)
A_YEAR = timedelta(days=365)
NEEDS, CONTACT, HEALTH = Section.NEEDS, Section.CONTACT, Section.HEALTH


@dataclass(frozen=True)
class Office:
    """The attributes of an office that a consent can name."""

    kind: OfficeKind = OfficeKind.NON_STATE
    function: OfficeFunction = OfficeFunction.SHELTER
    of_state: str | None = None
    serves: list[str] = field(default_factory=lambda: ["KZ"])
    id: UUID = ONE


@dataclass(frozen=True)
class Consent:
    """A consent. By default, any non-State office in Kazakhstan may give shelter."""

    focal_point_id: UUID | None = None
    kind: OfficeKind | None = OfficeKind.NON_STATE
    function: OfficeFunction | None = None
    country: str | None = "KZ"
    purposes: list[str] = field(default_factory=lambda: [Purpose.SHELTER.value])
    sections: list[str] = field(default_factory=lambda: [NEEDS.value])
    given_by: GivenBy = GivenBy.PERSON
    expires_at: datetime = NOON + A_YEAR
    withdrawn_at: datetime | None = None


def naming(office: Office) -> Consent:
    """Return a consent that names an office."""
    return Consent(focal_point_id=office.id, kind=None, country=None)


def build_request(
    recipient: Office | None = None, *, at: datetime = NOON, child: bool = False
) -> CoverageQuestion:
    return CoverageQuestion(recipient or SHELTER, Purpose.SHELTER, at, child)


SHELTER = Office()
LAWYER = Office(function=OfficeFunction.LEGAL, id=UUID(int=2))
KZ_LEAD = Office(OfficeKind.STATE, OfficeFunction.COORDINATION, "KZ", ["KZ"], UUID(int=3))
UZ_LEAD = Office(OfficeKind.STATE, OfficeFunction.COORDINATION, "UZ", ["UZ"], UUID(int=4))
UZ_CONSULATE_IN_KZ = Office(
    OfficeKind.STATE, OfficeFunction.CONSULAR, "UZ", ["KZ"], UUID(int=5)
)
IOM = Office(
    OfficeKind.INTERGOVERNMENTAL, OfficeFunction.MIGRATION, None, ["*"], UUID(int=6)
)
UZ_NGO = Office(OfficeKind.NON_STATE, OfficeFunction.SOCIAL, None, ["UZ"], UUID(int=7))
NETWORK = Office(
    OfficeKind.NON_STATE, OfficeFunction.COORDINATION, None, ["UZ", "KZ"], UUID(int=8)
)
EVERYONE = [SHELTER, LAWYER, KZ_LEAD, UZ_LEAD, UZ_CONSULATE_IN_KZ, IOM, UZ_NGO, NETWORK]


@pytest.mark.parametrize(
    ("kind", "country", "expected"),
    [
        (OfficeKind.STATE, "KZ", [KZ_LEAD]),
        (OfficeKind.STATE, "UZ", [UZ_LEAD, UZ_CONSULATE_IN_KZ]),
        (OfficeKind.NON_STATE, "KZ", [SHELTER, LAWYER, NETWORK]),
        (OfficeKind.NON_STATE, "UZ", [UZ_NGO, NETWORK]),
        (OfficeKind.INTERGOVERNMENTAL, "KZ", [IOM]),
        (OfficeKind.INTERGOVERNMENTAL, "FR", [IOM]),
        (OfficeKind.STATE, "FR", []),
        (OfficeKind.DESK, "KZ", []),
    ],
)
def test_a_class_names_exactly_those_who_are_of_the_country(
    kind: OfficeKind, country: str, expected: list[Office]
) -> None:
    consent = Consent(kind=kind, country=country)

    assert [one for one in EVERYONE if matches_recipient(consent, one)] == expected


def test_a_consulate_is_not_among_the_state_bodies_of_the_country_it_sits_in() -> None:
    assert not matches_recipient(
        Consent(kind=OfficeKind.STATE, country="KZ"), UZ_CONSULATE_IN_KZ
    )


def test_a_function_narrows_a_class() -> None:
    shelters = Consent(function=OfficeFunction.SHELTER)

    assert [one for one in EVERYONE if matches_recipient(shelters, one)] == [SHELTER]


def test_a_class_without_a_kind_or_a_country_names_nobody() -> None:
    assert not any(matches_recipient(Consent(country=None), one) for one in EVERYONE)
    assert not any(matches_recipient(Consent(kind=None), one) for one in EVERYONE)


@pytest.mark.parametrize("named", EVERYONE)
def test_a_consent_that_names_one_names_no_other(named: Office) -> None:
    assert [one for one in EVERYONE if matches_recipient(naming(named), one)] == [named]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NOON - timedelta(microseconds=1), True),
        (NOON, False),
        (NOON + timedelta(microseconds=1), False),
    ],
    ids=["before", "at", "after"],
)
def test_a_consent_ends_at_its_last_instant_and_not_after_it(
    moment: datetime, *, expected: bool
) -> None:
    consent = Consent(expires_at=NOON)

    assert covers([consent], build_request(at=moment), {NEEDS}) == expected


def test_a_consent_that_was_taken_back_covers_nothing() -> None:
    taken_back = Consent(withdrawn_at=NOON - timedelta(days=1))

    assert find_covered([Consent()], build_request()) == frozenset({NEEDS})
    assert find_covered([taken_back], build_request()) is None


def test_a_consent_that_was_taken_back_leaves_the_others_standing() -> None:
    taken_back = Consent(withdrawn_at=NOON, sections=[HEALTH])

    assert find_covered([taken_back, Consent()], build_request()) == frozenset({NEEDS})


@pytest.mark.parametrize(
    ("given_by", "adult", "child"),
    [
        (GivenBy.PERSON, True, False),
        (GivenBy.GUARDIAN_WITH_ASSENT, False, True),
        (GivenBy.BEST_INTERESTS_DECISION, False, True),
    ],
)
def test_an_adult_speaks_for_themselves_and_for_a_child_its_guardian(
    given_by: GivenBy, *, adult: bool, child: bool
) -> None:
    consent = Consent(given_by=given_by)

    assert is_valid(consent, NOON, child=False) == adult
    assert is_valid(consent, NOON, child=True) == child
    assert covers([consent], build_request(child=True), {NEEDS}) == child
    assert covers([consent], build_request(child=False), {NEEDS}) == adult


@pytest.mark.parametrize("purpose", Purpose)
def test_a_consent_is_for_its_purposes_alone(purpose: Purpose) -> None:
    question = CoverageQuestion(SHELTER, purpose, NOON, child=False)

    assert (find_covered([Consent()], question) is not None) == (purpose == Purpose.SHELTER)


def test_what_may_be_told_is_the_union_of_what_fits() -> None:
    consents = [
        Consent(sections=[NEEDS]),
        naming(SHELTER),
        Consent(sections=[CONTACT]),
        Consent(kind=OfficeKind.STATE, sections=[HEALTH]),
        Consent(purposes=[Purpose.MEDICAL], sections=[HEALTH]),
        Consent(expires_at=NOON, sections=[HEALTH]),
    ]

    assert find_covered(consents, build_request()) == frozenset({NEEDS, CONTACT})
    assert covers(consents, build_request(), {NEEDS, CONTACT})
    assert not covers(consents, build_request(), {NEEDS, HEALTH})


def test_to_be_told_the_notice_alone_is_more_than_to_be_told_nothing() -> None:
    summary = [Consent(sections=[])]

    assert find_covered(summary, build_request()) == frozenset()
    assert covers(summary, build_request(), set())
    assert find_covered(summary, build_request(LAWYER)) == frozenset()
    assert find_covered(summary, build_request(KZ_LEAD)) is None
    assert not covers(summary, build_request(KZ_LEAD), set())


def test_without_any_consent_nobody_is_told_anything() -> None:
    assert all(find_covered([], build_request(one)) is None for one in EVERYONE)


def test_there_is_a_purpose_for_each_service_and_two_of_the_case_itself() -> None:
    assert {Purpose(service) for service in Service} == set(Purpose) - {
        Purpose.REFER,
        Purpose.HANDOVER,
    }


def test_a_class_of_nowhere_names_nobody() -> None:
    for kind in OfficeKind:
        nowhere = Consent(kind=kind, country=None)
        assert [office for office in EVERYONE if matches_recipient(nowhere, office)] == []


@pytest.mark.parametrize(
    ("recipient", "by_name", "from_ngo", "told"),
    [
        (KZ_LEAD, False, True, {NEEDS}),
        (KZ_LEAD, True, True, {NEEDS, Section.IDENTITY}),
        (KZ_LEAD, False, False, {NEEDS, Section.IDENTITY}),
        (SHELTER, False, True, {NEEDS, Section.IDENTITY}),
        (IOM, False, True, {NEEDS, Section.IDENTITY}),
    ],
)
def test_a_name_that_an_ngo_wrote_down_reaches_no_state_body_of_a_class(
    recipient: Office, told: set[Section], *, by_name: bool, from_ngo: bool
) -> None:
    whom = naming(recipient) if by_name else Consent(kind=recipient.kind)
    given = replace(whom, sections=[NEEDS.value, Section.IDENTITY.value])
    question = replace(build_request(recipient), from_ngo=from_ngo)

    assert set(find_covered([given], question) or ()) == told


def test_who_wrote_it_is_an_ngo_only_if_that_is_said() -> None:
    assert not build_request().from_ngo


def test_what_a_person_agreed_to_is_kept_in_these_words() -> None:
    services = [service.value for service in Service]

    assert [purpose.value for purpose in Purpose] == ["REFER", "HANDOVER", *services]
    assert [given.value for given in GivenBy] == [
        "person",
        "guardian_with_assent",
        "best_interests_decision",
    ]
