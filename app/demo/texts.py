"""Request bodies for the journeys. The data is made up and marked as synthetic."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from app.demo.demo_accounts import DemoAccount

type Json = dict[str, Any]

PHONE: Final = "+12025550142"
"""A telephone number that is reserved for fiction."""
LATEST_ZONE: Final = timedelta(hours=12)
"""The offset behind UTC of the time zone in which each day begins last."""


def build_summary(country: str, language: str, *services: str, **changes: Any) -> Json:
    """Return a summary, by default for an adult and with priority `urgent`."""
    return {
        "country": country,
        "age_class": "adult",
        "language": language,
        "priority": "urgent",
        "services": list(services),
        "urgent_needs": [],
        "safe_contact": "yes",
    } | changes


def name_class(kind: str, country: str) -> Json:
    """Return the recipient of a consent that names all offices of a kind in a country."""
    return {"recipient_class": {"kind": kind, "country": country}}


def name_office(part: DemoAccount) -> Json:
    """Return the recipient of a consent that names one office."""
    return {"focal_point": part.focal_point}


def build_recipient(
    named: Json, *purposes: str, sections: Iterable[str] = ("needs", "contact")
) -> Json:
    """Return a recipient of a consent, with its purposes and sections."""
    return named | {"purposes": list(purposes), "sections": list(sections)}


def build_consent(
    now: datetime, *recipients: Json, language: str = "uz", **changes: Any
) -> Json:
    """Return a consent form that names these recipients.

    Its date is the latest day that has begun in every time zone, because the console
    refuses a day that has not begun where the officer works.
    """
    return {
        "recipients": list(recipients),
        "given_by": "person",
        "language": language,
        "form_version": "demo-1",
        "obtained_on": (now - LATEST_ZONE).date().isoformat(),
        "expires_at": (now + timedelta(days=180)).isoformat(timespec="seconds"),
        "evidence": "Synthetic: explained in their own language, agreed aloud.",
    } | changes


def build_needs(summary: str, danger: str) -> Json:
    """Return the section `needs`, with the safety alert."""
    return {
        "section": "needs",
        "summary": f"{summary} (synthetic).",
        "safety_alert": f"{danger} (synthetic).",
    }


def build_contact(alias: str, channel: str) -> Json:
    """Return the section `contact`, with the safe way to contact the person."""
    return {"section": "contact", "alias": f"{alias} (synthetic)", "safe_channel": channel}


def build_identity(nationality: str, *names: str) -> Json:
    """Return the section `identity`, with each spelling of the name in the documents."""
    return {"section": "identity", "names": list(names), "nationality": nationality}


def build_contacts(part: DemoAccount) -> list[Json]:
    """Return the contacts of an office."""
    return [{"name": name, "phone": PHONE} for name in part.people]


def build_meeting(part: DemoAccount, at: str) -> Json:
    """Return the arrangement of a first meeting with the person."""
    place = {"place": "Demo street 1, side door", "at": at, "person": part.people[0]}
    return {"meeting": place, "contacts": build_contacts(part)}
