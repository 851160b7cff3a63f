"""Whoever helps says that a person is in danger, and the lead is called on (story 1)."""

import pytest
from sqlalchemy import select

from app.notices.models import Telling
from tests.support.world import Json, Someone, World, done, path_of, promise


@pytest.fixture
def case(officer: Someone, lead: Someone, shelter: Someone) -> Json:
    """A case that is led, whose person sleeps in a shelter."""
    case = lead.leads(officer.submits())
    done(shelter.does("accept", done(lead.refers(case, shelter.code)), promise()))
    return case


def assesses(who: Someone, case: Json, level: str) -> None:
    body = {"level": level, "remarks": "She fears the officer who wrote this"}
    done(who.creates(f"{path_of(case)}/risk-assessments", body))


def called(world: World) -> list[object]:
    """Which offices were called on because the risk was assessed."""
    with world.database.reading() as session:
        told = select(Telling).where(Telling.why == "case.risk_assessed")
        return [one.focal_point_id for one in session.scalars(told)]


def test_lead_is_called_on_when_a_recipient_says_that_the_danger_is_high(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    assesses(shelter, case, "high")

    assert set(called(world)) == {lead.id}
    assert ("risk", "She fears the officer who wrote this") in lead.notes(case)


def test_nobody_is_called_on_for_less_or_for_what_the_lead_says_itself(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    assesses(shelter, case, "medium")
    assesses(lead, case, "high")

    assert called(world) == []
