"""A lead that does not act, and the desk that was brought in beside it."""

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
"""Who can lead in Kazakhstan beside its own body, as routing orders them; then IOM."""
STATE_ALONE: Final = [consent(), for_services()]


@pytest.fixture
def desk(world: World) -> Someone:
    """A coordinator of the desk."""
    return world.someone(OLD_DESK)


@pytest.fixture
def boss(world: World) -> Someone:
    """The second person of the desk."""
    return world.someone(OLD_DESK, {Role.SUPERVISOR})


@pytest.fixture
def stuck(world: World, officer: Someone, lead: Someone) -> Json:
    """A case whose person agreed to State bodies alone, and whose only lead is closed."""
    return strand(world, officer, lead)


def giving(to: str, **changes: Any) -> Json:
    """Give an office the lead."""
    return {"focal_point": to, "reason": "LEAD_INACTIVE", "person_informed": True} | changes


def strand(world: World, officer: Someone, lead: Someone, **changes: Any) -> Json:
    """Let a lead take a case, and shut its office."""
    case = lead.leads(officer.submits(**({"consents": STATE_ALONE} | changes)))
    world.shuts(lead.code)
    world.works()
    return case


def records(desk: Someone, second: Someone, case: Json, **changes: Any) -> Json:
    """Record a consent to a new lead, with a second person."""
    body = lead_consent(**changes)
    return done(desk.does_with(second, "record-lead-consent", case, body))


def refuses_all(desk: Someone, case: Json, *offices: str) -> None:
    """Show that the desk may choose none of some offices."""
    for one in offices:
        assert lacks(desk.does("take-over", case, giving(one))) == [
            ("focal_point_chosen", "desk")
        ]
