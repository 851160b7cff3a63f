"""Tests of a second referral to the same office for the same service (ADR 51)."""

import pytest

from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_unmet,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
OTHER = "KZ_SHELTER_TANSHOLPAN"
AGAIN = [("not_already_asked", "sender")]
HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and no referrals."""
    return lead.take_lead(officer.submit())


def test_second_request_to_an_office_for_a_service_is_refused_while_one_is_open(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    first = unwrap(lead.refer(case, SHELTER))
    assert get_unmet(lead.refer(case, SHELTER)) == AGAIN

    unwrap(shelter.does("accept", first, make_acceptance()))
    assert get_unmet(lead.refer(case, SHELTER, sections=[])) == AGAIN
    unwrap(shelter.does("start", first, {"person_met": True}))
    assert get_unmet(lead.refer(case, SHELTER)) == AGAIN


def test_draft_of_a_second_request_says_what_is_in_the_way(
    lead: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    assert get_actions(draft)["send"]["open"]
    first = unwrap(lead.refer(case, SHELTER))

    [unmet] = get_actions(lead.read(draft))["send"]["unmet"]
    assert unmet["requirement"] == "not_already_asked"
    [listed] = unwrap(lead.get("/referrals", state="draft"))["items"]
    assert listed == lead.read(draft)
    assert get_unmet(lead.does("send", draft)) == AGAIN

    unwrap(lead.does("revoke", first, {"reason": "NO_LONGER_NEEDED"}))
    assert unwrap(lead.does("send", draft))["state"] == "sent"


def test_request_that_gives_more_goes_to_an_office_that_helps_already(
    lead: Someone, case: Json
) -> None:
    """A second referral to an office can be sent if it contains further sections."""
    unwrap(lead.refer(case, SHELTER, sections=["needs"]))

    assert unwrap(lead.refer(case, SHELTER, sections=["contact"]))["state"] == "sent"
    assert get_unmet(lead.refer(case, SHELTER, sections=["contact"])) == AGAIN


def test_another_office_another_service_and_another_case_are_asked_as_before(
    officer: Someone, lead: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, SHELTER))
    other = lead.take_lead(officer.submit())

    assert lead.refer(case, OTHER).status_code == 201
    assert lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID").status_code == 201
    assert lead.refer(other, SHELTER).status_code == 201


def test_office_whose_help_has_ended_can_be_asked_again(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    first = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("decline", first, {"reason": "NO_CAPACITY"}))

    second = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", second, make_acceptance()))
    unwrap(shelter.does("start", second, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "Good"}
    unwrap(shelter.does("complete", second, report))

    assert lead.refer(case, SHELTER).status_code == 201


@pytest.mark.parametrize("asked_first", [SHELTER, OTHER])
def test_lead_of_origin_that_may_not_know_who_helps_is_answered_as_if_nobody_was_asked(
    world: World, officer: Someone, lead: Someone, asked_first: str
) -> None:
    given = [make_consent(), make_service_consent(), make_handover_consent("UZ_LEAD")]
    case = lead.take_lead(officer.submit(safeguards=HOME, consents=given))
    unwrap(lead.refer(case, asked_first))
    origin = world.add_person("UZ_LEAD")
    unwrap(origin.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))

    answers = [origin.refer(case, to) for to in (SHELTER, OTHER)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert get_unmet(origin.refer(case, SHELTER)) == AGAIN  # its own request


def test_lead_of_another_state_that_takes_over_knows_whom_the_first_request_asks(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [make_consent(), make_service_consent(), make_handover_consent("UZ_LEAD")]
    guards = HOME | {"country_of_origin": "TM"}
    case = lead.take_lead(officer.submit(safeguards=guards, consents=given))
    unwrap(lead.refer(case, SHELTER))
    next_lead = world.add_person("UZ_LEAD")
    unwrap(next_lead.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))

    assert get_unmet(next_lead.refer(case, SHELTER)) == AGAIN
    assert unwrap(next_lead.get(get_path(case)))["holder"] == "UZ_LEAD"
