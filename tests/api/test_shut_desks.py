"""A desk that replaces a closed desk takes over the cases of that desk."""

import pytest
from sqlalchemy import select, update

from app.directory.models import FocalPoint
from app.kernel.actors import Role
from tests.support.directory_changes import update_directory
from tests.support.world import (
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_consent,
    make_service_consent,
    unwrap,
)

NOBODY = [make_consent(focal_point="KZ_SHELTER_KOGERSHIN")]
OLD, NEW = "DESK_CENTRAL_ASIA", "DESK_CARIBBEAN"


@pytest.fixture
def successor(world: World) -> Someone:
    return world.add_person(NEW)


def replace_desk(world: World) -> None:
    """Close a desk, and assign its region to another desk."""
    with world.database.begin_write() as session:
        office = select(FocalPoint.serves).where(FocalPoint.code == OLD)
        served = session.scalars(office).one()
        new = FocalPoint.code == NEW
        update_directory(session, update(FocalPoint).where(new).values(serves=served))
    world.close_office(OLD)


def test_what_a_shut_desk_holds_passes_to_the_desk_in_its_place(
    world: World, officer: Someone, successor: Someone
) -> None:
    oversight = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    desk = world.add_person(OLD)
    case = officer.submit(consents=NOBODY)
    assert desk.read(case)["you_are"] == ["desk"]
    oversight.poll()

    replace_desk(world)
    world.run_worker()

    assert successor.read(case)["you_are"] == ["desk"]
    assert list_types(successor.poll()) == ["case.rerouted"]
    assert list_types(oversight.poll()) == ["case.not_acknowledged", "case.rerouted"]
    assert get_problem(desk.get(get_path(case))) == (404, "not-found")


def test_a_desk_that_was_late_before_it_was_shut_is_not_waited_for_either(
    world: World, officer: Someone, successor: Someone
) -> None:
    case = officer.submit(consents=NOBODY)
    world.wait(days=3)

    replace_desk(world)
    world.run_worker()

    assert successor.read(case)["you_are"] == ["desk"]


def test_a_shut_desk_beside_a_lead_gives_way_to_the_one_in_its_place(
    world: World, officer: Someone, lead: Someone, successor: Someone
) -> None:
    desk = world.add_person(OLD)
    given = [make_consent(), make_service_consent()]
    case = lead.take_lead(officer.submit(consents=given, risk={"level": "low"}))
    world.wait(days=29)
    assert desk.read(case)["you_are"] == ["escalation_desk"]

    replace_desk(world)
    world.wait(days=15)

    assert successor.read(case)["you_are"] == ["escalation_desk"]
    assert "case.escalated" in list_types(successor.poll())
    assert get_problem(desk.get(get_path(case))) == (404, "not-found")
    assert unwrap(lead.get(get_path(case)))["holder"] == "KZ_LEAD"
