"""Tests of a second referral to an office for the same service (ADR 51)."""

import pytest

from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    consent,
    done,
    for_handover,
    for_services,
    lacks,
    path_of,
    promise,
    taking,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
OTHER = "KZ_SHELTER_TANSHOLPAN"
AGAIN = [("not_already_asked", "sender")]
HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """A case that has a lead and no referrals."""
    return lead.leads(officer.submits())


def test_second_request_to_an_office_for_a_service_is_refused_while_one_is_open(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    first = done(lead.refers(case, SHELTER))
    assert lacks(lead.refers(case, SHELTER)) == AGAIN

    done(shelter.does("accept", first, promise()))
    assert lacks(lead.refers(case, SHELTER, sections=[])) == AGAIN
    done(shelter.does("start", first, {"person_met": True}))
    assert lacks(lead.refers(case, SHELTER)) == AGAIN


def test_draft_of_a_second_request_says_what_is_in_the_way(
    lead: Someone, case: Json
) -> None:
    draft = done(lead.refers(case, SHELTER, send=False))
    assert actions(draft)["send"]["open"]
    first = done(lead.refers(case, SHELTER))

    [unmet] = actions(lead.sees(draft))["send"]["unmet"]
    assert unmet["need"] == "not_already_asked"
    [listed] = done(lead.get("/referrals", state="draft"))["items"]
    assert listed == lead.sees(draft)
    assert lacks(lead.does("send", draft)) == AGAIN

    done(lead.does("revoke", first, {"reason": "NO_LONGER_NEEDED"}))
    assert done(lead.does("send", draft))["state"] == "sent"


def test_request_that_gives_more_goes_to_an_office_that_helps_already(
    lead: Someone, case: Json
) -> None:
    """Only a second referral gives more sections to an office that has accepted."""
    done(lead.refers(case, SHELTER, sections=["needs"]))

    assert done(lead.refers(case, SHELTER, sections=["contact"]))["state"] == "sent"
    assert lacks(lead.refers(case, SHELTER, sections=["contact"])) == AGAIN


def test_another_office_another_service_and_another_case_are_asked_as_before(
    officer: Someone, lead: Someone, case: Json
) -> None:
    done(lead.refers(case, SHELTER))
    other = lead.leads(officer.submits())

    assert lead.refers(case, OTHER).status_code == 201
    assert lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID").status_code == 201
    assert lead.refers(other, SHELTER).status_code == 201


def test_office_whose_help_has_ended_can_be_asked_again(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    first = done(lead.refers(case, SHELTER))
    done(shelter.does("decline", first, {"reason": "NO_CAPACITY"}))

    second = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", second, promise()))
    done(shelter.does("start", second, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "Good"}
    done(shelter.does("complete", second, report))

    assert lead.refers(case, SHELTER).status_code == 201


@pytest.mark.parametrize("asked_first", [SHELTER, OTHER])
def test_lead_of_origin_that_may_not_know_who_helps_is_answered_as_if_nobody_was_asked(
    world: World, officer: Someone, lead: Someone, asked_first: str
) -> None:
    given = [consent(), for_services(), for_handover("UZ_LEAD")]
    case = lead.leads(officer.submits(safeguards=HOME, consents=given))
    done(lead.refers(case, asked_first))
    origin = world.someone("UZ_LEAD")
    done(origin.does("accept", done(lead.offers(case, "UZ_LEAD")), taking()))

    answers = [origin.refers(case, to) for to in (SHELTER, OTHER)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert lacks(origin.refers(case, SHELTER)) == AGAIN  # It sent this referral itself.


def test_lead_of_another_state_that_takes_over_knows_whom_the_first_request_asks(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [consent(), for_services(), for_handover("UZ_LEAD")]
    guards = HOME | {"country_of_origin": "TM"}
    case = lead.leads(officer.submits(safeguards=guards, consents=given))
    done(lead.refers(case, SHELTER))
    next_lead = world.someone("UZ_LEAD")
    done(next_lead.does("accept", done(lead.offers(case, "UZ_LEAD")), taking()))

    assert lacks(next_lead.refers(case, SHELTER)) == AGAIN
    assert done(next_lead.get(path_of(case)))["holder"] == "UZ_LEAD"
