"""Tables of consents and refusals."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.cases.models import Case
from app.cases.protected_records import CaseRecord
from app.consents.coverage import GivenBy
from app.directory.kinds import OfficeFunction, OfficeKind
from app.directory.models import OFFICE_FUNCTION, OFFICE_KIND, FocalPoint
from app.kernel.db import Base


class Refusal(Base):
    """One refusal of a referral by an adult, with no link to a person or case (R91)."""

    __tablename__ = "refusal"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(String(2))
    week: Mapped[date]
    """The Monday of the week, in UTC."""


class Consent(CaseRecord, Base):
    """A consent of the person, with its recipients, purposes, sections and end.

    It names one office, or a class of offices by kind, country and optional function.
    """

    __tablename__ = "consent"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), index=True)
    focal_point_id: Mapped[UUID | None] = mapped_column(ForeignKey(FocalPoint.id))
    kind: Mapped[OfficeKind | None] = mapped_column(OFFICE_KIND)
    function: Mapped[OfficeFunction | None] = mapped_column(OFFICE_FUNCTION)
    country: Mapped[str | None] = mapped_column(String(2))
    purposes: Mapped[list[str]]
    sections: Mapped[list[str]]
    given_by: Mapped[GivenBy]
    language: Mapped[str]
    interpreter: Mapped[bool]
    form_version: Mapped[str]
    obtained_on: Mapped[date]
    expires_at: Mapped[datetime]
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawal_reported_at: Mapped[datetime | None]
    """When an office that the person fears reported a withdrawal (ADR 53).

    The consent stays valid until another office records its withdrawal. No rule uses this.
    """
