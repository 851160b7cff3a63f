"""Tests that a desk that replaces a closed one takes over its cases."""

import pytest
from sqlalchemy import select, update

from app.directory.models import FocalPoint
from app.kernel.actors import Role
from tests.support.world import (
    Someone,
    World,
    consent,
    done,
    for_services,
    kinds,
    path_of,
    problem,
)

NOBODY = [consent(focal_point="KZ_SHELTER_KOGERSHIN")]
OLD, NEW = "DESK_CENTRAL_ASIA", "DESK_CARIBBEAN"


@pytest.fixture
def successor(world: World) -> Someone:
    return world.someone(NEW)


def replace_desk(world: World) -> None:
    """Close a desk and let another desk serve its region."""
    with world.database.writing() as session:
        office = select(FocalPoint.serves).where(FocalPoint.code == OLD)
        served = session.scalars(office).one()
        new = FocalPoint.code == NEW
        session.execute(update(FocalPoint).where(new).values(serves=served))
    world.shuts(OLD)


def test_what_a_shut_desk_holds_passes_to_the_desk_in_its_place(
    world: World, officer: Someone, successor: Someone
) -> None:
    oversight = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    desk = world.someone(OLD)
    case = officer.submits(consents=NOBODY)
    assert desk.sees(case)["you_are"] == ["desk"]
    oversight.hears()

    replace_desk(world)
    world.works()

    assert successor.sees(case)["you_are"] == ["desk"]
    assert kinds(successor.hears()) == ["case.rerouted"]
    assert kinds(oversight.hears()) == ["case.not_acknowledged", "case.rerouted"]
    assert problem(desk.get(path_of(case))) == (404, "not-found")


def test_a_desk_that_was_late_before_it_was_shut_is_not_waited_for_either(
    world: World, officer: Someone, successor: Someone
) -> None:
    case = officer.submits(consents=NOBODY)
    world.waits_for(days=3)

    replace_desk(world)
    world.works()

    assert successor.sees(case)["you_are"] == ["desk"]


def test_a_shut_desk_beside_a_lead_gives_way_to_the_one_in_its_place(
    world: World, officer: Someone, lead: Someone, successor: Someone
) -> None:
    desk = world.someone(OLD)
    given = [consent(), for_services()]
    case = lead.leads(officer.submits(consents=given, risk={"level": "low"}))
    world.waits_for(days=29)
    assert desk.sees(case)["you_are"] == ["escalation_desk"]

    replace_desk(world)
    world.waits_for(days=15)

    assert successor.sees(case)["you_are"] == ["escalation_desk"]
    assert "case.escalated" in kinds(successor.hears())
    assert problem(desk.get(path_of(case))) == (404, "not-found")
    assert done(lead.get(path_of(case)))["holder"] == "KZ_LEAD"
