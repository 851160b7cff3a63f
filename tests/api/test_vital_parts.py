"""Tests that emergency access ends with the relation for which it was granted."""

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
from tests.support.account_changes import account_of
from tests.support.world import (
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


NO: Json = {"reason": "NO_CAPACITY"}


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


@pytest.mark.parametrize(
    ("writer", "reader", "read"),
    [
        ("UZ_CONSULATE_ALMATY", "KZ_LEAD", True),
        ("UZ_CONSULATE_ALMATY", "SANA_SEZIM", True),
        ("SANA_SEZIM", "KZ_LEAD", False),
        ("SANA_SEZIM", "KZ_SHELTER_KOGERSHIN", True),
    ],
)
def test_a_name_is_read_in_an_emergency_but_an_ngos_by_no_state_body(
    world: World, watcher: Someone, writer: str, reader: str, *, read: bool
) -> None:
    ngos = consent(recipient_class={"kind": "non_state", "country": "KZ"})
    wrote, reads = world.someone(writer), world.someone(reader)
    case = wrote.submits(consents=[consent(), ngos, for_services(sections=["needs"])])
    lead = reads if reader in {"KZ_LEAD", "SANA_SEZIM"} else world.someone("KZ_LEAD")
    if reader == "SANA_SEZIM":
        assert world.someone("KZ_LEAD").does("decline-lead", case, NO).is_success
    lead.leads(case)
    if lead is not reads:
        done(reads.does("accept", done(lead.refers(case, reader)), promise()))

    granted(reads, watcher, case, sections=["identity"])

    assert opens(reads, case, "identity").is_success is read


def test_who_works_on_cases_no_more_opens_nothing_in_an_emergency(
    world: World, watcher: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    done(shelter.does("accept", done(lead.refers(case, SHELTER)), promise()))
    granted(shelter, watcher, case)
    boss = world.someone(shelter.code, {Role.SUPERVISOR})
    roles = {"roles": ["officer", "caseworker", "coordinator"]}
    while_it_works = opens(shelter, case).status_code

    done(boss.post(f"{account_of(shelter)}/revoke-roles", roles))

    assert (while_it_works, opens(shelter, case).is_success) == (200, False)
