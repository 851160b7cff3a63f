"""The outbox: one table for all messages that leave the service (R53)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.deadlines.limits import Priority
from app.kernel.db import Base, Listed
from app.kernel.stored_names import store_enum
from app.outbox.lifecycle import State

TO_DO = text("state IN ('waiting', 'sending')")
DEAD = text("state = 'dead'")


class MessageChannel(StrEnum):
    """The channel by which a message is sent."""

    EMAIL = "email"
    SMS = "sms"


class Outgoing(Listed, Base):
    """A message to be sent at least once: its recipient, its state, and its next attempt.

    The text and the address are not stored; they are read when the message is sent.
    `recipient` is a name that the channel resolves to an address. `queued_at` is the start
    of the waiting time. `due_at` is the time of the next attempt or, during an attempt, the
    time from which the message can be claimed again. `left_at` is when the message was sent
    or, if the outcome is unknown, the latest time at which it may have been sent. `weight`
    is the sum of the weights of its failed attempts (`pacing.WEIGHT`).
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

    way: Mapped[MessageChannel] = mapped_column(store_enum(MessageChannel, "way"))
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
