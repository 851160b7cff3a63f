"""Tests of redirects that lead back to an office that was already asked (ADR 57)."""

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

SHELTER, OTHER = "KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN"
ON: Json = {"reason": "NO_CAPACITY", "alternative": OTHER, "note": "They have a bed"}


@pytest.fixture
def other(world: World) -> Someone:
    return world.add_person(OTHER)


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.take_lead(officer.submit())


@pytest.fixture
def sent(lead: Someone, case: Json) -> Json:
    return unwrap(lead.refer(case, SHELTER))


@pytest.mark.parametrize("named", [SHELTER, OTHER], ids=["asked before", "itself"])
def test_redirect_back_to_an_office_of_the_chain_is_refused_and_says_what_to_do(
    lead: Someone, shelter: Someone, other: Someone, sent: Json, named: str
) -> None:
    unwrap(shelter.does("redirect", sent, ON))
    [draft] = unwrap(lead.get("/referrals", state="draft"))["items"]
    unwrap(lead.does("send", draft))
    lead.poll()

    back = other.does("redirect", draft, ON | {"alternative": named})

    assert get_problem(back) == (422, "redirect-loop")
    assert back.json()["detail"].startswith("Name an office that this request has not")
    assert named not in back.text
    assert lead.read(draft)["state"] == "sent"
    assert lead.poll() == []
    unwrap(other.does("decline", draft, {"reason": "NO_CAPACITY"}))
    assert lead.read(draft)["state"] == "declined"


def test_office_of_the_state_of_origin_is_not_told_that_an_office_was_asked(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    origin = world.add_person("UZ_LEAD")
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    to_origin = make_consent(focal_point="UZ_LEAD", purposes=["SHELTER"], sections=[])
    given = [make_consent(), make_service_consent(), to_origin]
    case = lead.take_lead(officer.submit(safeguards=guards, consents=given))
    sent = unwrap(lead.refer(case, SHELTER, sections=[]))
    unwrap(shelter.does("redirect", sent, ON | {"alternative": "UZ_LEAD"}))
    [draft] = unwrap(lead.get("/referrals", state="draft"))["items"]
    unwrap(lead.does("send", draft))

    back = unwrap(origin.does("redirect", draft, ON | {"alternative": SHELTER}))

    assert (back["state"], back["reason"]) == ("redirected", "NO_CAPACITY")
    assert unwrap(lead.get("/referrals", state="draft"))["items"] == []


def test_office_asked_in_another_chain_can_be_named(
    lead: Someone, shelter: Someone, other: Someone, case: Json, sent: Json
) -> None:
    """Offices asked outside of the chain can be named, so no refusal reveals them."""
    unwrap(other.does("decline", unwrap(lead.refer(case, OTHER)), {"reason": "LANGUAGE"}))

    unwrap(shelter.does("redirect", sent, ON))

    [draft] = unwrap(lead.get("/referrals", state="draft"))["items"]
    assert (draft["recipient"], draft["predecessor"]) == (OTHER, sent["id"])


def test_refusal_does_not_tell_an_asked_office_from_an_office_that_cannot_be_asked(
    world: World, shelter: Someone, other: Someone, sent: Json
) -> None:
    """A redirect is checked for a loop last, so other refusals do not reveal a loop."""
    unwrap(shelter.does("redirect", sent, ON))
    world.close_office(SHELTER)
    [draft] = unwrap(world.add_person("KZ_LEAD").get("/referrals", state="draft"))["items"]
    unwrap(world.add_person("KZ_LEAD").does("send", draft))

    back = other.does("redirect", draft, ON | {"alternative": SHELTER})

    assert get_problem(back) == (422, "recipient-unfit")
