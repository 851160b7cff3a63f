"""A lead of the State of origin cannot infer the recipient of a consent from its expiry."""

from typing import Final

import pytest

from tests.api.test_consent_expiry import (
    END,
    SHELTER,
    lead_case,
    list_consent_events,
    list_consent_lines,
    record_consent,
    run_worker_at,
    start_shelter,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    make_consent,
    make_handover_consent,
    make_takeover,
    unwrap,
)

HOME: Final = {"country_of_origin": "UZ", "origin_contact": "permitted"}
LATE: Final = "2026-12-01T00:00:00Z"
OFFICES: Final = [SHELTER, "KZ_LEGAL_AID", "SANA_SEZIM"]


def consent_to_shelter(office: str, expires_at: str) -> Json:
    """Return a consent that allows one office to give shelter until `expires_at`."""
    return make_consent(
        focal_point=office,
        purposes=["SHELTER"],
        sections=["needs", "contact"],
        expires_at=expires_at,
    )


@pytest.fixture
def successor(world: World) -> Someone:
    """Return a person of the focal point of Uzbekistan, the State of origin."""
    return world.add_person("UZ_LEAD")


def hand_over_to_origin(
    world: World, successor: Someone, hidden: Json
) -> tuple[Json, Someone]:
    """Return a case that Uzbekistan leads now, and the shelter in Kazakhstan that helps."""
    lead, shelter = world.add_person("KZ_LEAD"), world.add_person(SHELTER)
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    case = lead_case(officer, lead, hidden, make_handover_consent(), safeguards=HOME)
    start_shelter(lead, shelter, case)
    unwrap(successor.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))
    successor.poll(), shelter.poll()
    return case, shelter


def list_seen(world: World, successor: Someone) -> list[object]:
    """Return the consent events and worklist entries of the new lead until 16 July."""
    found: list[object] = []
    for moment in ("2026-06-18", "2026-06-29", "2026-07-02", "2026-07-16"):
        run_worker_at(world, f"{moment}T12:00:00Z")
        found += [
            [(kind, f.get("days")) for kind, f in list_consent_events(successor)],
            list_consent_lines(successor),
        ]
    return found


@pytest.mark.parametrize("guess", OFFICES)
def test_a_consent_that_the_lead_records_does_not_show_whom_another_names(
    world: World, successor: Someone, guess: str
) -> None:
    case, shelter = hand_over_to_origin(world, successor, consent_to_shelter(SHELTER, END))
    record_consent(successor, case, consent_to_shelter(guess, LATE))

    found = list_seen(world, successor)

    subject = f"cases/{case['code']}"
    assert found == [
        [("consent.expiring", 14)],
        [(subject, "2026-06-28T12:00:00Z")],
        [("consent.expiring", 3)],
        [(subject, END)],
        [("consent.expired", None)],
        [(subject, END)],
        [],
        [],
    ]
    assert [kind for kind, _ in list_consent_events(shelter)] == (
        []
        if guess == SHELTER
        else ["consent.expiring", "consent.expiring", "consent.expired"]
    )


@pytest.mark.parametrize("guess", OFFICES)
def test_a_consent_of_the_leads_own_does_not_show_whether_another_covers_it(
    world: World, successor: Someone, guess: str
) -> None:
    case, _ = hand_over_to_origin(world, successor, consent_to_shelter(SHELTER, LATE))
    record_consent(successor, case, consent_to_shelter(guess, END))

    found = list_seen(world, successor)

    subject = f"cases/{case['code']}"
    assert found == [
        [("consent.expiring", 14)],
        [(subject, "2026-06-28T12:00:00Z")],
        [("consent.expiring", 3)],
        [(subject, END)],
        [("consent.expired", None)],
        [(subject, END)],
        [],
        [],
    ]
