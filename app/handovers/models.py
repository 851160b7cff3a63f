"""The model of handovers, which offer the lead of a case to another office."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.models import Case
from app.directory.models import FocalPoint
from app.handovers.lifecycle import State
from app.kernel.actors import Relation
from app.kernel.db import Base, Listed

UNDECIDED = text("state = 'offered'")


class Handover(Listed, Base):
    """An offer by the lead of a case to transfer the lead to another office."""

    __tablename__ = "handover"
    __table_args__ = (
        Index("ix_handover_case_id", "case_id"),
        Index(
            "uq_handover_open",
            "case_id",
            unique=True,
            sqlite_where=UNDECIDED,
            postgresql_where=UNDECIDED,
        ),
        {"sqlite_autoincrement": True},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    lead_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    successor_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    reason: Mapped[str]
    state: Mapped[State] = mapped_column(default=State.OFFERED)
    version: Mapped[int] = mapped_column(default=1)
    decline_reason: Mapped[str | None]
    offered_at: Mapped[datetime]

    case: Mapped[Case] = relationship()
    lead: Mapped[FocalPoint] = relationship(foreign_keys=lead_id)
    successor: Mapped[FocalPoint] = relationship(foreign_keys=successor_id)

    @property
    def reference(self) -> str:
        """The path of this handover in the API."""
        return f"handovers/{self.id}"

    def list_relations(self, focal_point: UUID) -> frozenset[Relation]:
        """Return an office's relations to the handover, including as lead of the case."""
        relations = frozenset(
            party.relation
            for party in self.case.parties
            if party.record_id == self.id
            and party.focal_point_id == focal_point
            and not party.until
        )
        return relations | (self.case.list_relations(focal_point) & {Relation.LEAD})

    @property
    def audience(self) -> frozenset[UUID]:
        """The offices that may know of the handover: its parties and the case's lead."""
        parties = {
            party.focal_point_id
            for party in self.case.parties
            if party.record_id == self.id and not party.until
        }
        lead = self.case.with_relation(Relation.LEAD)
        return frozenset(parties | ({lead} if lead else set()))

    def raise_version(self) -> None:
        """Raise the version, so that an earlier `If-Match` no longer matches."""
        self.version += 1
