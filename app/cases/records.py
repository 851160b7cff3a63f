"""Tables of the records of a case, such as facts, risk assessments and questions."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.facts import FactName
from app.cases.models import AgeClass, Case, SafeContact
from app.cases.protected_records import CaseRecord
from app.cases.risk import RiskLevel
from app.cases.sections import EmergencyAccessPurpose
from app.cases.vital_interest import (
    REVIEWED_WITHIN,
    EmergencyAccessState,
    VitalInterestReason,
)
from app.deadlines.limits import Priority
from app.directory.models import FocalPoint
from app.kernel.db import Base, Listed
from app.kernel.stored_names import store_enum

VITAL_REASON: Final = store_enum(VitalInterestReason, "vitalreason")
"""The column type of `VitalInterestReason`."""
READING_PURPOSE: Final = store_enum(EmergencyAccessPurpose, "readingpurpose")
"""The column type of `EmergencyAccessPurpose`."""


class SummarySnapshot(CaseRecord, Base):
    """The summary that a submitter reads when it may no longer read the current one.

    The snapshot is stored when a lead takes the case, or when the person crosses a border
    before that (R12).
    """

    identifying = ("case_id",)

    __tablename__ = "handed_on"

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), primary_key=True)
    country: Mapped[str | None] = mapped_column(String(2))
    age_class: Mapped[AgeClass | None]
    language: Mapped[str | None]
    priority: Mapped[Priority | None]
    services: Mapped[list[str]]
    urgent_needs: Mapped[list[str]]
    safe_contact: Mapped[SafeContact | None]


class RiskAssessment(CaseRecord, Base):
    """A risk assessment by one party at one time; its remarks are sealed."""

    __tablename__ = "risk_assessment"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), index=True)
    level: Mapped[RiskLevel]
    assessed_by: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    assessed_at: Mapped[datetime]


class Fact(CaseRecord, Listed, Base):
    """A fact about a case. The latest fact with the same name, country and body applies.

    A fact is a record of its own because it can have a deadline.
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
        """The path of the fact's case in the API, below `/v1/`."""
        return self.case.reference


class VitalInterest(CaseRecord, Listed, Base):
    """A declaration that a case cannot wait for a consent."""

    __tablename__ = "vital_interest"
    __table_args__ = (
        Index("ix_vital_interest_case_id", "case_id"),
        {"sqlite_autoincrement": True},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    reason: Mapped[VitalInterestReason] = mapped_column(VITAL_REASON)
    declared_by: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    account_id: Mapped[UUID]
    declared_at: Mapped[datetime]
    holds_until: Mapped[datetime]


class EmergencyAccess(CaseRecord, Listed, Base):
    """A request of one account for emergency access to some sections (R15).

    The row also stores the decision, the end and the review. The text of the request is
    sealed as a note.
    """

    __tablename__ = "vital_reading"
    __table_args__ = (
        Index("ix_vital_reading_case_id", "case_id"),
        Index("ix_vital_reading_account_id", "account_id"),
        {"sqlite_autoincrement": True},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    reason: Mapped[VitalInterestReason] = mapped_column(VITAL_REASON)
    purpose: Mapped[EmergencyAccessPurpose] = mapped_column(READING_PURPOSE)
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
    person_informed_at: Mapped[datetime | None] = mapped_column("person_told_at")
    reviewed_at: Mapped[datetime | None]
    justified: Mapped[bool | None]

    case: Mapped[Case] = relationship()

    @property
    def reference(self) -> str:
        """The path of the case that the access is about, below `/v1/` in the API."""
        return self.case.reference

    def get_state(self, now: datetime) -> EmergencyAccessState:
        """Return the state at the time `now`.

        At `holds_until`, an undecided request expires and a granted access ends.
        """
        over = self.ended_at is not None or self.holds_until <= now
        if self.granted is None:
            return EmergencyAccessState.EXPIRED if over else EmergencyAccessState.REQUESTED
        if not self.granted:
            return EmergencyAccessState.REFUSED
        return EmergencyAccessState.ENDED if over else EmergencyAccessState.GRANTED

    def is_review_overdue(self, now: datetime) -> bool:
        """Return whether the review of a granted access is overdue (R17)."""
        decided = self.decided_at if self.granted and self.reviewed_at is None else None
        return decided is not None and decided <= now - REVIEWED_WITHIN


class Question(CaseRecord, Listed, Base):
    """A question from the holder to the submitter, with sealed text and unsealed topics."""

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
        """The path of the case that the question is about, below `/v1/` in the API."""
        return self.case.reference


UNSENT_PREFIX: Final = "unsent:"
"""The beginning of the name of an unsent form. A client cannot choose such a name."""


class FormDraft(Base):
    """A form that was filled in at an office and not sent yet. It is stored for 24 hours.

    `owner_id` is the person, or the account of a machine, which belongs to no person.
    `subject` is the case that the form is about, or else the owner.

    Each draft is sealed with a key of its own. The data key of the case wraps the key of a
    draft about a case. A key-encryption key wraps the key of any other draft.
    """

    __tablename__ = "form_draft"
    __table_args__ = (UniqueConstraint("owner_id", "focal_point_id", "form", "subject"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    form: Mapped[str] = mapped_column(String(40))
    subject: Mapped[UUID]
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey(Case.id), index=True)
    version: Mapped[str]
    wrapped: Mapped[bytes]
    sealed: Mapped[bytes]
    saved_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
