"""The sections that the consents of a case allow an office to open.

The page shows these sections before a referral is sent. The API checks them again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.consents.coverage import matches_recipient
from app.console.api_client import Json
from app.directory.kinds import OfficeFunction, OfficeKind


@dataclass(frozen=True)
class Office:
    """An office, with the attributes by which a class of recipients is defined."""

    id: UUID
    kind: OfficeKind
    function: OfficeFunction
    of_state: str | None
    serves: list[str]


@dataclass(frozen=True)
class NamedClass:
    """A class of recipients of a consent, such as the shelters of a country."""

    kind: OfficeKind | None
    function: OfficeFunction | None
    country: str | None
    focal_point_id: UUID | None = None


def list_agreed_sections(
    consents: Iterable[Json], office: Json, service: str, now: datetime
) -> Sequence[str]:
    """Return the sections that consents allow an office to open for a service."""
    agreed = {
        section
        for consent in consents
        if is_in_force(consent, now)
        and service in consent["purposes"]
        and includes_office(consent, office)
        for section in consent["sections"]
    }
    return sorted(agreed)


def is_in_force(consent: Json, now: datetime) -> bool:
    """Return whether a consent is valid now.

    It is not valid if it was withdrawn, has expired, or does not count at the person's age.
    """
    ended = consent["withdrawn_at"] or consent["not_yet"]
    return not ended and now < datetime.fromisoformat(consent["expires_at"])


def includes_office(consent: Json, office: Json) -> bool:
    """Return whether a consent names an office, or a class of offices that contains it."""
    named = consent["recipient_class"]
    if not named:
        return bool(consent["focal_point"] == office["code"])
    try:
        addressee = Office(
            UUID(int=0),
            OfficeKind(office["kind"]),
            OfficeFunction(office["function"]),
            office["of_state"],
            office["serves"],
        )
        recipients = NamedClass(
            OfficeKind(named["kind"]),
            OfficeFunction(named["function"]) if named["function"] else None,
            named["country"],
        )
    except ValueError:  # a kind or function that this version does not know
        return False
    return matches_recipient(recipients, addressee)
