"""Tables of the figures that identify nobody (ADR 73)."""

from datetime import date
from uuid import UUID

from sqlalchemy import LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.figures.catalogue import TableName
from app.kernel.db import Base


class CountedWeek(Base):
    """A week whose figures are stored. It is never counted again."""

    __tablename__ = "counted_week"

    monday: Mapped[date] = mapped_column(primary_key=True)


class WeekFigures(Base):
    """The cells of one table of figures in one country and week, sealed as a whole.

    The row contains only counts, and no link to a case, an office or an account. It remains
    after the erasure of every case. `wrapped` is the wrapped key that opens `sealed`, and
    `version` names the key-encryption key that wraps it.
    """

    __tablename__ = "week_figures"
    __table_args__ = (UniqueConstraint("monday", "country", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    monday: Mapped[date]
    country: Mapped[str] = mapped_column(String(2))
    name: Mapped[TableName]
    version: Mapped[str]
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
