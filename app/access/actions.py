"""Opening accounts, making and revoking API keys, and what takes a second person."""

import secrets
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, case, update
from sqlalchemy.orm import Session

from app.access import credentials, queries
from app.access.models import Account, ApiKey, Approval, ApprovalState
from app.directory import queries as directory
from app.kernel.actors import AccountKind, Role, Scope
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import Facts, NotFound, Problem
from app.kernel.recall import change
from app.kernel.statements import any_of
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


class ApprovalUnusable(Problem):
    """The approval given does not allow this: not approved, spent, lapsed, or another's."""

    status = 409


class RolesIncompatible(Problem):
    """An administrator sees no case, so it has no other role."""

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
) -> Account:
    """Open an account of a focal point; raises RolesIncompatible (409)."""
    require_compatible_roles(opening.roles)
    account = Account(
        id=account_id,
        focal_point_id=opening.focal_point_id,
        label=opening.label,
        kind=opening.kind,
        roles=sorted(opening.roles),
        opened_at=now,
    )
    session.add(account)
    session.flush()
    return account


def require_compatible_roles(roles: AbstractSet[Role]) -> None:
    """Raise RolesIncompatible (409) where an administrator would have another role."""
    if Role.ADMINISTRATOR in roles and len(roles) > 1:
        raise RolesIncompatible("Open two accounts, for two people.")


def make_key(
    session: Session,
    account_id: UUID,
    scopes: Iterable[Scope],
    now: datetime,
    *,
    days: int = KEY_DAYS,
) -> str:
    """Make an API key and return it, for the only time: just its hash is kept."""
    prefix, key = create_secret("sc")
    session.add(
        ApiKey(
            prefix=prefix,
            account_id=account_id,
            hash=credentials.hash_key(key),
            scopes=sorted(scopes),
            made_at=now,
            expires_at=now + timedelta(days=days),
        )
    )
    session.flush()
    return key


def create_secret(begins: str) -> tuple[str, str]:
    """Make what somebody signs in with, and what names it in the table."""
    prefix = secrets.token_hex(PREFIX_BYTES)
    return prefix, f"{begins}_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"


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


@dataclass(frozen=True)
class Asking:
    """What is put to a second person: just this, and nothing like it.

    `of` is the focal point whose people decide; None: the asker's own.
    """

    action: str
    subject: str
    fingerprint: str
    facts: Facts
    roles: AbstractSet[Role]
    lapses_at: datetime
    case_id: UUID | None = None
    of: UUID | None = None


def ask(work: Writing, asking: Asking) -> Approval:
    """Put a question to a second person, and tell those who may answer it."""
    question = Approval(
        id=work.new_id(),
        action=asking.action,
        case_id=asking.case_id,
        subject=asking.subject,
        fingerprint=asking.fingerprint,
        facts=dict(asking.facts),
        decision=ApprovalState.PENDING,
        focal_point_id=asking.of or work.actor.focal_point_id,
        roles=sorted(asking.roles),
        asked_by=work.actor.account_id,
        asked_at=work.now,
        lapses_at=asking.lapses_at,
    )
    work.session.add(question)
    record_approval_event(work, question, "approval.asked", {"action": question.action})
    return question


def record_approval_event(
    work: Writing, question: Approval, event: str, facts: Facts
) -> None:
    """Say in the journal what becomes of a question.

    What it is about is said where that is a record of a case, which its reader sees; a row
    of the directory may be for administrators alone.
    """
    of_case = {} if question.case_id is None else {"subject": question.subject}
    audience = queries.get_audience(work, question)
    work.record(event, question.told, audience, {**facts, **of_case})


def spend(work: Writing, approval_id: UUID, fingerprint: str) -> Approval:
    """Use an approval, once; raises ApprovalUnusable (409)."""
    try:
        question = queries.lock_approval(work, approval_id)
    except NotFound as error:
        raise ApprovalUnusable("There is no such approval.") from error
    if question.fingerprint != fingerprint:
        raise ApprovalUnusable("It was given for another request; repeat the same body.")
    if question.decision != ApprovalState.APPROVED or question.lapses_at <= work.now:
        raise ApprovalUnusable(f"It is {question.decision}, or lapsed: ask anew.")
    if not queries.is_still_allowed(work, question):
        raise ApprovalUnusable("Whoever allowed it could not do so now: ask anew.")
    question.decision = ApprovalState.SPENT
    return question


