"""What every journey says: synthetic, and marked so in every text."""

from datetime import datetime, timedelta
from typing import Any, Final

from app.demo.cast import Part

type Json = dict[str, Any]

PHONE: Final = "+12025550142"
"""Of the numbers that are kept for fiction: it rings nowhere."""


def build_summary(country: str, language: str, *services: str, **changes: Any) -> Json:
    """Write the notice of an adult, urgent, unless changed: it identifies nobody."""
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
    """Name whoever is of this kind in a country, as whom a person lets know."""
    return {"recipient_class": {"kind": kind, "country": country}}


def name_office(part: Part) -> Json:
    """Name one focal point, as whom a person lets know."""
    return {"focal_point": part.focal_point}


def build_consent(
    now: datetime, who: Json, *purposes: str, language: str = "uz", **changes: Any
) -> Json:
    """Write down what somebody agreed to: to their needs and contact, unless changed."""
    return {
        **who,
        "purposes": list(purposes),
        "sections": ["needs", "contact"],
        "given_by": "person",
        "language": language,
        "form_version": "demo-1",
        "obtained_on": now.date().isoformat(),
        "expires_at": (now + timedelta(days=180)).isoformat(timespec="seconds"),
        "evidence": "Synthetic: explained in their own language, agreed aloud.",
    } | changes


def build_needs(summary: str, danger: str) -> Json:
    """Say what is needed, without a name, and what whoever helps must know."""
    return {
        "section": "needs",
        "summary": f"{summary} (synthetic).",
        "safety_notice": f"{danger} (synthetic).",
    }


def build_contact(alias: str, channel: str) -> Json:
    """Say how the person is reached without danger."""
    return {
        "section": "contact",
        "alias": f"{alias} (synthetic)",
        "safe_channel": channel,
    }


def build_identity(nationality: str, *names: str) -> Json:
    """Say who the person is, in every script their papers use."""
    return {"section": "identity", "names": list(names), "nationality": nationality}


def build_contacts(part: Part) -> list[Json]:
    """Name two people who can be reached."""
    return [{"name": name, "phone": PHONE} for name in part.people]


def build_meeting(part: Part, at: str) -> Json:
    """Promise a first meeting."""
    place = {"place": "Demo street 1, side door", "at": at, "person": part.people[0]}
    return {"meeting": place, "contacts": build_contacts(part)}
