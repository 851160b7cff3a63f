"""The table of times at which offices first read a record (delivery evidence, rank 3)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.directory.models import FocalPoint
from app.kernel.db import Base


class Sighting(Base):
    """The time at which an office first read a record; reading events does not count."""

    __tablename__ = "sighting"

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    focal_point_id: Mapped[UUID] = mapped_column(
        ForeignKey(FocalPoint.id), primary_key=True
    )
    at: Mapped[datetime]
