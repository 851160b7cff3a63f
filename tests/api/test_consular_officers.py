"""A consular officer may answer referrals for consular documents, and no others."""

import pytest

from app.kernel.actors import Role
from tests.support.case_actions import list_steps
from tests.support.returns import CONSULATE
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_problem,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

REPORT: Json = {"outcome": "delivered", "feedback": "The document is issued"}
HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
PAPERS: Json = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
DOCUMENT_CONSENT = make_consent(focal_point=CONSULATE, **PAPERS)
INTERPRETATION_CONSENT = make_consent(
    focal_point=CONSULATE, purposes=["INTERPRETATION"], sections=["needs"]
)
ASKS: Json = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}


@pytest.fixture
def consul(world: World) -> Someone:
    """Return a person of the consulate whose only role is officer."""
    return world.add_person(CONSULATE, {Role.OFFICER})


@pytest.fixture
def case(world: World, lead: Someone) -> Json:
    """Return a case submitted by an NGO, with consents to two services of the consulate."""
    given = [
        make_consent(),
        make_service_consent(),
        DOCUMENT_CONSENT,
        INTERPRETATION_CONSENT,
    ]
    ngo = world.add_person("SANA_SEZIM")
    return lead.take_lead(ngo.submit(safeguards=HOME, consents=given))


def test_officer_of_a_consulate_takes_a_request_for_papers_from_first_to_last(
    lead: Someone, consul: Someone, case: Json
) -> None:
    referral = unwrap(lead.refer(case, CONSULATE, **ASKS))
    assert set(get_actions(consul.read(referral))) == {
        "acknowledge",
        "ask",
        "accept",
        "decline",
        "redirect",
    }

    unwrap(consul.does("acknowledge", referral))
    unwrap(consul.does("accept", referral, make_acceptance()))
    unwrap(consul.does("start", referral, {"person_met": True}))

    assert unwrap(consul.does("complete", referral, REPORT))["state"] == "completed"


def test_officer_of_a_consulate_declines_a_request_for_papers_and_says_it_deleted(
    lead: Someone, consul: Someone, case: Json
) -> None:
    referral = unwrap(lead.refer(case, CONSULATE, **ASKS))

    unwrap(consul.does("decline", referral, {"reason": "NO_CAPACITY"}))

    assert consul.does("confirm-deletion", referral).status_code == 204


def test_officer_of_a_consulate_answers_no_request_for_another_service(
    lead: Someone, consul: Someone, case: Json
) -> None:
    asks = {"service": "INTERPRETATION", "sections": ["needs"]}
    referral = unwrap(lead.refer(case, CONSULATE, **asks))

    refused = consul.does("accept", referral, make_acceptance())

    assert get_problem(refused) == (403, "role-missing")
    assert list_steps(consul.read(referral)) == []


def test_officer_of_an_office_that_is_no_consulate_answers_no_request_for_papers(
    world: World, lead: Someone, case: Json
) -> None:
    path = f"/cases/{case['code']}/consents"
    unwrap(lead.create(path, make_consent(focal_point="IOM", **PAPERS)))
    referral = unwrap(lead.refer(case, "IOM", **ASKS))
    officer = world.add_person("IOM", {Role.OFFICER})

    assert get_problem(officer.does("accept", referral, make_acceptance())) == (
        403,
        "role-missing",
    )


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR])
def test_other_roles_of_a_consulate_answer_no_request_for_papers(
    world: World, lead: Someone, case: Json, role: Role
) -> None:
    referral = unwrap(lead.refer(case, CONSULATE, **ASKS))

    refused = world.add_person(CONSULATE, {role}).does(
        "accept", referral, make_acceptance()
    )

    assert refused.status_code == 403
