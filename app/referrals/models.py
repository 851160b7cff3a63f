"""Models of referrals and of the values that they store."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.models import Case, Party
from app.cases.protected_records import CaseRecord
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
    """The progress of a return; null before GO, if cancelled, and for other services."""

    CLEARED = "cleared"
    DONE = "done"


class PartyRecord(CaseRecord, Listed):
    """The base class of referrals and handovers, which have a version and parties."""

    path: ClassVar[str]
    """The path of the collection in the API, such as `referrals`."""
    case_relations: ClassVar[tuple[Relation, ...]]
    """Relations to the case that are also relations to the record, by precedence."""
    case: Mapped[Case]
    version: Mapped[int]

    @property
    def reference(self) -> str:
        """The path of this record in the API."""
        return f"{self.path}/{self.id}"

    def list_relations(self, focal_point: UUID) -> frozenset[Relation]:
        """Return an office's relations to the record, and to its case as holder or lead."""
        own = {p.relation for p in self.list_parties() if p.focal_point_id == focal_point}
        of_case = self.case.list_relations(focal_point) & set(self.case_relations)
        return of_case | own

    @property
    def audience(self) -> frozenset[UUID]:
        """The offices that may learn of the record: its parties and the holder or lead."""
        parties = {party.focal_point_id for party in self.list_parties()}
        office = next(filter(None, map(self.case.with_relation, self.case_relations)), None)
        return frozenset(parties | ({office} if office else set()))

    def list_parties(self) -> list[Party]:
        """List the current parties of the record, but not those of its case."""
        return [p for p in self.case.parties if p.record_id == self.id and not p.until]

    def raise_version(self) -> None:
        """Increment the version, so that an earlier `If-Match` no longer matches."""
        self.version += 1


class Referral(PartyRecord, Base):
    """A request to one office for one service, sent by the office that holds the case."""

    path, case_relations = "referrals", HOLDING_RELATIONS

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
