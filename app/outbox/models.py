"""What is to leave the system: one table for all of it, whatever it is (R53)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.deadlines.limits import Priority
from app.kernel.db import Base, Listed
from app.outbox.lifecycle import State

TO_DO = text("state IN ('waiting', 'sending')")
DEAD = text("state = 'dead'")


class Way(StrEnum):
    """By what it leaves; each way out knows what to say, and to whom."""

    EMAIL = "email"
    SMS = "sms"


class Outgoing(Listed, Base):
    """Something that is to leave, at least once: to whom, how far that is, when next.

    Not what it says: that, and the address, are read when it goes. `recipient` is a name
    its way knows. `queued_at` is since when it may leave. `due_at` is when it may be tried,
    and while it is being sent, when it may be tried anew. `left_at` is when it left or, as
    long as nobody knows, may last have. `claim` tells one try from the next; `weight` grows
    with what failed; `trouble` is the code of the last failure. `instead_of`: what could
    not be sent another way.
    """

    __tablename__ = "outgoing"
    __table_args__ = (
        Index(
            "ix_outgoing_to_do",
            "way",
            "due_at",
            "number",
            sqlite_where=TO_DO,
            postgresql_where=TO_DO,
        ),
        Index("ix_outgoing_recipient_left_at", "recipient", "left_at"),
        Index("ix_outgoing_dead", "number", sqlite_where=DEAD, postgresql_where=DEAD),
        {"sqlite_autoincrement": True},
    )

    way: Mapped[Way]
    recipient: Mapped[str] = mapped_column(String(40))
    urgency: Mapped[Priority]
    state: Mapped[State]
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    claim: Mapped[UUID | None]
    tries: Mapped[int]
    weight: Mapped[int]
    trouble: Mapped[str | None] = mapped_column(String(40))
    instead_of: Mapped[UUID | None]
