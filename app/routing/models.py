"""Tables of the offices that were asked to lead a case, and of earlier rankings."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.cases.models import Case
from app.cases.protected_records import CaseRecord
from app.directory.models import FocalPoint
from app.kernel.db import Base


class Shortlisted(CaseRecord, Base):
    """A focal point that was asked to lead a case, with its position and the reasons.

    The list of the offices to ask next is sealed, because an office missing from the list
    may be one that the person fears (ADR 38). In older rows, `asked_at` is null for an
    office that was not asked. `left_at` is when an office declined or missed the deadline.
    """

    identifying = ("case_id", "place")

    __tablename__ = "shortlisted"

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    reasons: Mapped[list[str]]
    asked_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]


class LeftOutRow(Base):
    """An office that may not lead a case. Only older versions stored these rows."""

    __tablename__ = "left_out"

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), primary_key=True)
    focal_point: Mapped[str] = mapped_column(primary_key=True)
    reasons: Mapped[list[str]]
