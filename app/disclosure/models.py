"""The table of the access log; a row is committed before the content is sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.cases.models import Case
from app.cases.records import READING_PURPOSE
from app.cases.sections import EmergencyAccessPurpose
from app.kernel.db import Base, Listed


class AccessEntry(Listed, Base):
    """An entry of the access log, an opening or a refusal, which is never changed."""

    __tablename__ = "access_entry"
    __table_args__ = (
        Index("ix_access_entry_case_id_number", "case_id", "number"),
        Index("ix_access_entry_account_id_at", "account_id", "at"),
        {"sqlite_autoincrement": True},
    )

    at: Mapped[datetime]
    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    record_id: Mapped[UUID]
    subject: Mapped[str]
    purpose: Mapped[EmergencyAccessPurpose] = mapped_column(READING_PURPOSE)
    allowed: Mapped[bool]
    policy: Mapped[str]
    account_id: Mapped[UUID]
    focal_point_id: Mapped[UUID]
    vital_reading_id: Mapped[UUID | None]
    """The emergency access that allowed the opening, if any."""
