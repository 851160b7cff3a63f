"""Models of persons, accounts, their credentials, and approvals by a second person."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.directory.models import FocalPoint
from app.kernel.actors import AccountKind, SignInMethod
from app.kernel.db import Base, Listed
from app.kernel.stored_names import store_enum
from app.kernel.transactions import RecordIdentity


class Person(Base):
    """A person, to whom one or several accounts belong.

    A person who was created with an account has the id of the account. The name is
    sealed with a key of its own; it is null until somebody enters it.
    """

    __tablename__ = "person"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    sealed_name: Mapped[bytes | None] = mapped_column(LargeBinary)
    name_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    name_key_version: Mapped[str | None]
    mac: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The MAC of the person, the passkeys, and the ids of the accounts (ADR 80)."""


class Account(Base):
    """An account of a person or a machine at one office; `label` never names a person.

    The account of a machine belongs to no person.
    """

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id), index=True)
    label: Mapped[str]
    kind: Mapped[AccountKind]
    roles: Mapped[list[str]]
    opened_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey(Person.id), index=True)
    mac: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The MAC of the account and of the rows that belong to it (ADR 80)."""

    @property
    def case_id(self) -> UUID:
        """The account id, which replaces the case id in events about the account."""
        return self.id

    @property
    def reference(self) -> str:
        """The path of the account in the API."""
        return f"accounts/{self.id}"


class ApiKey(Base):
    """An API key with which an account authenticates. Only a hash of the key is stored.

    Until `link_until`, the holder can make the key with a link, whose hash is stored
    instead. `link_until` is null once the key is made (ADR 86).
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
    link_until: Mapped[datetime | None]

    @property
    def id(self) -> UUID:
        """The prefix as a UUID, by which a repeated request finds the key it created."""
        return UUID(int=int(self.prefix, 16))


class PublicKey(Base):
    """A public key of a machine. The service never receives the private key.

    `kid` is the thumbprint of the key (RFC 7638), so that a revoked key cannot be
    registered again under another id. `made_by` is the account that registered the key.
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

    The row prevents a second token for the same assertion and is kept for longer than an
    assertion can be valid (R26). The token is not valid after its public key has ended.
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


class Passkey(Base):
    """The public part of a passkey of a person. The row of a removed passkey is kept.

    `label` names the device, never a person. `sign_count` is the counter of the
    authenticator at its last use, or 0 if the authenticator has no counter.
    """

    __tablename__ = "passkey"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    label: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class UserSession(Base):
    """A session of a person, who acts through one account. Only its token's hash is stored.

    If the session was opened with an API key, `api_key` is the prefix of that key: the
    session has the scopes of the key, and ends with it. If it was opened with a passkey,
    `passkey_id` is the id of that passkey, and the removal of the passkey ends the session.
    `seen_at` is the time of the last request, exact to a minute.
    """

    __tablename__ = "session"

    prefix: Mapped[str] = mapped_column(String(12), primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[UUID] = mapped_column(ForeignKey(Account.id))
    person_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), index=True)
    method: Mapped[SignInMethod]
    api_key: Mapped[str | None] = mapped_column(ForeignKey(ApiKey.prefix))
    passkey_id: Mapped[UUID | None] = mapped_column(ForeignKey(Passkey.id))
    authenticated_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


def format_prefix(key_id: UUID) -> str:
    """Return the prefix of the API key with the given id."""
    return f"{key_id.int:010x}"


class ApprovalState(StrEnum):
    """The state of a request for approval."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    USED = "used"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


APPROVAL_STATE: Final = store_enum(
    ApprovalState,
    "approvalstate",
    {ApprovalState.USED: "spent", ApprovalState.EXPIRED: "lapsed"},
)
"""The column type of `ApprovalState`."""


class Approval(Listed, Base):
    """A request to a second person to approve one action of an account.

    `fingerprint` covers the exact request, so a different reason needs another approval. An
    approval without a case is about an account, a webhook, the directory or a release of
    figures. Administrators may decide about the first three, supervisors about accounts and
    webhooks of their office, and oversight about figures. `sealed_request` contains the
    request until the approval ends (`kept_requests`).
    """

    __tablename__ = "approval"
    __table_args__ = (
        Index("ix_approval_focal_point_id_number", "focal_point_id", "number"),
        Index("ix_approval_decision_lapses_at", "decision", "lapses_at"),
        Index(
            "ix_approval_lapses_at",
            "lapses_at",
            postgresql_where=text("sealed_request IS NOT NULL"),
            sqlite_where=text("sealed_request IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    action: Mapped[str]
    case_id: Mapped[UUID | None]
    subject: Mapped[str]
    fingerprint: Mapped[str]
    facts: Mapped[dict[str, Any]]
    decision: Mapped[ApprovalState] = mapped_column(APPROVAL_STATE)
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    roles: Mapped[list[str]]
    asked_by: Mapped[UUID] = mapped_column(ForeignKey(Account.id))
    asked_at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey(Account.id))
    decided_at: Mapped[datetime | None]
    sealed_request: Mapped[bytes | None] = mapped_column(LargeBinary)
    request_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    request_key_version: Mapped[str | None]

    def end(self, decision: ApprovalState) -> None:
        """Set the final decision, and delete the sealed request and its key."""
        self.decision = decision
        self.delete_request()

    def delete_request(self) -> None:
        """Delete the sealed request and its key."""
        self.sealed_request = self.request_key = self.request_key_version = None

    @property
    def reference(self) -> str:
        """The path of the approval in the API."""
        return f"approvals/{self.id}"

    @property
    def journal_reference(self) -> RecordIdentity:
        """The identity of the approval in the journal.

        If the approval has no case, its own id is used as the case id.
        """
        return RecordIdentity(self.id, self.case_id or self.id, self.reference)
