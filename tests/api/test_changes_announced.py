"""A recipient gets an event when a section that it may read is replaced (BR19)."""

from typing import Any

import pytest
from sqlalchemy import select

from app.notifications.models import Notification
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

CHANGED = "referral.content_changed"
CONTACT: Json = {"section": "contact", "alias": "Зарина", "safe_channel": "Signal"}
NEEDS: Json = {"section": "needs", "summary": "Una cama segura"}


def write_section(lead: Someone, case: Json, content: Json) -> None:
    """Replace a section of a case as the lead."""
    path = f"{get_path(case)}/sections/{content['section']}"
    answer = lead.ask("PUT", path, content, headers={"If_Match": lead.get_tag(case)})
    assert answer.is_success, answer.text


def list_announced_changes(who: Someone) -> list[Any]:
    """Return `by` and the facts of each new event about changed content."""
    events = [one for one in who.poll() if one["type"] == CHANGED]
    return [(one["by"], one["facts"]) for one in events]


def list_notified_offices(world: World) -> set[object]:
    """Return the ids of the offices with a stored notification of changed content."""
    with world.database.begin_read() as session:
        query = select(Notification.focal_point_id).where(Notification.why == CHANGED)
        return set(session.scalars(query))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case with a lead."""
    return lead.take_lead(officer.submit())


def refer_to_shelter(lead: Someone, shelter: Someone, case: Json, *sections: str) -> Json:
    """Return a referral with these sections that a shelter has accepted."""
    sent = unwrap(lead.refer(case, shelter.code, sections=list(sections)))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    return sent


def test_recipient_hears_that_the_contact_was_written_anew_and_is_called_on(
    world: World, lead: Someone, shelter: Someone, stranger: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, "needs", "contact")
    shelter.poll()

    write_section(lead, case, CONTACT)

    assert list_announced_changes(shelter) == [(None, {"section": "contact"})]
    assert list_notified_offices(world) == {shelter.id}
    assert CHANGED not in {one["type"] for one in (*lead.poll(), *stranger.poll())}


def test_recipient_without_the_section_hears_nothing_of_it(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, "needs")
    shelter.poll()

    write_section(lead, case, CONTACT)

    assert list_announced_changes(shelter) == []
    write_section(lead, case, NEEDS)
    assert list_announced_changes(shelter) == [(None, {"section": "needs"})]


def test_who_is_asked_hears_of_needs_and_not_of_a_contact_that_it_cannot_open_yet(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, shelter.code, sections=["needs", "contact"]))
    shelter.poll()

    write_section(lead, case, CONTACT)
    write_section(lead, case, NEEDS)

    assert list_announced_changes(shelter) == [(None, {"section": "needs"})]


def test_recipient_hears_that_the_person_cannot_be_contacted_safely_any_more(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, "needs")
    shelter.poll()
    match = {"If_Match": lead.get_tag(case)}

    unwrap(lead.ask("PATCH", get_path(case), {"safe_contact": "no"}, headers=match))

    assert list_announced_changes(shelter) == [(None, {"field": "safe_contact"})]
    assert list_notified_offices(world) == {shelter.id}


def test_recipient_whose_consent_or_referral_ended_hears_nothing(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [make_consent(), make_service_consent()]
    case = lead.take_lead(officer.submit(consents=given))
    refer_to_shelter(lead, shelter, case, "needs", "contact")
    shelter.poll()
    path = f"{get_path(case)}/consents/withdraw"
    assert lead.send(path, {"purposes": ["SHELTER"]}).is_success
    shelter.poll()

    write_section(lead, case, CONTACT)

    assert list_announced_changes(shelter) == []
