"""Models of returns to the country of origin and of the steps taken in each return."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.models import Case
from app.cases.protected_records import CaseRecord
from app.cases.risk import RiskLevel
from app.directory.models import FocalPoint
from app.kernel.db import Base, Listed
from app.kernel.stored_names import store_enum
from app.referrals.models import Referral
from app.returns.lifecycle import Action, State

ACTION: Final = store_enum(Action, "action", {Action.LOCATE: "account_for"})
"""The column type of `Action`."""


class Return(CaseRecord, Listed, Base):
    """The return that a RETURN referral asks for. It has no party rows of its own."""

    __tablename__ = "return_checklist"
    __table_args__ = (
        Index("ix_return_checklist_case_id", "case_id"),
        {"sqlite_autoincrement": True},
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    referral_id: Mapped[UUID] = mapped_column(ForeignKey(Referral.id), unique=True)
    state: Mapped[State] = mapped_column(default=State.OPENED)
    version: Mapped[int] = mapped_column(default=1)
    visits: Mapped[list[str]] = mapped_column(default=list)
    opened_at: Mapped[datetime]
    steps_digest: Mapped[bytes | None]

    case: Mapped[Case] = relationship()
    referral: Mapped[Referral] = relationship()

    @property
    def reference(self) -> str:
        """The path of this return in the API."""
        return f"returns/{self.id}"

    def raise_version(self) -> None:
        """Increment the version, so that an earlier `If-Match` no longer matches."""
        self.version += 1


class Done(Listed, Base):
    """A step that was taken, with the account, the time, and the result in codes.

    Assessments for a return are stored here, separately from the risk assessments of the
    case, because the risk at the origin must not hide the risk where the person is.
    """

    __tablename__ = "return_step"
    __table_args__ = (
        Index("ix_return_step_return_id", "return_id"),
        {"sqlite_autoincrement": True},
    )

    return_id: Mapped[UUID] = mapped_column(ForeignKey(Return.id))
    action: Mapped[Action] = mapped_column(ACTION)
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    account_id: Mapped[UUID]
    at: Mapped[datetime]
    result: Mapped[str | None]
    level: Mapped[RiskLevel | None]
    threats: Mapped[list[str]] = mapped_column(default=list)
    services: Mapped[list[str]] = mapped_column(default=list)
