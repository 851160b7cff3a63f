"""Reading accounts, their keys, and questions to a second person."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.access import machines
from app.access.models import Account, ApiKey, Approval, ApprovalState
from app.directory import queries as directory
from app.kernel.actors import WORKERS, AccountKind, Role
from app.kernel.problems import NotFound
from app.kernel.work import Reading, Writing


def account(work: Reading) -> Account:
    """Find the account that acts."""
    return work.session.get_one(Account, work.actor.account_id)


def labels(work: Reading, ids: Iterable[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Tell the focal points and labels of accounts: staff numbers or duty posts."""
    wanted = Account.id.in_(set(ids))
    rows = select(Account.id, Account.focal_point_id, Account.label).where(wanted)
    return {account: (of, label) for account, of, label in work.session.execute(rows)}


def find_by_label(session: Session, focal_point_id: UUID, label: str) -> UUID | None:
    """Find the account of a focal point that goes by a label."""
    mine = (Account.focal_point_id == focal_point_id) & (Account.label == label)
    return session.scalar(select(Account.id).where(mine))


def has_other_accounts(session: Session, labels: Collection[str]) -> bool:
    """Say whether anybody has an account that goes by none of these labels."""
    others = select(Account.id).where(Account.label.not_in(labels)).limit(1)
    return session.scalar(others) is not None


def has_active_account(session: Session, labels: Collection[str]) -> bool:
    """Say whether an account that is not ended goes by one of these labels."""
    theirs = Account.label.in_(labels) & Account.disabled_at.is_(None)
    return session.scalar(select(Account.id).where(theirs).limit(1)) is not None


def approvals(work: Reading) -> Select[Approval, int]:
    """Select what waits for a second person like me, what I asked, and what I allowed.

    What I allowed I may take back, as long as nobody has made use of it.
    """
    me, runs = work.actor.account_id, Approval.lapses_at > work.now
    waits = (Approval.decision == ApprovalState.PENDING) & runs
    allowed = (Approval.decision == ApprovalState.APPROVED) & is_allowed_by(me) & runs
    wanted = or_(Approval.asked_by == me, waits, allowed)
    return select(Approval, Approval.number).where(is_visible(work), wanted)


def is_visible(work: Reading) -> ColumnElement[bool]:
    """Keep the questions about cases of this focal point.

    To administrators, of whichever focal point, the others: those are about no case. Of
    these a supervisor has those about accounts and webhooks of the own focal point.
    """
    if Role.ADMINISTRATOR in work.actor.roles:
        return Approval.case_id.is_(None)
    of_us = Approval.focal_point_id == work.actor.focal_point_id
    of_cases = Approval.case_id.is_not(None)
    if Role.SUPERVISOR in work.actor.roles:
        of_office = [Approval.action.startswith(begins) for begins in OFFICE_ACTIONS]
        return of_us & or_(of_cases, *of_office)
    return of_us & of_cases


OFFICE_ACTIONS: Final = ("account.", "webhook.")
"""How the names of actions begin that change an account, its keys, or a webhook."""


def approval(work: Reading, approval_id: UUID) -> Approval:
    """Find a question that is ours, or raise NotFound (404)."""
    return load_approval(work, Approval.id == approval_id)


def lock_approval(work: Writing, approval_id: UUID) -> Approval:
    """Find a question that is ours and hold it, or raise NotFound (404)."""
    return load_approval(work, Approval.id == approval_id, lock=True)


def load_approval(
    work: Reading, wanted: ColumnElement[bool], *, lock: bool = False
) -> Approval:
    """Run a statement that should find one question."""
    statement = select(Approval).where(wanted, is_visible(work))
    held = statement.with_for_update(key_share=True)
    fresh = held.execution_options(populate_existing=True)
    found = work.session.scalar(fresh if lock else statement)
    if found is None:
        raise NotFound("There is no such approval.")
    return found


def pending_like(work: Reading, fingerprint: str) -> Approval | None:
    """Find the same question, asked before by the same account and still waiting."""
    return work.session.scalar(
        select(Approval).where(
            Approval.fingerprint == fingerprint,
            Approval.asked_by == work.actor.account_id,
            Approval.decision == ApprovalState.PENDING,
            Approval.lapses_at > work.now,
        )
    )


def get_audience(work: Reading, question: Approval) -> frozenset[UUID]:
    """Say who hears of a question: whose people answer it; of no case, overseers too."""
    ours = frozenset({question.focal_point_id})
    return ours if question.case_id else ours | directory.overseers(work)


UNSPENT: Final = (ApprovalState.PENDING, ApprovalState.APPROVED)


def select_unanswered(now: datetime) -> Select[Approval]:
    """Select the questions about no case that nobody answered in time."""
    waits = (Approval.decision == ApprovalState.PENDING) & Approval.case_id.is_(None)
    return select(Approval).where(waits, Approval.lapses_at <= now)


def has_unanswered(session: Session, now: datetime) -> bool:
    """Say whether there is such a question."""
    return session.scalar(select_unanswered(now).limit(1)) is not None


