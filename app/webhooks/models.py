"""Tables of webhooks and of the secrets that sign their messages."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.directory.models import FocalPoint
from app.kernel.db import Base, Counter, Listed
from app.webhooks.addresses import MAX_URL_LENGTH

OPEN: Final = text("ended_at IS NULL")


class Webhook(Listed, Base):
    """A receiver of the feed of a focal point, which gets its events one by one in order.

    `position` is the feed position that has arrived, `delayed_to` the one up to which
    events have been delayed. `due_at` is when the next message may be sent or, during an
    attempt, repeated; `claim` identifies the attempt. `trouble` is the code of the last
    failure, `failing_since` the time of the first since a delivery. `stalled` means that no
    account paused it. `ping` is a test message that is not sent yet.
    """

    __tablename__ = "webhook"
    __table_args__ = (
        Index("ix_webhook_due_at", "due_at", sqlite_where=OPEN, postgresql_where=OPEN),
        {"sqlite_autoincrement": True},
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
        """The id under which the journal stores its events, since it belongs to no case."""
        return self.id

    @property
    def reference(self) -> str:
        """The reference of the webhook in the API."""
        return f"webhooks/{self.id}"


class WebhookSecret(Base):
    """A secret that signs messages, wrapped by a key-encryption key.

    The newest has no end; one that was replaced signs until its end.
    """

    __tablename__ = "webhook_secret"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey(Webhook.id), index=True)
    version: Mapped[str]
    wrapped: Mapped[bytes]
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
