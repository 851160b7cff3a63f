"""Queries for accounts, their keys, and requests for approval."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.access import people
from app.access.account_locks import lock_accounts
from app.access.models import Account, ApiKey, Approval, ApprovalState
from app.directory import queries as directory_queries
from app.kernel.actors import CASE_ROLES, AccountKind, Role
from app.kernel.problems import NotFound
from app.kernel.statements import lock_rows
from app.kernel.transactions import ReadTransaction, WriteTransaction


def get_own_account(tx: ReadTransaction) -> Account:
    """Return the account of the caller."""
    return tx.session.get_one(Account, tx.actor.account_id)


def get_labels(tx: ReadTransaction, ids: Iterable[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Return the focal point and label (staff number or duty post) of each account."""
    wanted = Account.id.in_(set(ids))
    rows = select(Account.id, Account.focal_point_id, Account.label).where(wanted)
    return {account: (office, label) for account, office, label in tx.session.execute(rows)}


def find_by_label(session: Session, focal_point_id: UUID, label: str) -> UUID | None:
    """Return the id of the account with this label at a focal point, or None."""
    named = (Account.focal_point_id == focal_point_id) & (Account.label == label)
    return session.scalar(select(Account.id).where(named))


def has_other_accounts(session: Session, labels: Collection[str]) -> bool:
    """Return whether there is an account whose label is not one of the given labels."""
    others = select(Account.id).where(Account.label.not_in(labels)).limit(1)
    return session.scalar(others) is not None


def has_active_account(session: Session, labels: Collection[str]) -> bool:
    """Return whether there is an enabled account with one of the given labels."""
    active = Account.label.in_(labels) & Account.disabled_at.is_(None)
    return session.scalar(select(Account.id).where(active).limit(1)) is not None


def select_approvals(
    tx: ReadTransaction, state: ApprovalState | None = None
) -> Select[Approval, int]:
    """Select the approvals that concern the caller, optionally only those in one state.

    Of the approvals that the caller may see, these are the ones that the caller requested,
    the ones that wait for a decision, and the ones that the caller gave and can take back.
    A request that has expired is in the state `expired`, even if the worker has not
    recorded this yet.
    """
    account, runs = tx.actor.account_id, Approval.lapses_at > tx.now
    waits = (Approval.decision == ApprovalState.PENDING) & runs
    allowed = (Approval.decision == ApprovalState.APPROVED) & is_allowed_by(account) & runs
    wanted = or_(Approval.asked_by == account, waits, allowed)
    found = select(Approval, Approval.number).where(is_visible(tx), wanted)
    return found if state is None else found.where(is_in_state(state, runs))


