"""A reading in an emergency is for the part that an office had then, and no other."""

import pytest

from app.kernel.actors import Role
from tests.api.test_vital_readings import (
    HIDDEN,
    READING,
    SHELTER,
    asks,
    granted,
    listed,
    opens,
    path,
)
from tests.world import (
    Json,
    Someone,
    World,
    consent,
    contacts,
    done,
    for_services,
    problem,
    promise,
    taking,
)


@pytest.fixture
def watcher(world: World) -> Someone:
    return world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    given = [consent(), for_services(sections=["needs"])]
    return lead.leads(officer.submits(consents=given))


@pytest.fixture
def sent(case: Json, lead: Someone, shelter: Someone) -> Json:
    referral = done(lead.refers(case, SHELTER))
    return done(shelter.does("accept", referral, promise()))


def takes_back(lead: Someone, referral: Json) -> None:
    done(lead.does("withdraw", referral, {"reason": "NO_LONGER_NEEDED"}))


def test_it_does_not_come_back_with_another_part(
    lead: Someone, shelter: Someone, watcher: Someone, case: Json, sent: Json
) -> None:
    granted(shelter, watcher, case)
    before = opens(shelter, case)
    takes_back(lead, sent)
    lead.world.passes(minutes=1)

    done(lead.refers(case, SHELTER))

    assert before.is_success
    assert problem(opens(shelter, case)) == HIDDEN
    granted(shelter, watcher, case)
    assert opens(shelter, case).is_success


def test_it_is_not_permitted_to_an_office_whose_part_has_ended(
    lead: Someone, shelter: Someone, watcher: Someone, case: Json, sent: Json
) -> None:
    asked = asks(shelter, case)
    takes_back(lead, sent)

    late = watcher.post(path(case, asked, "permit"))

    assert problem(late) == (409, "reading-decided")
    assert done(watcher.post(path(case, asked, "refuse")))["state"] == "refused"


def test_it_goes_on_where_a_candidate_takes_the_lead(
    world: World, officer: Someone, lead: Someone, watcher: Someone
) -> None:
    case = officer.submits()
    done(lead.does("acknowledge", case))
    granted(lead, watcher, case, sections=["health"])
    world.passes(hours=1)

    done(lead.does("accept-lead", case, {"contacts": contacts()}))

    assert opens(lead, case, "health").is_success


def test_a_retry_tells_no_more_than_is_to_be_known_by_then(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    to_iom = consent(focal_point="IOM", purposes=["HANDOVER"])
    given = [consent(), for_services(), for_services(kind="state"), to_iom]
    case, iom = lead.leads(officer.submits(consents=given)), lead.world.someone("IOM")
    done(lead.refers(case, SHELTER))
    permit = path(case, asks(shelter, case, sections=["health"]), "permit")
    done(lead.post(permit, idempotency_key="once"))
    done(iom.does("accept", done(lead.offers(case, "IOM")), taking()))
    done(iom.refers(case, lead.code, service="LEGAL_AID"))

    again = lead.post(permit, idempotency_key="once")

    assert listed(lead, case) == []
    assert problem(again) == HIDDEN


def test_one_account_has_one_question_in_a_case_or_many_would_bury_it(
    world: World, shelter: Someone, watcher: Someone, case: Json, sent: Json
) -> None:
    assert sent["state"] == "accepted"
    asked = asks(shelter, case)

    again = shelter.creates(path(case), READING | {"sections": ["health"]})
    asks(world.someone(SHELTER), case)

    assert problem(again) == (409, "reading-waits")
    assert len(listed(watcher, case)) == 2
    done(watcher.post(path(case, asked, "refuse")))
    assert asks(shelter, case)["state"] == "asked"
