"""Idempotency keys, so that a request that is sent twice is carried out once.

Only the outcome of a request is stored, never its body, which contains personal data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, claim_name
from app.kernel.problems import Problem
from app.kernel.recall import write_rows
from app.kernel.transactions import WriteTransaction


class IdempotencyKeyMissing(Problem):
    """The request needs an Idempotency-Key."""

    status = 400


class IdempotencyKeyReused(Problem):
    """The Idempotency-Key was used for another request."""

    status = 422


class IdempotencyKeyInUse(Problem):
    """A request with this Idempotency-Key is being carried out."""

    status = 409
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class Outcome(Base):
    """The outcome of a request, stored by the transaction that carried out the request.

    Rows are never changed or deleted: a retry that arrives after years, or after the
    erasure of the record, must not create the record again. On PostgreSQL, the service may
    not change or delete a row. A row takes about 150 bytes and has no personal data.
    """

    __tablename__ = "outcome"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    resource_id: Mapped[UUID]
    status: Mapped[int]
    at: Mapped[datetime]


class StoredOutcome(NamedTuple):
    """The stored outcome of a request that was carried out."""

    fingerprint: str
    resource_id: UUID
    status: int


FIND_OUTCOME: Final = select(
    Outcome.fingerprint, Outcome.resource_id, Outcome.status
).where(Outcome.account_id == bindparam("account"), Outcome.key == bindparam("named"))
INSERT_OUTCOME: Final = insert(Outcome)


@dataclass(frozen=True)
class KeyedRequest:
    """An idempotency key, and a fingerprint of the request for each key-encryption key.

    The first fingerprint is stored. A retry must have the stored fingerprint among its own.
    `key` is None if the request has no idempotency key.
    """

    key: str | None
    fingerprints: list[str]


def claim(tx: WriteTransaction, ticket: KeyedRequest) -> StoredOutcome | None:
    """Lock the key of this request; return the stored outcome, or None if none is stored.

    The outcome is read after the attempt to lock the key, because the transaction that held
    the lock before may have stored it. A stored outcome is returned even if another request
    holds the lock. The key belongs to the account, so that a retry works with a new API
    key. Raises IdempotencyKeyMissing (400) without a key, IdempotencyKeyInUse (409) if
    another transaction is carrying out the request, and IdempotencyKeyReused (422) if the
    key was used for another request.
    """
    if not ticket.key:
        raise IdempotencyKeyMissing(
            "Send a random `Idempotency-Key`, and the same key with each retry."
        )
    is_locked = claim_name(tx.session, f"{tx.actor.account_id}:{ticket.key}")
    done = find_outcome(tx, ticket.key)
    if done is None and not is_locked:
        raise IdempotencyKeyInUse("Send the same request again in a second.")
    if done and done.fingerprint not in ticket.fingerprints:
        raise IdempotencyKeyReused("Send a new `Idempotency-Key` with a new request.")
    return done


def find_outcome(tx: WriteTransaction, key: str) -> StoredOutcome | None:
    """Return the account's stored outcome for this key, or None if none is stored."""
    query = {"account": tx.actor.account_id, "named": key}
    row = tx.read_columns(FIND_OUTCOME, query).one_or_none()
    return StoredOutcome(*row) if row else None


def store_outcome(
    tx: WriteTransaction, ticket: KeyedRequest, resource_id: UUID, status: int
) -> None:
    """Store the outcome of this request, which is kept only if the transaction commits."""
    outcome = {
        "account_id": tx.actor.account_id,
        "key": ticket.key,
        "fingerprint": ticket.fingerprints[0],
        "resource_id": resource_id,
        "status": status,
        "at": tx.now,
    }
    write_rows(tx.session, INSERT_OUTCOME, outcome)