def is_in_state(state: ApprovalState, runs: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return an SQL condition for the approvals that are in the given state now."""
    stored, unspent = Approval.decision == state, Approval.decision.in_(UNSPENT)
    if state == ApprovalState.EXPIRED:
        return or_(stored, unspent & ~runs)
    return stored & runs if state in UNSPENT else stored


def is_visible(tx: ReadTransaction) -> ColumnElement[bool]:
    """Return an SQL condition for the approvals that the caller may see.

    An administrator sees all approvals that belong to no case. Other callers see
    approvals about a case or a release of figures that their focal point has to decide. A
    supervisor also sees the approvals about accounts and webhooks of that focal point.
    """
    if Role.ADMINISTRATOR in tx.actor.roles:
        return Approval.case_id.is_(None)
    of_own_office = Approval.focal_point_id == tx.actor.focal_point_id
    of_cases = Approval.case_id.is_not(None) | Approval.action.startswith(FIGURE_ACTIONS)
    if Role.SUPERVISOR in tx.actor.roles:
        actions = [Approval.action.startswith(prefix) for prefix in OFFICE_ACTIONS]
        return of_own_office & or_(of_cases, *actions)
    return of_own_office & of_cases


FIGURE_ACTIONS: Final = "figures."
"""The prefix of the action that releases figures."""
OFFICE_ACTIONS: Final = ("account.", "webhook.")
"""Prefixes of the actions that change an account, its keys, or a webhook."""


def get_approval(tx: ReadTransaction, approval_id: UUID, *, lock: bool = False) -> Approval:
    """Return an approval that the caller may see, or raise NotFound (404)."""
    statement = select(Approval).where(Approval.id == approval_id, is_visible(tx))
    found = tx.session.scalar(lock_rows(statement) if lock else statement)
    if found is None:
        raise NotFound("There is no such approval.")
    return found


def lock_approval(tx: WriteTransaction, approval_id: UUID) -> Approval:
    """Lock and return an approval that the caller may see, or raise NotFound (404).

    The account that asked is locked first, together with the accounts that asked for the
    other unused approvals of the case, because these may expire in the same transaction.
    """
    found = get_approval(tx, approval_id)
    which = Account.id == found.asked_by
    if found.case_id is not None:
        unspent = Approval.decision.in_(UNSPENT) & (Approval.case_id == found.case_id)
        which |= Account.id.in_(select(Approval.asked_by).where(unspent))
    lock_accounts(tx.session, which)
    return get_approval(tx, approval_id, lock=True)


def lock_approvals(
    tx: WriteTransaction, ids: Collection[UUID], asked_by: Collection[UUID]
) -> list[Approval]:
    """Lock and return the unused approvals among `ids`, and first the accounts that asked.

    Approvals that were used or ended before they were locked are left out, and so are those
    whose account does not exist, which are never used.
    """
    locked = lock_accounts(tx.session, Account.id.in_(asked_by))
    wanted = select(Approval).where(Approval.id.in_(ids), Approval.asked_by.in_(locked))
    found = tx.session.scalars(lock_rows(wanted.order_by(Approval.number))).all()
    return [one for one in found if one.decision in UNSPENT]


def lock_pending(tx: WriteTransaction, fingerprints: list[str]) -> Approval | None:
    """Lock and return the caller's pending request with one of `fingerprints`, or None."""
    lock_accounts(tx.session, Account.id == tx.actor.account_id)
    pending = select(Approval).where(
        Approval.fingerprint.in_(fingerprints),
        Approval.asked_by == tx.actor.account_id,
        Approval.decision == ApprovalState.PENDING,
        Approval.lapses_at > tx.now,
    )
    return tx.session.scalar(lock_rows(pending))


def get_audience(tx: ReadTransaction, request: Approval) -> frozenset[UUID]:
    """Return the deciding office, and also oversight if the approval belongs to no case."""
    deciding = frozenset({request.focal_point_id})
    return deciding if request.case_id else deciding | directory_queries.list_overseers(tx)


UNSPENT: Final = (ApprovalState.PENDING, ApprovalState.APPROVED)


def select_unanswered(now: datetime) -> Select[Approval]:
    """Select the requests for approval that belong to no case and are overdue."""
    waits = (Approval.decision == ApprovalState.PENDING) & Approval.case_id.is_(None)
    return select(Approval).where(waits, Approval.lapses_at <= now)


def has_unanswered(session: Session, now: datetime) -> bool:
    """Return whether there is an overdue request for approval that belongs to no case."""
    return session.scalar(select_unanswered(now).limit(1)) is not None


def lock_unanswered(tx: WriteTransaction) -> Sequence[Approval]:
    """Lock and return overdue requests for approval outside cases; skip locked requests."""
    askers = select_unanswered(tx.now).with_only_columns(Approval.asked_by)
    lock_accounts(tx.session, Account.id.in_(askers))
    locked = select_unanswered(tx.now).with_for_update(key_share=True, skip_locked=True)
    return tx.session.scalars(locked).all()


def select_ended_requests(now: datetime) -> Select[Approval]:
    """Select the expired approvals that still contain a sealed request."""
    kept = Approval.sealed_request.is_not(None)
    return select(Approval).where(kept, Approval.lapses_at <= now)


def has_ended_request(session: Session, now: datetime) -> bool:
    """Return whether an expired approval still contains a sealed request."""
    return session.scalar(select_ended_requests(now).limit(1)) is not None


def lock_ended_requests(tx: WriteTransaction) -> Sequence[Approval]:
    """Lock and return expired approvals with a sealed request; skip locked approvals."""
    ended = select_ended_requests(tx.now).with_for_update(key_share=True, skip_locked=True)
    return tx.session.scalars(ended).all()


def is_allowed_by(account_id: UUID) -> ColumnElement[bool]:
    """Return an SQL condition for the requests that an account approved or refused."""
    return Approval.decided_by == account_id


def list_accounts(tx: ReadTransaction, focal_point_id: UUID) -> list[Account]:
    """List the accounts of a focal point, including disabled accounts, sorted by label."""
    of_office = select(Account).where(Account.focal_point_id == focal_point_id)
    found = tx.session.scalars(of_office)
    return sorted(found, key=lambda one: (one.label, one.opened_at, one.id))


def list_offices(session: Session) -> Sequence[UUID]:
    """List the ids of the focal points that have at least one account, even if disabled."""
    return session.scalars(select(Account.focal_point_id).distinct()).all()


def get_account(tx: ReadTransaction, account_id: UUID) -> Account:
    """Return an account, or raise NotFound (404)."""
    return require_found(tx.session.get(Account, account_id))


def lock_account(tx: WriteTransaction, account_id: UUID) -> Account:
    """Lock and return an account, or raise NotFound (404).

    Unused approvals that this account gave, or that are about it, may end as well. So the
    accounts that asked for them are locked too, all in the order of their ids.
    """
    about = Approval.subject == f"accounts/{account_id}"
    linked = or_(is_allowed_by(account_id), about) & Approval.decision.in_(UNSPENT)
    asked_by = select(Approval.asked_by).where(linked, Approval.lapses_at > tx.now)
    lock_accounts(tx.session, (Account.id == account_id) | Account.id.in_(asked_by))
    locked = lock_rows(select(Account).where(Account.id == account_id))
    return require_found(tx.session.scalar(locked))


def list_keys(tx: ReadTransaction, account_id: UUID) -> list[ApiKey]:
    """List all API keys of an account, even expired and revoked keys, oldest first."""
    found = tx.session.scalars(select(ApiKey).where(ApiKey.account_id == account_id))
    return sorted(found, key=lambda key: (key.made_at, key.prefix))


def get_key(tx: ReadTransaction, account_id: UUID, prefix: str) -> ApiKey:
    """Return an API key of an account, or raise NotFound (404)."""
    own = (ApiKey.account_id == account_id) & (ApiKey.prefix == prefix)
    return require_found(tx.session.scalar(select(ApiKey).where(own)))


def get_key_by_prefix(tx: ReadTransaction, prefix: str) -> ApiKey:
    """Return an API key of any account, or raise NotFound (404)."""
    return require_found(tx.session.get(ApiKey, prefix))


def has_any_key(session: Session, prefixes: Collection[str]) -> bool:
    """Return whether an API key with one of these prefixes exists."""
    found = select(ApiKey.prefix).where(ApiKey.prefix.in_(prefixes)).limit(1)
    return session.scalar(found) is not None


def count_workers(tx: ReadTransaction, focal_point_id: UUID) -> int:
    """Count the people whose enabled account at a focal point can work on cases."""
    enabled = (Account.focal_point_id == focal_point_id) & Account.disabled_at.is_(None)
    of_people = enabled & (Account.kind == AccountKind.PERSON)
    found = tx.session.execute(select(people.get_person(), Account.roles).where(of_people))
    return len({one for one, roles in found if not CASE_ROLES.isdisjoint(roles)})


def require_found[R](found: R | None) -> R:
    """Return the given row, or raise NotFound (404) if it is None."""
    if found is None:
        raise NotFound("There is no such account or key, or you may not see it.")
    return found
