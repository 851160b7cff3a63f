"""Emergency access ends together with the relation for which it was granted."""

import pytest

from app.kernel.actors import Role
from tests.api.test_vital_readings import (
    HIDDEN,
    READING,
    asks,
    granted,
    listed,
    opens,
    path,
)
from tests.support.account_changes import get_account_path
from tests.support.helped_cases import SHELTER
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    make_acceptance,
    make_consent,
    make_contacts,
    make_service_consent,
    make_takeover,
    unwrap,
)


@pytest.fixture
def watcher(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    given = [make_consent(), make_service_consent(sections=["needs"])]
    return lead.take_lead(officer.submit(consents=given))


NO: Json = {"reason": "NO_CAPACITY"}


@pytest.fixture
def sent(case: Json, lead: Someone, shelter: Someone) -> Json:
    referral = unwrap(lead.refer(case, SHELTER))
    return unwrap(shelter.does("accept", referral, make_acceptance()))


def takes_back(lead: Someone, referral: Json) -> None:
    unwrap(lead.does("withdraw", referral, {"reason": "NO_LONGER_NEEDED"}))


def test_it_does_not_come_back_with_another_part(
    lead: Someone, shelter: Someone, watcher: Someone, case: Json, sent: Json
) -> None:
    granted(shelter, watcher, case)
    before = opens(shelter, case)
    takes_back(lead, sent)
    lead.world.advance(minutes=1)

    unwrap(lead.refer(case, SHELTER))

    assert before.is_success
    assert get_problem(opens(shelter, case)) == HIDDEN
    granted(shelter, watcher, case)
    assert opens(shelter, case).is_success


def test_it_is_not_permitted_to_an_office_whose_part_has_ended(
    lead: Someone, shelter: Someone, watcher: Someone, case: Json, sent: Json
) -> None:
    access = asks(shelter, case)
    takes_back(lead, sent)

    late = watcher.send(path(case, access, "grant"))

    assert get_problem(late) == (409, "emergency-access-decided")
    assert unwrap(watcher.send(path(case, access, "refuse")))["state"] == "refused"


def test_it_goes_on_where_a_candidate_takes_the_lead(
    world: World, officer: Someone, lead: Someone, watcher: Someone
) -> None:
    case = officer.submit()
    unwrap(lead.does("acknowledge", case))
    granted(lead, watcher, case, sections=["health"])
    world.advance(hours=1)

    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))

    assert opens(lead, case, "health").is_success


def test_a_retry_tells_no_more_than_is_to_be_known_by_then(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    to_iom = make_consent(focal_point="IOM", purposes=["HANDOVER"])
    given = [
        make_consent(),
        make_service_consent(),
        make_service_consent(kind="state"),
        to_iom,
    ]
    case, iom = lead.take_lead(officer.submit(consents=given)), lead.world.add_person("IOM")
    unwrap(lead.refer(case, SHELTER))
    permit = path(case, asks(shelter, case, sections=["health"]), "grant")
    unwrap(lead.send(permit, idempotency_key="once"))
    unwrap(iom.does("accept", unwrap(lead.offer(case, "IOM")), make_takeover()))
    unwrap(iom.refer(case, lead.code, service="LEGAL_AID"))

    again = lead.send(permit, idempotency_key="once")

    assert listed(lead, case) == []
    assert get_problem(again) == HIDDEN


def test_one_account_has_one_question_in_a_case_or_many_would_bury_it(
    world: World, shelter: Someone, watcher: Someone, case: Json, sent: Json
) -> None:
    assert sent["state"] == "accepted"
    access = asks(shelter, case)

    again = shelter.create(path(case), READING | {"sections": ["health"]})
    asks(world.add_person(SHELTER), case)

    assert get_problem(again) == (409, "emergency-access-pending")
    assert len(listed(watcher, case)) == 2
    unwrap(watcher.send(path(case, access, "refuse")))
    assert asks(shelter, case)["state"] == "requested"


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
    ngos = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
    wrote, reads = world.add_person(writer), world.add_person(reader)
    case = wrote.submit(
        consents=[make_consent(), ngos, make_service_consent(sections=["needs"])]
    )
    lead = reads if reader in {"KZ_LEAD", "SANA_SEZIM"} else world.add_person("KZ_LEAD")
    if reader == "SANA_SEZIM":
        assert world.add_person("KZ_LEAD").does("decline-lead", case, NO).is_success
    lead.take_lead(case)
    if lead is not reads:
        unwrap(reads.does("accept", unwrap(lead.refer(case, reader)), make_acceptance()))

    granted(reads, watcher, case, sections=["identity"])

    assert opens(reads, case, "identity").is_success is read


def test_who_works_on_cases_no_more_opens_nothing_in_an_emergency(
    world: World, watcher: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    unwrap(shelter.does("accept", unwrap(lead.refer(case, SHELTER)), make_acceptance()))
    granted(shelter, watcher, case)
    boss = world.add_person(shelter.code, {Role.SUPERVISOR})
    roles = {"roles": ["officer", "caseworker", "coordinator"]}
    while_it_works = opens(shelter, case).status_code

    unwrap(boss.send(f"{get_account_path(shelter)}/revoke-roles", roles))

    assert (while_it_works, opens(shelter, case).is_success) == (200, False)
