"""The model of handovers, which offer the lead of a case to another office."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.models import Case
from app.directory.models import FocalPoint
from app.handovers.lifecycle import State
from app.kernel.actors import Relation
from app.kernel.db import Base
from app.referrals.models import PartyRecord

UNDECIDED = text("state = 'offered'")


class Handover(PartyRecord, Base):
    """An offer by the current lead of a case to transfer the lead to another office."""

    path, case_relations = "handovers", (Relation.LEAD,)

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
