"""A lead that does not act, and the desk that was brought in beside it."""

from typing import Any, Final

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
