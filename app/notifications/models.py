"""Records of notifications, which are evidence and never rewritten (R53)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.directory.models import FocalPoint
from app.kernel.db import Base, Listed
from app.kernel.stored_names import EventTypeName
from app.outbox.models import Outgoing


class Notification(Listed, Base):
    """A notification to an office about a record, with the message that was queued.

    One message may serve several notifications. If there is no message, the office had no
    contact.
    """

    __tablename__ = "telling"

    at: Mapped[datetime]
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    why: Mapped[str] = mapped_column(EventTypeName(60))
    case_id: Mapped[UUID | None] = mapped_column(index=True)
    record_id: Mapped[UUID | None] = mapped_column(index=True)
    outgoing_id: Mapped[UUID | None] = mapped_column(ForeignKey(Outgoing.id), index=True)
