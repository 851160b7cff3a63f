"""Cases in which a shelter helps the person."""

from typing import Final

from tests.support.world import (
    Json,
    Someone,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

SHELTER: Final = "KZ_SHELTER_KOGERSHIN"


def add_case(officer: Someone, lead: Someone, shelter: Someone) -> Json:
    """Return a new case in which a shelter helps that may read only the section `needs`."""
    given = [make_consent(), make_service_consent(sections=["needs"])]
    case = lead.take_lead(officer.submit(consents=given))
    unwrap(shelter.does("accept", unwrap(lead.refer(case, SHELTER)), make_acceptance()))
    return case
