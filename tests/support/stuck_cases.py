"""A case whose lead does not act, and the desk that was admitted beside it."""

from typing import Any, Final

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    consent,
    done,
    for_services,
    lacks,
    lead_consent,
)

OLD_DESK, NEW_DESK = "DESK_CENTRAL_ASIA", "DESK_CARIBBEAN"
NGOS: Final = ("SANA_SEZIM", "PARTNERSHIP_IN_ACTION")
"""NGOs that can lead in Kazakhstan, in the order of routing; IOM comes after them."""
STATE_ALONE: Final = [consent(), for_services()]


@pytest.fixture
def desk(world: World) -> Someone:
    """Return a coordinator of the desk."""
    return world.someone(OLD_DESK)


@pytest.fixture
def boss(world: World) -> Someone:
    """Return the second person of the desk."""
    return world.someone(OLD_DESK, {Role.SUPERVISOR})


@pytest.fixture
def stuck(world: World, officer: Someone, lead: Someone) -> Json:
    """Return a case with a consent to State offices, and a closed lead as the only one."""
    return strand(world, officer, lead)


def giving(to: str, **changes: Any) -> Json:
    """Return the body that gives an office the lead."""
    return {"focal_point": to, "reason": "LEAD_INACTIVE", "person_informed": True} | changes


def strand(world: World, officer: Someone, lead: Someone, **changes: Any) -> Json:
    """Submit a case, give it a lead, and close the office of that lead."""
    case = lead.leads(officer.submits(**({"consents": STATE_ALONE} | changes)))
    world.shuts(lead.code)
    world.works()
    return case


def records(desk: Someone, second: Someone, case: Json, **changes: Any) -> Json:
    """Record a consent to a new lead, with a second person."""
    body = lead_consent(**changes)
    return done(desk.does_with(second, "record-lead-consent", case, body))


def refuses_all(desk: Someone, case: Json, *offices: str) -> None:
    """Check that the desk may choose none of these offices."""
    for one in offices:
        assert lacks(desk.does("take-over", case, giving(one))) == [
            ("focal_point_chosen", "desk")
        ]
