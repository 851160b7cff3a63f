"""Opening accounts, making and revoking API keys, and deciding as a second person."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.access import queries
from app.access.models import Account, ApiKey, Approval, ApprovalState
from app.kernel.actors import AccountKind, Role, Scope
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound, Problem
from app.kernel.work import Writing

PREFIX_BYTES: Final = 5
SECRET_BYTES: Final = 32
KEY_DAYS: Final = 90


class NotASecondPerson(Problem):
    """Whoever asked cannot approve, and neither can a machine."""

    status = 409


class ApprovalDecided(Problem):
    """The question was decided before, or nobody answered in time."""

    status = 409


@dataclass(frozen=True)
class Opening:
    """What an account is opened with."""

    focal_point_id: UUID
    label: str
    roles: frozenset[Role]
    kind: AccountKind = AccountKind.PERSON


def open_account(
    session: Session, account_id: UUID, opening: Opening, now: datetime
) -> None:
    """Open an account of a focal point."""
    session.add(
        Account(
            id=account_id,
            focal_point_id=opening.focal_point_id,
            label=opening.label,
            kind=opening.kind,
            roles=sorted(opening.roles),
            opened_at=now,
        )
    )
    session.flush()


def make_key(
    session: Session,
    account_id: UUID,
    scopes: Iterable[Scope],
    now: datetime,
    *,
    days: int = KEY_DAYS,
) -> str:
    """Make an API key and return it, for the only time: just its hash is kept."""
    prefix = secrets.token_hex(PREFIX_BYTES)
    key = f"sc_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    session.add(
        ApiKey(
            prefix=prefix,
            account_id=account_id,
            hash=queries.hash_key(key),
            scopes=sorted(scopes),
            made_at=now,
            expires_at=now + timedelta(days=days),
        )
    )
    session.flush()
    return key


def revoke_key(session: Session, prefix: str, now: datetime) -> None:
    """End an API key: it is refused from the next request on. Raises NotFound (404)."""
    key = session.get(ApiKey, prefix)
    if key is None:
        raise NotFound("There is no API key with this prefix.")
    key.revoked_at = key.revoked_at or now


def disable_account(session: Session, account_id: UUID, now: datetime) -> None:
    """End an account with all its keys, from the next request on. Raises NotFound (404)."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound("There is no such account.")
    account.disabled_at = account.disabled_at or now


def decide(work: Writing, approval_id: UUID, *, approve: bool) -> Approval:
    """Answer as a second person, once; the same answer again changes nothing.

    Raises NotFound (404), NotASecondPerson or ApprovalDecided (409), RoleMissing (403).
    """
    question = queries.lock_approval(work, approval_id)
    must_be_second(work, question)
    answer = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
    if question.decision == answer and question.decided_by == work.actor.account_id:
        return question
    if question.decision != ApprovalState.PENDING or question.lapses_at <= work.now:
        raise ApprovalDecided(
            "It cannot be decided again; the action can be asked for anew."
        )
    question.decision = answer
    question.decided_by, question.decided_at = work.actor.account_id, work.now
    return question


def lapse(work: Writing, case_id: UUID) -> list[UUID]:
    """End every question about a case that was not spent; says which.

    Whoever held the case asked them, and holds it no longer: what they were allowed is
    allowed to nobody, not even should the case come back to them.
    """
    unspent = Approval.decision.in_([ApprovalState.PENDING, ApprovalState.APPROVED])
    alive = (Approval.case_id == case_id) & (Approval.lapses_at > work.now) & unspent
    ended = update(Approval).where(alive).values(lapses_at=work.now)
    return list(work.session.scalars(ended.returning(Approval.id)))


def must_be_second(work: Writing, question: Approval) -> None:
    """Raise unless this is another person, with a role that may decide (R14)."""
    asked = question.asked_by == work.actor.account_id
    if asked or work.actor.kind != AccountKind.PERSON:
        raise NotASecondPerson("Another person of your focal point has to decide.")
    if not set(question.roles) & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(question.roles)}.")
