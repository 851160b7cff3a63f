"""Tables of deadlines, of missed deadlines, and of the time limits that were set."""

from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.deadlines.limit_bounds import LimitPriority
from app.deadlines.limits import DeadlineKind, TimeUnit
from app.directory.kinds import Confidence
from app.kernel.db import Base, Counter
from app.kernel.protected_rows import ProtectedRow
from app.kernel.stored_names import STORED_DEADLINES, store_enum

RUNNING = text("stopped_at IS NULL")
IF_RUNNING: Final[dict[str, Any]] = {"sqlite_where": RUNNING, "postgresql_where": RUNNING}
"""The options of an index that contains only running deadlines."""
KIND: Final = store_enum(DeadlineKind, "clockkind", STORED_DEADLINES)
"""The column type of `DeadlineKind`."""


class Clock(ProtectedRow, Base):
    """A deadline by which an office has to complete a task.

    Stopped deadlines are kept, because the speed of an office's answers is computed from
    them. `fires_at` is the time at which the worker checks the deadline again; null means
    `due_at`. `failures` counts the checks that have failed since the last success. The MAC
    covers the subject and the due time, but not the columns in `unprotected` (ADR 83).
    """

    __tablename__ = "clock"
    __table_args__ = (
        Index("ix_clock_worklist", "waits_on", "due_at", "number", **IF_RUNNING),
        Index("uq_clock_running", "record_id", unique=True, **IF_RUNNING),
        Index("ix_clock_due_at", "due_at", **IF_RUNNING),
        Index("ix_clock_case_id", "case_id"),
        Index("ix_clock_waits_on_set_at", "waits_on", "set_at"),
        {"sqlite_autoincrement": True},
    )
    unprotected: ClassVar = frozenset({"number", "stopped_at", "fires_at", "failures"})

    number: Mapped[int] = mapped_column(Counter, primary_key=True)
    case_id: Mapped[UUID]
    record_id: Mapped[UUID]
    reference: Mapped[str]
    kind: Mapped[DeadlineKind] = mapped_column(KIND)
    waits_on: Mapped[UUID | None]
    set_at: Mapped[datetime]
    due_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    fires_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0, server_default="0")


class Firing(Base):
    """A record of one miss of a deadline; `generation` is 1 for the first miss (R55).

    `waits_on` is the office that missed the deadline, or null for a deadline of the system.
    """

    __tablename__ = "firing"
    __table_args__ = (
        Index("ix_firing_case_id_waits_on", "case_id", "waits_on"),
        Index("ix_firing_record_id", "record_id"),
    )

    clock_number: Mapped[int] = mapped_column(
        Counter, ForeignKey(Clock.number), primary_key=True, autoincrement=False
    )
    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[UUID]
    record_id: Mapped[UUID]
    kind: Mapped[DeadlineKind] = mapped_column(KIND)
    waits_on: Mapped[UUID | None]
    at: Mapped[datetime]


class TimeLimit(ProtectedRow, Base):
    """A limit that a country or an agreement sets for a kind of deadline.

    A row without an amount sets no limit, so that another limit or the default applies.
    """

    __tablename__ = "time_limit"
    harmless: ClassVar = {"amount": None, "unit": None}

    of: Mapped[str] = mapped_column(String(40), primary_key=True)
    deadline: Mapped[DeadlineKind] = mapped_column(
        "clock", KIND, key="deadline", primary_key=True
    )
    priority: Mapped[LimitPriority] = mapped_column(
        store_enum(LimitPriority, "haste"), primary_key=True
    )
    amount: Mapped[int | None]
    unit: Mapped[TimeUnit | None] = mapped_column(store_enum(TimeUnit, "unit"))
    confidence: Mapped[Confidence]
    source: Mapped[str | None]
    as_of: Mapped[str | None]
