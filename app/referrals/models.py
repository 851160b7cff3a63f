"""Models of referrals and of the values that they store."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.models import Case
from app.directory.kinds import Service
from app.directory.models import FocalPoint
from app.kernel.actors import HOLDING_RELATIONS, Relation
from app.kernel.db import Base, Listed
from app.referrals.lifecycle import State


class Basis(StrEnum):
    """The legal basis for informing a recipient about the person."""

    CONSENT = "consent"
    CHILD_PATH = "child_path"
    VITAL_INTEREST = "vital_interest"


class Clearance(StrEnum):
    """The progress of a return's checklist; null for a referral for another service."""

    CLEARED = "cleared"
    DONE = "done"


class Referral(Listed, Base):
    """A request to one office for one service, sent by the office that holds the case."""

    __tablename__ = "referral"
    __table_args__ = (
        Index("ix_referral_case_id", "case_id"),
        {"sqlite_autoincrement": True},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    service: Mapped[Service]
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    sections: Mapped[list[str]]
    asked: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    basis: Mapped[Basis | None]
    clearance: Mapped[Clearance | None]
    predecessor_id: Mapped[UUID | None] = mapped_column(ForeignKey("referral.id"))
    state: Mapped[State] = mapped_column(default=State.DRAFT)
    version: Mapped[int] = mapped_column(default=1)
    reason: Mapped[str | None]
    outcome: Mapped[str | None]
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey(FocalPoint.id))

    case: Mapped[Case] = relationship()
    recipient: Mapped[FocalPoint] = relationship(foreign_keys=recipient_id)

    @property
    def reference(self) -> str:
        """The path of this referral in the API."""
        return f"referrals/{self.id}"

    def list_relations(self, focal_point: UUID) -> frozenset[Relation]:
        """Return an office's relations to the referral, including as holder of the case."""
        relations = frozenset(
            party.relation
            for party in self.case.parties
            if party.record_id == self.id
            and party.focal_point_id == focal_point
            and not party.until
        )
        return relations | (self.case.list_relations(focal_point) & set(HOLDING_RELATIONS))

    @property
    def audience(self) -> frozenset[UUID]:
        """The offices that may know of the referral: its parties and the case's holder."""
        parties = {
            party.focal_point_id
            for party in self.case.parties
            if party.record_id == self.id and not party.until
        }
        holder = self.case.holder
        return frozenset(parties | ({holder} if holder else set()))

    def raise_version(self) -> None:
        """Raise the version, so that an earlier `If-Match` no longer matches."""
        self.version += 1
