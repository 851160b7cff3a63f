"""A recipient hears when a section that it reads is rewritten (BR19)."""

from typing import Any

import pytest
from sqlalchemy import select

from app.notices.models import Telling
from tests.support.world import (
    Json,
    Someone,
    World,
    consent,
    done,
    for_services,
    path_of,
    promise,
)

CHANGED = "referral.content_changed"
CONTACT: Json = {"section": "contact", "alias": "Зарина", "safe_channel": "Signal"}
NEEDS: Json = {"section": "needs", "summary": "Una cama segura"}


def write_section(lead: Someone, case: Json, content: Json) -> None:
    """Rewrite a section as the lead."""
    path = f"{path_of(case)}/sections/{content['section']}"
    answer = lead.ask("PUT", path, content, headers={"If_Match": lead.tag(case)})
    assert answer.is_success, answer.text


def list_announced_changes(who: Someone) -> list[Any]:
    """Return the sender and the facts of each change of content that an office heard."""
    heard = [one for one in who.hears() if one["type"] == CHANGED]
    return [(one["by"], one["facts"]) for one in heard]


def list_notified_offices(world: World) -> set[object]:
    """Return the ids of the offices that were notified of a change of content."""
    with world.database.reading() as session:
        told = select(Telling.focal_point_id).where(Telling.why == CHANGED)
        return set(session.scalars(told))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """A case with a lead."""
    return lead.leads(officer.submits())


def refer_to_shelter(lead: Someone, shelter: Someone, case: Json, *sections: str) -> Json:
    """Refer a case to a shelter with some sections, and let the shelter accept."""
    sent = done(lead.refers(case, shelter.code, sections=list(sections)))
    done(shelter.does("accept", sent, promise()))
    return sent


def test_recipient_hears_that_the_contact_was_written_anew_and_is_called_on(
    world: World, lead: Someone, shelter: Someone, stranger: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, "needs", "contact")
    shelter.hears()

    write_section(lead, case, CONTACT)

    assert list_announced_changes(shelter) == [(None, {"section": "contact"})]
    assert list_notified_offices(world) == {shelter.id}
    assert CHANGED not in {one["type"] for one in (*lead.hears(), *stranger.hears())}


def test_recipient_without_the_section_hears_nothing_of_it(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, "needs")
    shelter.hears()

    write_section(lead, case, CONTACT)

    assert list_announced_changes(shelter) == []
    write_section(lead, case, NEEDS)
    assert list_announced_changes(shelter) == [(None, {"section": "needs"})]


def test_who_is_asked_hears_of_needs_and_not_of_a_contact_that_it_cannot_open_yet(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    done(lead.refers(case, shelter.code, sections=["needs", "contact"]))
    shelter.hears()

    write_section(lead, case, CONTACT)
    write_section(lead, case, NEEDS)

    assert list_announced_changes(shelter) == [(None, {"section": "needs"})]


def test_recipient_hears_that_the_person_cannot_be_contacted_safely_any_more(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, "needs")
    shelter.hears()
    match = {"If_Match": lead.tag(case)}

    done(lead.ask("PATCH", path_of(case), {"safe_contact": "no"}, headers=match))

    assert list_announced_changes(shelter) == [(None, {"field": "safe_contact"})]
    assert list_notified_offices(world) == {shelter.id}


def test_recipient_whose_consent_or_referral_ended_hears_nothing(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [consent(), for_services()]
    case = lead.leads(officer.submits(consents=given))
    refer_to_shelter(lead, shelter, case, "needs", "contact")
    shelter.hears()
    path = f"{path_of(case)}/consents/withdraw"
    assert lead.post(path, {"purposes": ["SHELTER"]}).is_success
    shelter.hears()

    write_section(lead, case, CONTACT)

    assert list_announced_changes(shelter) == []
