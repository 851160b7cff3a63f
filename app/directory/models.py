"""Tables of countries, offices, their contacts, and agreements between countries."""

from datetime import date, datetime
from typing import ClassVar, Final, override
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.directory.addresses import Channel
from app.directory.kinds import (
    Confidence,
    DisclosureLevel,
    OfficeFunction,
    OfficeKind,
    StateRouting,
)
from app.kernel.db import Base
from app.kernel.journal import Mailbox
from app.kernel.protected_rows import ProtectedRow
from app.kernel.stored_names import store_enum

OFFICE_KIND: Final = store_enum(OfficeKind, "kind")
"""The column type of `OfficeKind`."""
OFFICE_FUNCTION: Final = store_enum(OfficeFunction, "function")
"""The column type of `OfficeFunction`."""


class Country(ProtectedRow, Base):
    """A country in the directory. A value without a source is null or empty."""

    __tablename__ = "country"
    harmless: ClassVar = {
        "state_routing": StateRouting.AVOID,
        "languages": [],
        "time_zone": "UTC",
    }

    code: Mapped[str] = mapped_column("iso2", String(2), key="code", primary_key=True)
    name: Mapped[str]
    region: Mapped[str]
    languages: Mapped[list[str]]
    time_zone: Mapped[str]
    state_routing: Mapped[StateRouting]
    first_contact: Mapped[str | None]
    needs_criminal_case: Mapped[str | None]
    routing_reason: Mapped[str | None]
    lead_body: Mapped[str | None]
    source: Mapped[str | None]
    as_of: Mapped[str | None]
    confidence: Mapped[str]


class FocalPoint(ProtectedRow, Base):
    """An office that can receive cases. Unknown values are null or empty."""

    __tablename__ = "focal_point"
    harmless: ClassVar = {
        "active": False,
        "can_lead": False,
        "of_state": None,
        "time_zone": "UTC",
        "deputy": None,
        "short_names": {},
        "places": None,
        "capacity": None,
        "serves": [],
        "services": [],
        "languages": [],
        "sexes": [],
        "ages": [],
        "opening": [],
    }

    id: Mapped[UUID] = mapped_column(ForeignKey(Mailbox.focal_point_id), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str]
    short_names: Mapped[dict[str, str]] = mapped_column(default=dict, server_default="{}")
    kind: Mapped[OfficeKind] = mapped_column(OFFICE_KIND)
    function: Mapped[OfficeFunction] = mapped_column(OFFICE_FUNCTION)
    of_state: Mapped[str | None] = mapped_column(String(2))
    serves: Mapped[list[str]]
    time_zone: Mapped[str]
    languages: Mapped[list[str]]
    services: Mapped[list[str]]
    sexes: Mapped[list[str]]
    ages: Mapped[list[str]]
    opening: Mapped[list[str]]
    places: Mapped[int | None]
    capacity: Mapped[int | None]
    capacity_as_of: Mapped[datetime | None]
    deputy: Mapped[str | None] = mapped_column(String(40))
    can_lead: Mapped[bool]
    active: Mapped[bool]
    confidence: Mapped[Confidence]
    source: Mapped[str | None]
    as_of: Mapped[str | None]
    deactivated_by_account: Mapped[bool | None]

    @override
    def is_office(self, focal_point_id: str | None) -> bool:
        return str(self.id) == focal_point_id


class Contact(ProtectedRow, Base):
    """An address of a duty post, never of a person, for notifications to an office.

    Two rows of one office with the same label are two channels to the same post. The public
    directory does not include contacts (A9).
    """

    __tablename__ = "contact"
    harmless: ClassVar = {"active": False}

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    focal_point: Mapped[str] = mapped_column(ForeignKey(FocalPoint.code), index=True)
    channel: Mapped[Channel]
    address: Mapped[str] = mapped_column(String(254))
    language: Mapped[str]
    label: Mapped[str]
    active: Mapped[bool]
    deactivated_by_account: Mapped[bool | None]


class Agreement(ProtectedRow, Base):
    """An agreement on the data that may cross borders between countries."""

    __tablename__ = "agreement"
    harmless: ClassVar = {"countries": [], "level": DisclosureLevel.SUMMARY}

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str]
    countries: Mapped[list[str]]
    level: Mapped[DisclosureLevel] = mapped_column(store_enum(DisclosureLevel, "level"))
    in_force_from: Mapped[date]
    in_force_until: Mapped[date | None]
    confidence: Mapped[Confidence]
    source: Mapped[str | None]
