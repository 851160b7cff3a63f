"""Idempotency keys: the same request, sent twice, is carried out once.

Kept is what came of a request, never what was in it: a stored body would be a second copy
of what a person told us.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, try_hold
from app.kernel.problems import Problem
from app.kernel.recall import change
from app.kernel.statements import columns
from app.kernel.work import Writing


class KeyMissing(Problem):
    """The request needs an Idempotency-Key."""

    status = 400


class KeyReused(Problem):
    """The Idempotency-Key was used for another request."""

    status = 422


class KeyInFlight(Problem):
    """A request with this Idempotency-Key is being carried out."""

    status = 409
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class Outcome(Base):
    """What came of a request: written in the transaction that carried it out."""

    __tablename__ = "outcome"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    resource_id: Mapped[UUID]
    status: Mapped[int]
    at: Mapped[datetime]


class Done(NamedTuple):
    """What came of a request that was carried out."""

    fingerprint: str
    resource_id: UUID
    status: int


CAME: Final = select(Outcome.fingerprint, Outcome.resource_id, Outcome.status).where(
    Outcome.account_id == bindparam("account"), Outcome.key == bindparam("named")
)
SETTLED: Final = insert(Outcome)


@dataclass(frozen=True)
class Ticket:
    """A request that its sender may repeat; the fingerprint recognises it unread."""

    key: str | None
    fingerprint: str


def claim(work: Writing, ticket: Ticket) -> Done | None:
    """Return what came of this request before, or hold its key until this work ends.

    Raises KeyMissing (400), KeyInFlight (409) or KeyReused (422). Scoped to the account, so
    that a retry survives a new API key. What was carried out is in flight for nobody; what
    was not is looked for again once the key is held, for its holder may just have finished.
    """
    if not ticket.key:
        raise KeyMissing("Choose a random key, and send the same one if you must retry.")
    done = look_up(work, ticket.key)
    if done is None:
        if not try_hold(work.session, f"{work.actor.account_id}:{ticket.key}"):
            raise KeyInFlight("Ask again in a second.")
        done = look_up(work, ticket.key)
    if done and not hmac.compare_digest(done.fingerprint, ticket.fingerprint):
        raise KeyReused("Choose a new key for a new request.")
    return done


def look_up(work: Writing, key: str) -> Done | None:
    """Find what came of the account's request under a key."""
    mine = {"account": work.actor.account_id, "named": key}
    row = columns(work.session, CAME, mine).one_or_none()
    return Done(*row) if row else None


def settle(work: Writing, ticket: Ticket, resource_id: UUID, status: int) -> None:
    """Remember what came of this request, if and only if the work commits."""
    came = {
        "account_id": work.actor.account_id,
        "key": ticket.key,
        "fingerprint": ticket.fingerprint,
        "resource_id": resource_id,
        "status": status,
        "at": work.now,
    }
    change(work.session, SETTLED, came)
