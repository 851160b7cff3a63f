"""Webhooks: where a focal point's feed is pushed to, how far, and signed with what."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.directory.models import FocalPoint
from app.kernel.db import Base, Counter, Listed
from app.webhooks.addresses import LONGEST

OPEN: Final = text("ended_at IS NULL")


class Webhook(Listed, Base):
    """A receiver of a focal point: events go there one by one, as they were committed.

    `position` is how far its feed arrived, `delayed_to` up to which position events have
    been delayed. `due_at` is when the next may be sent and, while one is on its way, when
    it may be sent anew; `claim` tells one try from the next. `trouble` is the code of the
    last failure, `failing_since` the first since something arrived. `stalled`: nobody asked
    to pause it. `ping` is a test that waits to go.
    """

    __tablename__ = "webhook"
    __table_args__ = (
        Index("ix_webhook_due_at", "due_at", sqlite_where=OPEN, postgresql_where=OPEN),
        {"sqlite_autoincrement": True},
    )

    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id), index=True)
    label: Mapped[str]
    url: Mapped[str] = mapped_column(String(LONGEST))
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
        """Where the journal files what happens to it: it is about no case."""
        return self.id

    @property
    def reference(self) -> str:
        """How the outside world names it."""
        return f"webhooks/{self.id}"


class WebhookSecret(Base):
    """A secret that messages are signed with, wrapped by a key-encryption key.

    Without an end it is the newest; one that was replaced signs on until its end.
    """

    __tablename__ = "webhook_secret"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey(Webhook.id), index=True)
    version: Mapped[str]
    wrapped: Mapped[bytes]
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