def decide(work: Writing, approval_id: UUID, *, approve: bool) -> Approval:
    """Answer as a second person; the same answer again changes nothing.

    Whoever allowed it takes that back by refusing, until it is made use of. Raises
    NotFound (404), NotASecondPerson or ApprovalDecided (409), RoleMissing (403).
    """
    question = queries.lock_approval(work, approval_id)
    require_second_person(work, question)
    answer = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
    mine = question.decided_by == work.actor.account_id
    if question.decision == answer and mine:
        return question
    takes_back = question.decision == ApprovalState.APPROVED and mine
    open_ = question.decision == ApprovalState.PENDING or takes_back
    if not open_ or question.lapses_at <= work.now:
        raise ApprovalDecided(
            "It cannot be decided again; the action can be asked for anew."
        )
    question.decision = answer
    question.decided_by, question.decided_at = work.actor.account_id, work.now
    record_approval_event(work, question, "approval.decided", {"decision": answer})
    return question


NOW: Final = bindparam("now", type_=Approval.lapses_at.type)
EXPIRE: Final = (
    update(Approval)
    .where(Approval.case_id == bindparam("case"))
    .where(Approval.decision.in_([ApprovalState.PENDING, ApprovalState.APPROVED]))
    .values(
        decision=ApprovalState.LAPSED,
        lapses_at=case((Approval.lapses_at > NOW, NOW), else_=Approval.lapses_at),
    )
    .returning(Approval.id)
)
EXPIRE_ABOUT: Final = EXPIRE.where(Approval.subject == bindparam("about"))
EXPIRE_OTHERS: Final = EXPIRE.where(Approval.focal_point_id.not_in(any_of("sparing")))


def lapse(
    work: Writing,
    case_id: UUID,
    *,
    subject: str | None = None,
    sparing: Collection[UUID] = (),
) -> list[UUID]:
    """End questions about a case that were not spent; says which.

    Those about one subject, or all but what the spared focal points asked. What they were
    allowed is allowed to nobody from now on, not even should the case come back to them,
    nor by whose clock is behind, or who began before and waited.
    """
    asked: dict[str, object] = {"case": case_id, "now": work.now}
    if subject is None:
        statement, asked = EXPIRE_OTHERS, asked | {"sparing": list(sparing)}
    else:
        statement, asked = EXPIRE_ABOUT, asked | {"about": subject}
    return list(change(work.session, statement, asked).scalars())


def lapse_unanswered(work: Writing) -> int:
    """Let questions about no case that nobody answered in time be over, and say how many.

    Those of a case have a clock, which does the same.
    """
    over = queries.lock_unanswered(work)
    for question in over:
        question.decision = ApprovalState.LAPSED
        record_approval_event(work, question, "approval.lapsed", {})
    return len(over)


def expire_unspent(work: Writing, its: ColumnElement[bool]) -> list[UUID]:
    """End questions of an account or about it, or what it allowed and nobody made use of.

    Says which. Whoever left, or was made to, has no word any more in what others do; and
    what is taken away by one is not given back on an old word.
    """
    over = queries.lock_unspent(work, its)
    for question in over:
        question.decision, question.lapses_at = ApprovalState.LAPSED, work.now
        record_approval_event(work, question, "approval.lapsed", {})
    return [question.id for question in over]


def require_second_person(work: Writing, question: Approval) -> None:
    """Raise unless this is another person, with a role that may decide (R14).

    Nobody decides what their own focal point is, may and does, or about their own account.
    Whoever was shown a key of the asker may have asked as that one.
    """
    me, asker = work.actor.account_id, question.asked_by
    if asker == me or work.actor.kind != AccountKind.PERSON:
        raise NotASecondPerson("Another person of your focal point has to decide.")
    if question.subject == f"accounts/{me}" or queries.share_a_key(work, me, asker):
        raise NotASecondPerson("This is about you, or one of you holds a key of both.")
    if not set(question.roles) & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(question.roles)}.")
    us = directory.by_id(work, work.actor.focal_point_id).code
    if question.subject == f"focal-points/{us}":
        raise NotASecondPerson("This is about your own focal point: another has to decide.")
