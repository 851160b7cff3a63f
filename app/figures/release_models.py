"""The table of released figures. A row is never changed or deleted."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.access.models import Account
from app.figures.weeks import Quarter
from app.kernel.db import Base


class FigureRelease(Base):
    """The figures of a quarter, as two people released them.

    `content` contains the figures, with null for each number that is not shown. `method` is
    the version of the method by which they were computed.
    """

    __tablename__ = "figure_release"
    __table_args__ = (UniqueConstraint("year", "quarter"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    year: Mapped[int]
    quarter: Mapped[int]
    method: Mapped[int]
    content: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the content, by which a copy can be compared with the release."""
    asked_by: Mapped[UUID] = mapped_column(ForeignKey(Account.id))
    approved_by: Mapped[UUID] = mapped_column(ForeignKey(Account.id))
    released_at: Mapped[datetime]

    @property
    def of(self) -> Quarter:
        """The quarter of the release."""
        return Quarter(self.year, self.quarter)
