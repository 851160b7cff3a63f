"""Models of used challenges, and of enrolments (ADR 67)."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.access.models import Account
from app.kernel.db import Base

MAX_ATTEMPTS: Final = 5
"""The number of wrong codes after which an enrolment is blocked."""


class UsedChallenge(Base):
    """The hash of a challenge that was used, so that it is not accepted again."""

    __tablename__ = "used_challenge"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class EnrolmentState(StrEnum):
    """The state of an enrolment."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"
    EXPIRED = "expired"


class Enrolment(Base):
    """An invitation from two people, with which a third person registers a passkey.

    The first person sees the link, the second person sees the code, and both are needed.
    Only hashes are stored. If an operator made the enrolment, `created_by` is null and the
    operator sees both. With `recovery`, the new passkey replaces all passkeys of the
    person.
    """

    __tablename__ = "enrolment"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey(Account.id), index=True)
    recovery: Mapped[bool]
    link_prefix: Mapped[str] = mapped_column(String(12), unique=True)
    link_hash: Mapped[str] = mapped_column(String(64))
    code_hash: Mapped[str | None] = mapped_column(String(64))
    wrong_codes: Mapped[int]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey(Account.id))
    created_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey(Account.id))
    confirmed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    redeemed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]

    def get_state(self, now: datetime) -> EnrolmentState:
        """Return the current state of the enrolment."""
        if self.redeemed_at is not None:
            return EnrolmentState.REDEEMED
        if self.cancelled_at is not None:
            return EnrolmentState.CANCELLED
        if self.wrong_codes >= MAX_ATTEMPTS:
            return EnrolmentState.BLOCKED
        if now >= self.expires_at:
            return EnrolmentState.EXPIRED
        if self.confirmed_at is not None:
            return EnrolmentState.CONFIRMED
        return EnrolmentState.WAITING

    def is_open(self, now: datetime) -> bool:
        """Return whether the enrolment waits for the second person or for redemption."""
        return self.get_state(now) in {EnrolmentState.WAITING, EnrolmentState.CONFIRMED}
