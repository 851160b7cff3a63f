"""The request bodies that the stories send."""

from datetime import UTC, datetime, timedelta

from tests.support import world
from tests.support.world import NOTICE, make_consent, make_contacts, make_handover_consent
from tests.torture.clients import Json


def make_promise() -> Json:
    """Return the request body that accepts a referral; the meeting is tomorrow."""
    at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    meeting = {"place": "Rayymbek 1", "at": at, "person": "Гүлнар"}
    return {"meeting": meeting, "contacts": make_contacts()}


def make_case(priority: str, *, submit: bool) -> Json:
    """Return the request body that creates an adult's case, and submits it if `submit`."""
    now = datetime.now(UTC)
    given = {
        "obtained_on": (now - timedelta(days=2)).date().isoformat(),
        "expires_at": (now + timedelta(days=180)).isoformat(),
    }
    return {
        "submit": submit,
        "summary": NOTICE | {"priority": priority},
        "sections": [
            {"section": "needs", "summary": "A safe bed tonight"},
            {"section": "identity", "names": ["Ойгул Намунавий"]},
        ],
        "safeguards": {"country_of_origin": "UZ", "origin_contact": "permitted"},
        "consents": [
            make_consent(**given),
            world.make_service_consent(**given),
            make_handover_consent(**given),
        ],
        "risk": {"level": "medium"},
    }


def make_suspension() -> Json:
    """Return the request body that suspends a case."""
    review = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
    return {"reason": "SAFETY", "review_at": review}