def lock_unanswered(work: Writing) -> Sequence[Approval]:
    """Find those that nobody else has in hand, and hold them."""
    held = select_unanswered(work.now).with_for_update(key_share=True, skip_locked=True)
    return work.session.scalars(held).all()


def is_allowed_by(account_id: UUID) -> ColumnElement[bool]:
    """Choose what an account allowed."""
    return Approval.decided_by == account_id


def is_asked_or_allowed_by(account_id: UUID) -> ColumnElement[bool]:
    """Choose what an account asked, and what it allowed."""
    return or_(Approval.asked_by == account_id, is_allowed_by(account_id))


def is_allowed_by_or_about(account: Account) -> ColumnElement[bool]:
    """Choose what an account allowed, and what was allowed to be done to it."""
    return or_(is_allowed_by(account.id), is_about(account))


def is_about(account: Account) -> ColumnElement[bool]:
    """Choose what was asked, or allowed, to be given to an account."""
    return Approval.subject == account.reference


def lock_unspent(work: Writing, its: ColumnElement[bool]) -> Sequence[Approval]:
    """Find what can still be answered or made use of, and hold it."""
    open_ = Approval.decision.in_(UNSPENT) & (Approval.lapses_at > work.now)
    held = select(Approval).where(its, open_).order_by(Approval.number)
    fresh = held.with_for_update(key_share=True)
    return work.session.scalars(fresh.execution_options(populate_existing=True)).all()


def is_still_allowed(work: Reading, question: Approval) -> bool:
    """Say whether whoever allowed it could do so now: not ended, and in such a role.

    Judged when it is used: one who was just being ended may have allowed it all the same.
    """
    second = (Account.id == question.decided_by) & Account.disabled_at.is_(None)
    roles = work.session.scalar(select(Account.roles).where(second))
    return bool(set(question.roles) & set(roles or ()))


def share_a_key(work: Reading, one: UUID, other: UUID) -> bool:
    """Say whether one of two accounts could sign in as the other, by a key it gave it.

    A key that has just ended counts: what was asked with it may still be on its way.
    """
    shown = or_(
        (ApiKey.account_id == one) & (ApiKey.made_by == other),
        (ApiKey.account_id == other) & (ApiKey.made_by == one),
    )
    usable = machines.is_usable_after(ApiKey, work.now - machines.IN_TRANSIT)
    found = work.session.scalar(select(ApiKey.prefix).where(shown, usable).limit(1))
    return found is not None or machines.has_registered_key(work, one, other)


def accounts(work: Reading, focal_point_id: UUID) -> list[Account]:
    """List the accounts of a focal point, ended ones too, by label."""
    found = work.session.scalars(
        select(Account).where(Account.focal_point_id == focal_point_id)
    )
    return sorted(found, key=lambda one: (one.label, one.opened_at, one.id))


def list_offices(session: Session) -> Sequence[UUID]:
    """Name the focal points that have accounts, ended ones too."""
    return session.scalars(select(Account.focal_point_id).distinct()).all()


def get_account(work: Reading, account_id: UUID) -> Account:
    """Find an account, or raise NotFound (404)."""
    return require_found(work.session.get(Account, account_id))


def lock_account(work: Writing, account_id: UUID) -> Account:
    """Find an account and hold it, so that changes take turns; or raise NotFound (404)."""
    wanted = select(Account).where(Account.id == account_id)
    held = wanted.with_for_update(key_share=True)
    return require_found(
        work.session.scalar(held.execution_options(populate_existing=True))
    )


def keys(work: Reading, account_id: UUID) -> list[ApiKey]:
    """List the keys of an account, ended ones too, oldest first."""
    found = work.session.scalars(select(ApiKey).where(ApiKey.account_id == account_id))
    return sorted(found, key=lambda key: (key.made_at, key.prefix))


def get_key(work: Reading, account_id: UUID, prefix: str) -> ApiKey:
    """Find a key of an account, or raise NotFound (404)."""
    mine = (ApiKey.account_id == account_id) & (ApiKey.prefix == prefix)
    return require_found(work.session.scalar(select(ApiKey).where(mine)))


def key_named(work: Reading, prefix: str) -> ApiKey:
    """Find a key, whosever it is, or raise NotFound (404)."""
    return require_found(work.session.get(ApiKey, prefix))


def count_workers(work: Reading, focal_point_id: UUID) -> int:
    """Count the people of a focal point who can work on cases, and have not left."""
    alive = (Account.focal_point_id == focal_point_id) & Account.disabled_at.is_(None)
    people = select(Account.roles).where(alive, Account.kind == AccountKind.PERSON)
    return sum(1 for roles in work.session.scalars(people) if not WORKERS.isdisjoint(roles))


def require_found[R](found: R | None) -> R:
    """Hand out what was looked for, or raise NotFound (404)."""
    if found is None:
        raise NotFound("There is nothing here that is yours to see.")
    return found
