"""The quotas of an account: open drafts, and sealed content per day (ADR 45)."""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.cases import queries as case_queries
from app.cases.lifecycle import State
from app.cases.models import Case
from app.cases.sections import Paper, Sealable
from app.kernel.transactions import ReadTransaction, WriteTransaction

UNLIMITED_KINDS: Final[frozenset[Sealable]] = frozenset(
    {Paper.ROUTING, Paper.CONTACTS, Paper.ARRANGEMENT, Paper.TRAVEL_PLAN}
)
"""Kinds without a quota, because each case or referral has only one such document."""


def count_open_drafts(tx: ReadTransaction) -> int:
    """Return the number of open drafts of the caller's account."""
    mine = (Case.drafted_by == tx.actor.account_id) & (Case.state == State.DRAFT)
    return tx.session.scalar(select(func.count()).select_from(Case).where(mine)) or 0


def require_draft_quota(tx: WriteTransaction) -> None:
    """Raise TooManyDrafts (429) if the caller's account has too many open drafts.

    Drafts that are created at the same time can together exceed the quota.
    """
    tx.runtime.quotas.require_draft(count_open_drafts(tx))


def count_volume(tx: WriteTransaction, case_id: UUID, kind: Sealable, size: int) -> None:
    """Count sealed bytes, or raise DailyVolumeUsed (429) if they exceed today's quota.

    The quota never blocks a submission, nor a write to a case with a valid vital interest.
    """
    account, quotas = tx.actor.account_id, tx.runtime.quotas
    is_over = size > quotas.get_bytes_left(account, tx.now)
    if is_over and not is_exempt(tx, case_id, kind):
        quotas.raise_volume_used(account, tx.now, size)
    quotas.count_bytes(account, tx.now, size)


def is_exempt(tx: WriteTransaction, case_id: UUID, kind: Sealable) -> bool:
    """Return whether a document is exempt from the quota of the account that seals it."""
    return (
        tx.is_exempt_from_quota
        or tx.actor.is_system
        or kind in UNLIMITED_KINDS
        or bool(case_queries.find_in_vital_interest(tx, [case_id]))
    )
