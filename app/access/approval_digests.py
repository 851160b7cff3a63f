"""Digests of approvals, which are removed when the approvals end (ADR 80).

Whatever ends an approval must also remove its digest from the group of the account that
asked. Otherwise, an approval that somebody hides or changes outside the service at that
time is usable again once its row is restored.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.access.account_locks import lock_accounts
from app.access.models import Account, Approval, ApprovalState
from app.access.protected_tables import MEMBER_TABLES, OWNERS
from app.access.row_verification import parse_owner, read_row
from app.access.stored_groups import store_entries
from app.kernel.macs import (
    KEPT_AFTER_END,
    MACS,
    Group,
    NotAuthentic,
    RowMacs,
    compute_table_tag,
    has_entry_of_table,
    log_alarm,
)
from app.kernel.statements import lock_rows
from app.kernel.transactions import WriteTransaction

APPROVALS: Final = MEMBER_TABLES[Approval]
CODE: Final = compute_table_tag(APPROVALS.name)
"""The first byte of the tags of approvals."""
MARGIN: Final = KEPT_AFTER_END + timedelta(hours=2)
"""How long after its end an approval may have a digest. Times are rounded to hours."""


def lock_wanted(
    tx: WriteTransaction, is_wanted: Callable[[Approval], bool]
) -> list[Approval]:
    """Lock and return the approvals of all accounts that meet a condition.

    The digests of approvals that are missing, or that were altered outside the service, are
    removed from all groups, because such an approval may meet the condition once it is
    restored. The accounts are locked first, as by `queries.lock_approval`. The transaction
    must act for the service, because row security would hide approvals otherwise.
    """
    tx.session.flush()
    asked_by = list_accounts_to_lock(tx, is_wanted)
    if not asked_by:
        return []
    locked = lock_accounts(tx.session, Account.id.in_(asked_by))
    of_accounts = select_kept(tx).where(Approval.asked_by.in_(locked))
    found = tx.session.scalars(lock_rows(of_accounts)).all()
    for account_id in locked:
        drop_unmatched_approvals(tx.session, account_id, found, is_complete=True)
    return [one for one in found if is_wanted(one)]


def list_accounts_to_lock(
    tx: WriteTransaction, is_wanted: Callable[[Approval], bool]
) -> set[UUID]:
    """List the accounts that asked for wanted approvals, or have unmatched digests.

    Nothing is locked, so another transaction may have changed an approval meanwhile. An
    account that was altered outside the service is left out, unless an approval is wanted.
    """
    macs = tx.runtime.row_macs
    approvals = tx.session.scalars(select_kept(tx)).all()
    accounts = tx.session.connection().execute(select(OWNERS[Account].table))
    listed = {one.asked_by for one in approvals if is_wanted(one)}
    for row in accounts.mappings():
        mac = row["mac"]
        if row["id"] in listed or mac is None or not has_entry_of_table(mac, CODE):
            continue
        with suppress(NotAuthentic):
            group = parse_owner(macs, Account, dict(row))
            if group and find_unmatched(macs, group, approvals, is_complete=True):
                listed.add(row["id"])
    return listed


def select_kept(tx: WriteTransaction) -> Select[Approval]:
    """Select the approvals that may have a digest, in the order of their numbers.

    A row that was altered so that it is left out has a digest that nothing matches.
    """
    kept = Approval.lapses_at > min(tx.now, tx.runtime.clock()) - MARGIN
    return select(Approval).where(kept).order_by(Approval.number)


def drop_altered(session: Session, approvals: Sequence[Approval]) -> None:
    """Remove the digests of approvals that were altered outside the service.

    The accounts that asked must be locked. Unlike a changed row with a digest, a row that
    has ended and has none can be changed.
    """
    for account_id in sorted({one.asked_by for one in approvals}):
        drop_unmatched_approvals(session, account_id, approvals)


def drop_unmatched_approvals(
    session: Session,
    account_id: UUID,
    approvals: Collection[Approval],
    *,
    is_complete: bool = False,
) -> None:
    """Remove the digests that `approvals` have in the group of an account but do not match.

    If `is_complete`, `approvals` contains all approvals of the account that exist, and the
    digests of all others are removed too. An alarm is logged, except for approvals that an
    earlier version expired without their digests. A group that was altered outside the
    service is not changed.
    """
    session.flush()
    macs: RowMacs = session.info[MACS]
    with suppress(NotAuthentic):
        row = read_row(session.connection(), OWNERS[Account], account_id, lock=True)
        group = parse_owner(macs, Account, row)
        if group is None:
            return
        unmatched = find_unmatched(macs, group, approvals, is_complete=is_complete)
        if unmatched - {get_tag(one) for one in approvals if is_expired(macs, one)}:
            log_alarm(Account.__tablename__, [account_id])
        if unmatched:
            kept = {tag: one for tag, one in group.entries.items() if tag not in unmatched}
            store_entries(session, (Account, account_id), row, group, kept)


def find_unmatched(
    macs: RowMacs, group: Group, approvals: Iterable[Approval], *, is_complete: bool
) -> set[bytes]:
    """Return the tags of the digests that `drop_unmatched_approvals` removes."""
    records = {get_tag(one): APPROVALS.read_record(one) for one in approvals}
    current = group.remove_outdated(macs.clock()).entries
    return {
        tag
        for tag in (current if is_complete else group.entries.keys() & records.keys())
        if tag[:1] == CODE
        if tag not in records
        or not macs.has_entry(group, APPROVALS.name, APPROVALS.get_values(records[tag]))
    }


def get_tag(approval: Approval) -> bytes:
    """Return the tag of an approval in the group of the account that asked."""
    return APPROVALS.get_tag(APPROVALS.read_record(approval))


def is_expired(macs: RowMacs, approval: Approval) -> bool:
    """Return whether an approval has expired and therefore needs no digest."""
    ended = APPROVALS.is_ended(APPROVALS.read_record(approval), macs.clock())
    return ended and approval.decision == ApprovalState.EXPIRED
