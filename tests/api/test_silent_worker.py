"""While no worker sends notifications: who is told, and who reads telephone numbers."""

import pytest
from sqlalchemy import update

from app.directory.models import Contact
from app.kernel.actors import Role
from tests.support.directory_changes import update_directory
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
NUMBER = "+447700900101"
"""The telephone number of the duty post of the shelter."""


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    consents = [make_consent(), make_service_consent()]
    return lead.take_lead(officer.submit(consents=consents))


def read_telephones(who: Someone, record: Json) -> list[list[str]]:
    """Return the telephone numbers in the delivery evidence, for each recipient."""
    items = unwrap(who.get(f"{get_path(record)}/evidence"))["items"]
    return [one["telephones"] for one in items]


def test_everybody_reads_that_the_worker_is_silent_after_a_minute(world: World) -> None:
    someone = world.add_person("KZ_LEAD", {Role.CASEWORKER})
    found = [unwrap(someone.get("/me"))["worker_silent"]]

    for seconds in (0, 60, 1):
        if not seconds:
            world.run_worker()
        world.advance(seconds=seconds)
        found.append(unwrap(someone.get("/me"))["worker_silent"])

    assert found == [True, False, False, True]


def test_sender_reads_the_telephones_only_while_nobody_was_told(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    world.run_worker()
    referral = unwrap(lead.refer(case, SHELTER))
    at_work = read_telephones(lead, referral)

    world.advance(seconds=61)
    silent = read_telephones(lead, referral)
    own = read_telephones(shelter, referral)
    unwrap(shelter.does("acknowledge", referral))

    assert (at_work, silent, own) == ([[]], [[NUMBER]], [[]])
    assert read_telephones(lead, referral) == [[]]


def test_no_telephones_of_an_office_that_is_no_longer_asked(
    lead: Someone, case: Json
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    before = read_telephones(lead, referral)

    unwrap(lead.does("revoke", referral, {"reason": "SENT_IN_ERROR"}))

    assert (before, read_telephones(lead, referral)) == ([[NUMBER]], [[]])


def test_no_telephones_of_an_office_that_the_reader_may_not_know(
    world: World, officer: Someone, lead: Someone
) -> None:
    """A lead of the State of origin does not learn where the person asked for help."""
    home = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    given = [make_consent(), make_service_consent(), make_handover_consent()]
    case = lead.take_lead(officer.submit(consents=given, safeguards=home))
    sent = unwrap(lead.refer(case, SHELTER))
    there = world.add_person("UZ_LEAD")
    unwrap(there.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))

    [hidden] = unwrap(there.get(f"{get_path(sent)}/evidence"))["items"]

    assert (hidden["recipient"], hidden["telephones"]) == (None, [])


def test_no_telephone_of_a_contact_that_is_not_used(
    world: World, lead: Someone, case: Json
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    with world.write_as_service() as tx:
        update_directory(
            tx.session,
            update(Contact).where(Contact.code == f"{SHELTER}_SMS"),
            active=False,
        )

    assert read_telephones(lead, referral) == [[]]
