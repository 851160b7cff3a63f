"""Returns, and what was done on the way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.models import Case
from app.cases.risk import RiskLevel
from app.directory.models import FocalPoint
from app.kernel.db import Base, Listed
from app.referrals.models import Referral
from app.returns.lifecycle import Action, State


class Return(Listed, Base):
    """The checklist of one RETURN referral. Its sides are those of the case and of that.

    They are never stored: the lead of a case may change while a return is under way.
    """

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

    case: Mapped[Case] = relationship()
    referral: Mapped[Referral] = relationship()

    @property
    def reference(self) -> str:
        """How the outside world names it."""
        return f"returns/{self.id}"

    def touch(self) -> None:
        """Make every earlier reading of this return out of date."""
        self.version += 1


class Done(Listed, Base):
    """A step that was taken: by whom, when, and what came of it, in codes alone.

    The assessments are here and not among those of the case: what awaits a person at the
    origin says nothing of the danger where they are now, and must not hide it.
    """

    __tablename__ = "return_step"
    __table_args__ = (
        Index("ix_return_step_return_id", "return_id"),
        {"sqlite_autoincrement": True},
    )

    return_id: Mapped[UUID] = mapped_column(ForeignKey(Return.id))
    action: Mapped[Action]
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    account_id: Mapped[UUID]
    at: Mapped[datetime]
    result: Mapped[str | None]
    level: Mapped[RiskLevel | None]
    threats: Mapped[list[str]] = mapped_column(default=list)
    services: Mapped[list[str]] = mapped_column(default=list)
