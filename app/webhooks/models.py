"""Tables of webhooks and of the secrets that sign their messages."""

from datetime import UTC, datetime
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.directory.models import FocalPoint
from app.kernel.db import Base, Counter, Listed
from app.kernel.protected_rows import ProtectedRow
from app.webhooks.addresses import MAX_URL_LENGTH

OPEN: Final = text("ended_at IS NULL")


class Webhook(Listed, ProtectedRow, Base):
    """A receiver that gets the events of a focal point's feed one by one and in order.

    `position` is the last feed position that was delivered. `delayed_to` is the position up
    to which events have been delayed. `due_at` is the time at which the next message may be
    sent or, during an attempt, repeated. `claim` identifies the attempt. `trouble` is the
    code of the last failure, and `failing_since` is the time of the first failure since the
    last delivery. `stalled` means that the worker paused the webhook after failures. `ping`
    identifies a test message that has no result yet.

    The MAC covers the office, the label, the URL, and the times of opening and ending, but
    not the values that pauses, tests and deliveries change. A webhook that was altered
    outside the service counts as ended (ADR 82).
    """

    __tablename__ = "webhook"
    __table_args__ = (
        Index("ix_webhook_due_at", "due_at", sqlite_where=OPEN, postgresql_where=OPEN),
        {"sqlite_autoincrement": True},
    )
    harmless: ClassVar = {"ended_at": datetime.min.replace(tzinfo=UTC)}
    unprotected: ClassVar = frozenset(
        {
            *("number", "paused_at", "stalled", "position", "delayed_to", "due_at"),
            *("claim", "failures", "failing_since", "trouble", "delivered_at"),
            *("ping", "pinged_at", "ping_answer"),
        }
    )

    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id), index=True)
    label: Mapped[str]
    url: Mapped[str] = mapped_column(String(MAX_URL_LENGTH))
    opened_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]
    stalled: Mapped[bool]
    ended_at: Mapped[datetime | None]
    position: Mapped[int] = mapped_column(Counter)
    delayed_to: Mapped[int] = mapped_column(Counter, server_default="0")
    due_at: Mapped[datetime]
    claim: Mapped[UUID | None]
    failures: Mapped[int]
    failing_since: Mapped[datetime | None]
    trouble: Mapped[str | None] = mapped_column(String(40))
    delivered_at: Mapped[datetime | None]
    ping: Mapped[UUID | None]
    pinged_at: Mapped[datetime | None]
    ping_answer: Mapped[str | None] = mapped_column(String(40))

    @property
    def case_id(self) -> UUID:
        """The webhook's own id, because the journal needs an id and there is no case."""
        return self.id

    @property
    def reference(self) -> str:
        """The reference of the webhook in the API."""
        return f"webhooks/{self.id}"


class WebhookSecret(Base):
    """A wrapped secret that signs messages.

    `ends_at` is null until the secret is replaced or the webhook ends.
    """

    __tablename__ = "webhook_secret"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey(Webhook.id), index=True)
    version: Mapped[str]
    wrapped: Mapped[bytes]
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
