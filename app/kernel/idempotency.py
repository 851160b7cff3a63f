"""Idempotency keys: the same request, sent twice, is carried out once.

Kept is what came of a request, never what was in it: a stored body would be a second copy
of what a person told us.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, try_hold
from app.kernel.problems import Problem
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


@dataclass(frozen=True)
class Ticket:
    """A request that its sender may repeat; the fingerprint recognises it unread."""

    key: str | None
    fingerprint: str


def claim(work: Writing, ticket: Ticket) -> Outcome | None:
    """Return what came of this request before, or hold its key until this work ends.

    Raises KeyMissing (400), KeyInFlight (409) or KeyReused (422). Scoped to the account, so
    that a retry survives a new API key. What was carried out is in flight for nobody; what
    was not is looked for again once the key is held, for its holder may just have finished.
    """
    if not ticket.key:
        raise KeyMissing("Choose a random key, and send the same one if you must retry.")
    mine = (work.actor.account_id, ticket.key)
    outcome = work.session.get(Outcome, mine)
    if outcome is None:
        if not try_hold(work.session, f"{mine[0]}:{mine[1]}"):
            raise KeyInFlight("Ask again in a second.")
        outcome = work.session.get(Outcome, mine)
    if outcome and not hmac.compare_digest(outcome.fingerprint, ticket.fingerprint):
        raise KeyReused("Choose a new key for a new request.")
    return outcome


def settle(work: Writing, ticket: Ticket, resource_id: UUID, status: int) -> None:
    """Remember what came of this request, if and only if the work commits."""
    work.session.add(
        Outcome(
            account_id=work.actor.account_id,
            key=ticket.key,
            fingerprint=ticket.fingerprint,
            resource_id=resource_id,
            status=status,
            at=work.now,
        )
    )
