"""The table of follow-up points of meetings."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.access.models import Account
from app.kernel.db import Base


class MeetingPoint(Base):
    """A follow-up point of a meeting. It is open while `completed_at` is null.

    The text is sealed with a key of its own, because free text can contain a name.
    `wrapped` is the wrapped key; `version` names the key-encryption key that wraps it.
    """

    __tablename__ = "meeting_point"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    meeting: Mapped[date]
    version: Mapped[str]
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    written_by: Mapped[UUID] = mapped_column(ForeignKey(Account.id))
    written_at: Mapped[datetime]
    completed_by: Mapped[UUID | None] = mapped_column(ForeignKey(Account.id))
    completed_at: Mapped[datetime | None]
