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
from app.kernel.transactions import RecordIdentity


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
        """The id under which the journal stores its events, which belong to no case."""
        return self.id

    @property
    def reference(self) -> str:
        """Its path in the API."""
        return f"accounts/{self.id}"


class ApiKey(Base):
    """An API key with which an account authenticates; only its hash is stored.

    `made_by` is the account it was shown to, or None for an operator at the command line.
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
        """The id by which a retry finds the key: its prefix as a hexadecimal number."""
        return UUID(int=int(self.prefix, 16))


class PublicKey(Base):
    """A public key of a machine; its private key never reaches the service.

    `kid` is its thumbprint (RFC 7638), so that it cannot be chosen and a revoked key is
    recognised. `made_by` is the account that registered it.
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
    """An access token that was issued for an assertion; only hashes of both are stored.

    While the row exists, the same assertion gets no other token, and it exists longer than
    any assertion is valid (R26). The token ends with its public key.
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


def format_prefix(key_id: UUID) -> str:
    """Return the prefix of an API key from the id by which a retry finds it."""
    return f"{key_id.int:010x}"


class ApprovalState(StrEnum):
    """The state of a request for approval."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    SPENT = "spent"
    LAPSED = "lapsed"


class Approval(Listed, Base):
    """A request for approval by a second person of one action of an account.

    `fingerprint` is of the exact request: another reason needs another approval. Without a
    case it is about an account, for supervisors of its focal point and administrators, or
    about the directory, for administrators only.
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
        """Its path in the API."""
        return f"approvals/{self.id}"

    @property
    def journal_reference(self) -> RecordIdentity:
        """Its name in the journal; without a case it has its own id as the case."""
        return RecordIdentity(self.id, self.case_id or self.id, self.reference)
