"""What a lead of the State of origin sees of consents that end: never whom they name."""

from typing import Final

import pytest

from tests.api.test_consent_expiry import (
    END,
    SHELTER,
    begun,
    lines,
    record,
    shelters,
    told,
    waits_until,
)
from tests.support.world import Json, Someone, World, consent, done, for_handover, taking

HOME: Final = {"country_of_origin": "UZ", "origin_contact": "permitted"}
LATE: Final = "2026-12-01T00:00:00Z"
OFFICES: Final = [SHELTER, "KZ_LEGAL_AID", "SANA_SEZIM"]


def shelter_by(office: str, expires_at: str) -> Json:
    """A consent to be sheltered by one office."""
    return consent(
        focal_point=office,
        purposes=["SHELTER"],
        sections=["needs", "contact"],
        expires_at=expires_at,
    )


@pytest.fixture
def successor(world: World) -> Someone:
    """Act for the focal point of Uzbekistan, the State of origin."""
    return world.someone("UZ_LEAD")


def led_by_origin(world: World, successor: Someone, hidden: Json) -> tuple[Json, Someone]:
    """A case that the State of origin leads, of a person whom a shelter in KZ helps."""
    lead, shelter = world.someone("KZ_LEAD"), world.someone(SHELTER)
    officer = world.someone("UZ_CONSULATE_ALMATY")
    case = begun(officer, lead, hidden, for_handover(), safeguards=HOME)
    shelters(lead, shelter, case)
    done(successor.does("accept", done(lead.offers(case, "UZ_LEAD")), taking()))
    successor.hears(), shelter.hears()
    return case, shelter


def seen(world: World, successor: Someone) -> list[object]:
    """What the lead hears and has in its worklist, until weeks after the end."""
    found: list[object] = []
    for moment in ("2026-06-18", "2026-06-29", "2026-07-02", "2026-07-16"):
        waits_until(world, f"{moment}T12:00:00Z")
        found += [[(kind, f.get("days")) for kind, f in told(successor)], lines(successor)]
    return found


@pytest.mark.parametrize("guess", OFFICES)
def test_a_consent_that_the_lead_records_does_not_show_whom_another_names(
    world: World, successor: Someone, guess: str
) -> None:
    case, shelter = led_by_origin(world, successor, shelter_by(SHELTER, END))
    record(successor, case, shelter_by(guess, LATE))

    found = seen(world, successor)

    subject = f"cases/{case['code']}"
    assert found == [
        *([("consent.expiring", 14)], [(subject, "2026-06-28T12:00:00Z")]),
        *([("consent.expiring", 3)], [(subject, END)]),
        *([("consent.expired", None)], [(subject, END)]),
        *([], []),
    ]
    assert [kind for kind, _ in told(shelter)] == (
        []
        if guess == SHELTER
        else ["consent.expiring", "consent.expiring", "consent.expired"]
    )


@pytest.mark.parametrize("guess", OFFICES)
def test_a_consent_of_the_leads_own_does_not_show_whether_another_covers_it(
    world: World, successor: Someone, guess: str
) -> None:
    case, _ = led_by_origin(world, successor, shelter_by(SHELTER, LATE))
    record(successor, case, shelter_by(guess, END))

    found = seen(world, successor)

    subject = f"cases/{case['code']}"
    assert found == [
        *([("consent.expiring", 14)], [(subject, "2026-06-28T12:00:00Z")]),
        *([("consent.expiring", 3)], [(subject, END)]),
        *([("consent.expired", None)], [(subject, END)]),
        *([], []),
    ]
