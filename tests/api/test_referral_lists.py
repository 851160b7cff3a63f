"""Tests of filters and pagination in the lists of referrals and cases."""

import pytest

from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    make_consent,
    make_service_consent,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
NO: Json = {"reason": "NO_CAPACITY"}
LAW: Json = {"service": "LEGAL_AID"}
NGO_LEADS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})


def list_ids(who: Someone, **query: object) -> list[str]:
    return [one["id"] for one in who.list_all("/referrals", limit=2, **query)]


def list_codes(who: Someone, **query: object) -> list[str]:
    return [one["code"] for one in who.list_all("/cases", limit=2, **query)]


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead."""
    return lead.take_lead(officer.submit())


@pytest.fixture
def made(lead: Someone, case: Json) -> list[Json]:
    """Return five referrals; the second is a draft, and the last is for legal aid."""
    return [
        unwrap(lead.refer(case, SHELTER)),
        unwrap(lead.refer(case, SHELTER, send=False)),
        unwrap(lead.refer(case, SHELTER, sections=["contact"])),
        unwrap(lead.refer(case, SHELTER, sections=["identity"])),
        unwrap(lead.refer(case, "KZ_LEGAL_AID", **LAW)),
    ]


def test_pages_walk_every_referral_once(
    officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone, made: list[Json]
) -> None:
    all_of_them = [one["id"] for one in made]

    assert list_ids(lead) == all_of_them
    assert list_ids(shelter) == [all_of_them[0], *all_of_them[2:4]]
    assert list_ids(lawyer) == all_of_them[4:]
    assert list_ids(officer) == []


def test_a_list_is_narrowed_to_a_side(
    lead: Someone, shelter: Someone, made: list[Json]
) -> None:
    all_of_them = [one["id"] for one in made]

    assert list_ids(lead, side="sender") == all_of_them
    assert list_ids(lead, side="recipient") == []
    assert list_ids(shelter, side="recipient") == [all_of_them[0], *all_of_them[2:4]]
    assert list_ids(shelter, side="sender") == []


def test_a_list_is_narrowed_to_a_state(
    lead: Someone, shelter: Someone, made: list[Json]
) -> None:
    unwrap(shelter.does("decline", made[2], NO))

    assert list_ids(lead, state="draft") == [made[1]["id"]]
    assert list_ids(lead, state="declined") == [made[2]["id"]]
    assert list_ids(shelter, state="draft") == []


def test_a_list_is_narrowed_to_a_case(
    officer: Someone, lead: Someone, made: list[Json]
) -> None:
    other = lead.take_lead(officer.submit())
    elsewhere = unwrap(lead.refer(other, SHELTER))

    assert list_ids(lead, case=other["code"].lower()) == [elsewhere["id"]]
    assert list_ids(lead, case=made[0]["case"]) == [one["id"] for one in made]


def test_a_filter_that_means_nothing_here_is_refused(lead: Someone, case: Json) -> None:
    assert case
    assert lead.get("/referrals", side="sender").status_code == 200

    for query in (
        {"side": "oversight"},
        {"side": "desk"},
        {"side": "x"},
        {"state": "?"},
        {"case": "SC-1"},
    ):
        assert get_problem(lead.get("/referrals", **query)) == (422, "request-invalid")


def test_a_filter_that_does_not_exist_is_refused(lead: Someone) -> None:
    assert get_problem(lead.get("/referrals", sides="sender")) == (422, "request-invalid")
    assert get_problem(lead.get("/cases", states="draft")) == (422, "request-invalid")


def both(world: World, officer: Someone, lead: Someone) -> tuple[Someone, list[str]]:
    """Return an NGO and the ids of a case's referrals.

    The NGO is a recipient of two of the referrals, and also the candidate of the case.
    """
    case = officer.submit(consents=[make_consent(), NGO_LEADS, make_service_consent()])
    recipients = ("SANA_SEZIM", "KZ_LEGAL_AID", "SANA_SEZIM", "KZ_LEGAL_AID")
    told = (["needs"], ["needs"], ["contact"], ["contact"])
    made = [
        unwrap(lead.refer(case, to, **LAW, sections=sections))["id"]
        for to, sections in zip(recipients, told, strict=True)
    ]
    assert lead.does("decline-lead", case, NO).status_code == 204
    return world.add_person("SANA_SEZIM"), made


def test_who_holds_the_case_and_is_asked_finds_each_referral_once(
    world: World, officer: Someone, lead: Someone
) -> None:
    ngo, made = both(world, officer, lead)

    assert sorted(list_ids(ngo)) == sorted(made)
    assert ngo.read({"id": made[0]})["you_are"] == ["recipient", "sender"]


def test_who_holds_the_case_and_is_asked_finds_it_on_either_side(
    world: World, officer: Someone, lead: Someone
) -> None:
    ngo, made = both(world, officer, lead)

    assert list_ids(ngo, side="recipient") == [made[0], made[2]]
    assert sorted(list_ids(ngo, side="sender")) == sorted(made)


def test_who_no_longer_holds_the_case_finds_none_of_its_referrals(
    world: World, officer: Someone, lead: Someone
) -> None:
    both(world, officer, lead)

    assert list_ids(lead) == []


def test_a_list_of_cases_is_narrowed_by_every_filter(
    officer: Someone, lead: Someone
) -> None:
    draft = unwrap(officer.create_case(summary={"country": "TT", "priority": "normal"}))
    new = officer.submit()
    led = lead.take_lead(officer.submit())

    assert list_codes(officer) == [one["code"] for one in (draft, new, led)]
    assert list_codes(officer, state="draft") == [draft["code"]]
    assert list_codes(officer, stage="referral") == [led["code"]]
    assert list_codes(officer, priority="normal") == [draft["code"]]
    assert list_codes(officer, country="KZ") == [new["code"], led["code"]]
    assert list_codes(officer, state=["draft", "submitted"], stage="identification") == [
        draft["code"],
        new["code"],
    ]
    assert list_codes(officer, state=["draft", "referring"], stage="referral") == [
        led["code"]
    ]
    assert list_codes(officer, state="draft", stage="referral") == []
    assert list_codes(lead, role="lead") == [led["code"]]
    assert list_codes(lead, role=["lead", "candidate"]) == [new["code"], led["code"]]
