"""Accounts, the keys and tokens they sign in with, and approvals by a second person."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.directory.models import FocalPoint
from app.kernel.actors import AccountKind
from app.kernel.db import Base, Listed
from app.kernel.work import Named


class Account(Base):
    """A person or a machine of one focal point, with the roles it was granted.

    `label` is a staff number or a duty post, never a name.
    """

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id), index=True)
    label: Mapped[str]
    kind: Mapped[AccountKind]
    roles: Mapped[list[str]]
    opened_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    @property
    def case_id(self) -> UUID:
        """Where the journal files what happens to it: it is about no case."""
        return self.id

    @property
    def reference(self) -> str:
        """How the outside world names it."""
        return f"accounts/{self.id}"


class ApiKey(Base):
    """What an account signs in with; only the hash is kept.

    `made_by` is the account it was shown to; None: an operator, at the command line.
    """

    __tablename__ = "api_key"

    prefix: Mapped[str] = mapped_column(String(12), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey(Account.id), index=True)
    hash: Mapped[str]
    scopes: Mapped[list[str]]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    made_by: Mapped[UUID | None]

    @property
    def id(self) -> UUID:
        """What a retry finds it by: its prefix, which is a number in hexadecimal."""
        return UUID(int=int(self.prefix, 16))


class PublicKey(Base):
    """What a machine signs with: the half of it that anybody may see. No other comes here.

    `kid` is its thumbprint (RFC 7638): nobody chooses it, and a key that was revoked is
    known again. `made_by` is the account that registered it.
    """

    __tablename__ = "public_key"
    __table_args__ = (UniqueConstraint("account_id", "kid"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey(Account.id))
    kid: Mapped[str] = mapped_column(String(43))
    alg: Mapped[str] = mapped_column(String(10))
    jwk: Mapped[dict[str, Any]]
    scopes: Mapped[list[str]]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    made_by: Mapped[UUID | None]


class AccessToken(Base):
    """What a machine was given for an assertion; of both only hashes are kept.

    While the row is here, the same assertion buys no other token: it lives longer than any
    assertion does (R26). It ends with the key that it was given for.
    """

    __tablename__ = "access_token"
    __table_args__ = (UniqueConstraint("public_key_id", "assertion"),)

    prefix: Mapped[str] = mapped_column(String(12), primary_key=True)
    public_key_id: Mapped[UUID] = mapped_column(ForeignKey(PublicKey.id))
    assertion: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]


def prefix_at(key_id: UUID) -> str:
    """Spell what a retry finds a key by as its prefix."""
    return f"{key_id.int:010x}"


class ApprovalState(StrEnum):
    """Where the question to a second person stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    SPENT = "spent"
    LAPSED = "lapsed"


class Approval(Listed, Base):
    """A question to a second person, whether this account may take this action just so.

    `fingerprint` is of the request that was asked for: another reason is another question.
    Without a case it is about the mechanism: an account, for its focal point's supervisors
    and administrators, or the directory, for administrators alone.
    """

    __tablename__ = "approval"
    __table_args__ = (
        Index("ix_approval_focal_point_id_number", "focal_point_id", "number"),
        Index("ix_approval_decision_lapses_at", "decision", "lapses_at"),
        {"sqlite_autoincrement": True},
    )

    action: Mapped[str]
    case_id: Mapped[UUID | None]
    subject: Mapped[str]
    fingerprint: Mapped[str]
    facts: Mapped[dict[str, Any]]
    decision: Mapped[ApprovalState]
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    roles: Mapped[list[str]]
    asked_by: Mapped[UUID] = mapped_column(ForeignKey(Account.id))
    asked_at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey(Account.id))
    decided_at: Mapped[datetime | None]

    @property
    def reference(self) -> str:
        """How the outside world names it."""
        return f"approvals/{self.id}"

    @property
    def told(self) -> Named:
        """How the journal names it: without a case it is its own."""
        return Named(self.id, self.case_id or self.id, self.reference)
