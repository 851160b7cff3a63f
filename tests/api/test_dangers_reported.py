"""If an office that helps reports a high risk, the lead is notified (story 1)."""

import pytest
from sqlalchemy import select

from app.notifications.models import Notification
from tests.support.world import Json, Someone, World, get_path, make_acceptance, unwrap


@pytest.fixture
def case(officer: Someone, lead: Someone, shelter: Someone) -> Json:
    """Return a case that has a lead and an accepted referral to a shelter."""
    case = lead.take_lead(officer.submit())
    unwrap(
        shelter.does("accept", unwrap(lead.refer(case, shelter.code)), make_acceptance())
    )
    return case


def assess_risk(who: Someone, case: Json, level: str) -> None:
    body = {"level": level, "remarks": "She fears the officer who wrote this"}
    unwrap(who.create(f"{get_path(case)}/risk-assessments", body))


def list_notified_offices(world: World) -> list[object]:
    """Return the office id of each stored notification of a risk assessment."""
    with world.database.begin_read() as session:
        query = select(Notification).where(Notification.why == "case.risk_assessed")
        return [one.focal_point_id for one in session.scalars(query)]


def test_lead_is_called_on_when_a_recipient_says_that_the_danger_is_high(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    assess_risk(shelter, case, "high")

    assert set(list_notified_offices(world)) == {lead.id}
    assert ("risk", "She fears the officer who wrote this") in lead.list_notes(case)


def test_nobody_is_called_on_for_less_or_for_what_the_lead_says_itself(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    assess_risk(shelter, case, "medium")
    assess_risk(lead, case, "high")

    assert list_notified_offices(world) == []
