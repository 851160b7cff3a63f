"""The shortlist of a case, kept as it was made."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.cases.models import Case
from app.directory.models import FocalPoint
from app.kernel.db import Base


class Shortlisted(Base):
    """A focal point that was asked to lead, its place and why; the desk has the last.

    Who is still to be asked is sealed: who is missing there may be feared (ADR 38). Older
    versions kept it here, with `asked_at` empty. `left_at`: it was passed over.
    """

    __tablename__ = "shortlisted"

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    reasons: Mapped[list[str]]
    asked_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]


class LeftOutRow(Base):
    """A focal point of the country that may not lead: written by older versions alone."""

    __tablename__ = "left_out"

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), primary_key=True)
    focal_point: Mapped[str] = mapped_column(primary_key=True)
    reasons: Mapped[list[str]]
