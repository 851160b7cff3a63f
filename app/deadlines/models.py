"""One row for each running clock."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.deadlines.limits import ClockKind
from app.kernel.db import Base, Counter

RUNNING = text("stopped_at IS NULL")


class Clock(Base):
    """Something that waits, on whom, and until when.

    A stopped clock is kept: how fast a focal point answers is read from them.
    """

    __tablename__ = "clock"
    __table_args__ = (
        Index(
            "ix_clock_worklist",
            "waits_on",
            "due_at",
            "number",
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
        Index(
            "uq_clock_running",
            "record_id",
            unique=True,
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
        Index("ix_clock_case_id", "case_id"),
        Index("ix_clock_waits_on_set_at", "waits_on", "set_at"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(Counter, primary_key=True)
    case_id: Mapped[UUID]
    record_id: Mapped[UUID]
    reference: Mapped[str]
    kind: Mapped[ClockKind]
    waits_on: Mapped[UUID | None]
    set_at: Mapped[datetime]
    due_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
