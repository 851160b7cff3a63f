"""A case whose lead does not act, and the desk to which the case is escalated."""

from typing import Any, Final

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_unmet,
    make_consent,
    make_lead_consent,
    make_service_consent,
    unwrap,
)

OLD_DESK, NEW_DESK = "DESK_CENTRAL_ASIA", "DESK_CARIBBEAN"
NGOS: Final = ("SANA_SEZIM", "PARTNERSHIP_IN_ACTION")
"""NGOs that can lead in Kazakhstan, in routing order; IOM comes after them."""
STATE_ALONE: Final = [make_consent(), make_service_consent()]


@pytest.fixture
def desk(world: World) -> Someone:
    """Return a coordinator of the desk."""
    return world.add_person(OLD_DESK)


@pytest.fixture
def boss(world: World) -> Someone:
    """Return a supervisor of the desk, who approves as the second person."""
    return world.add_person(OLD_DESK, {Role.SUPERVISOR})


@pytest.fixture
def stuck(world: World, officer: Someone, lead: Someone) -> Json:
    """Return a case whose lead office is closed; only State offices may lead by consent."""
    return close_lead_office(world, officer, lead)


def make_takeover(to: str, **changes: Any) -> Json:
    """Return the body of a request with which the desk gives the lead to an office."""
    return {"focal_point": to, "reason": "LEAD_INACTIVE", "person_informed": True} | changes


def close_lead_office(
    world: World, officer: Someone, lead: Someone, **changes: Any
) -> Json:
    """Submit a case, let an office take the lead, close the office, and run the worker."""
    case = lead.take_lead(officer.submit(**({"consents": STATE_ALONE} | changes)))
    world.close_office(lead.code)
    world.run_worker()
    return case


def record_new_lead(desk: Someone, second: Someone, case: Json, **changes: Any) -> Json:
    """Let two people of the desk record that the person consents to a new lead."""
    body = make_lead_consent(**changes)
    return unwrap(desk.does_with(second, "record-lead-consent", case, body))


def require_all_refused(desk: Someone, case: Json, *offices: str) -> None:
    """Check that the desk may not choose any of these offices as the lead."""
    for one in offices:
        assert get_unmet(desk.does("take-over", case, make_takeover(one))) == [
            ("focal_point_chosen", "desk")
        ]
