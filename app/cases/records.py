"""Records of a case that are not the case: what was handed on, is known, or was asked."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.facts import FactName
from app.cases.models import AgeClass, Case, SafeContact
from app.cases.risk import RiskLevel
from app.cases.sections import ReadingPurpose
from app.cases.vital import ReadingState, VitalReason
from app.deadlines.limits import Priority
from app.directory.models import FocalPoint
from app.kernel.db import Base, Listed


class HandedOn(Base):
    """The notice as its submitter handed it on: all that it reads of it from then on.

    Kept when a lead takes the case, or when it crosses a border before (R12).
    """

    __tablename__ = "handed_on"

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), primary_key=True)
    country: Mapped[str | None] = mapped_column(String(2))
    age_class: Mapped[AgeClass | None]
    language: Mapped[str | None]
    priority: Mapped[Priority | None]
    services: Mapped[list[str]]
    urgent_needs: Mapped[list[str]]
    safe_contact: Mapped[SafeContact | None]


class RiskAssessment(Base):
    """The risk, as one party saw it at one time; what it saw is sealed."""

    __tablename__ = "risk_assessment"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), index=True)
    level: Mapped[RiskLevel]
    assessed_by: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    assessed_at: Mapped[datetime]


class Fact(Listed, Base):
    """What was recorded about a case beside its state; the last of a name counts.

    A record of its own, for one fact has a clock: the best interests of a child (72 h).
    """

    __tablename__ = "fact"
    __table_args__ = (Index("ix_fact_case_id", "case_id"), {"sqlite_autoincrement": True})

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    name: Mapped[FactName]
    value: Mapped[str]
    country: Mapped[str | None] = mapped_column(String(2))
    body: Mapped[UUID | None] = mapped_column(ForeignKey(FocalPoint.id))
    ends_on: Mapped[date | None]
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey(FocalPoint.id))
    recorded_at: Mapped[datetime]

    case: Mapped[Case] = relationship()

    @property
    def reference(self) -> str:
        """How the outside world names it: by its case."""
        return self.case.reference


class VitalInterest(Listed, Base):
    """That somebody could not wait for a consent: who, why, and until when it holds."""

    __tablename__ = "vital_interest"
    __table_args__ = (
        Index("ix_vital_interest_case_id", "case_id"),
        {"sqlite_autoincrement": True},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    reason: Mapped[VitalReason]
    declared_by: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    account_id: Mapped[UUID]
    declared_at: Mapped[datetime]
    holds_until: Mapped[datetime]


class VitalReading(Listed, Base):
    """That one account asked to read some sections while a life was at risk (R15).

    What a second person of another organisation said, until when it holds, whether the
    person was told of it and whether it was reviewed. Its words are sealed, as a note.
    """

    __tablename__ = "vital_reading"
    __table_args__ = (
        Index("ix_vital_reading_case_id", "case_id"),
        Index("ix_vital_reading_account_id", "account_id"),
        {"sqlite_autoincrement": True},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    reason: Mapped[VitalReason]
    purpose: Mapped[ReadingPurpose]
    sections: Mapped[list[str]]
    asked_by: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    account_id: Mapped[UUID]
    asked_at: Mapped[datetime]
    holds_until: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey(FocalPoint.id))
    decided_account: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    granted: Mapped[bool | None]
    ended_at: Mapped[datetime | None]
    person_told_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    justified: Mapped[bool | None]

    case: Mapped[Case] = relationship()

    @property
    def reference(self) -> str:
        """How the outside world names it: by its case."""
        return self.case.reference

    def state(self, now: datetime) -> ReadingState:
        """Say how it stands: what is over is over at its time, whoever looks when."""
        over = self.ended_at is not None or self.holds_until <= now
        if self.granted is None:
            return ReadingState.LAPSED if over else ReadingState.ASKED
        if not self.granted:
            return ReadingState.REFUSED
        return ReadingState.ENDED if over else ReadingState.GRANTED


class Question(Listed, Base):
    """What a holder asks the submitter of its case; words are sealed, topics are not."""

    __tablename__ = "question"
    __table_args__ = (
        Index("ix_question_case_id", "case_id"),
        {"sqlite_autoincrement": True},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    topics: Mapped[list[str]]
    asked_by: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]

    case: Mapped[Case] = relationship()

    @property
    def reference(self) -> str:
        """How the outside world names it: by its case."""
        return self.case.reference
