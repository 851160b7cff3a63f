"""Quotas of an account: open drafts, and sealed content a day (ADR 45)."""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.cases import queries
from app.cases.lifecycle import State
from app.cases.models import Case
from app.cases.sections import Paper, Sealable
from app.kernel.transactions import Reading, Writing

UNLIMITED_KINDS: Final[frozenset[Sealable]] = frozenset(
    {Paper.ROUTING, Paper.CONTACTS, Paper.ARRANGEMENT, Paper.TRAVEL_PLAN}
)
"""Kinds that routing and services write: one document for a case or a referral."""


def count_open_drafts(work: Reading) -> int:
    """Return the number of open drafts of the caller's account."""
    mine = (Case.drafted_by == work.actor.account_id) & (Case.state == State.DRAFT)
    return work.session.scalar(select(func.count()).select_from(Case).where(mine)) or 0


def require_draft_quota(work: Writing) -> None:
    """Raise TooManyDrafts (429) if the caller's account has too many open drafts.

    Drafts that are written at the same moment may together exceed the quota.
    """
    work.runtime.quotas.require_draft(count_open_drafts(work))


def count_volume(work: Writing, case_id: UUID, kind: Sealable, size: int) -> None:
    """Count the bytes that are sealed; raise DailyVolumeUsed (429) above today's quota.

    The quota never stops a submission, nor a case for which a vital interest holds.
    """
    account, quotas = work.actor.account_id, work.runtime.quotas
    is_over = size > quotas.get_bytes_left(account, work.now)
    if is_over and not is_exempt(work, case_id, kind):
        quotas.raise_volume_used(account, work.now, size)
    quotas.count_bytes(account, work.now, size)


def is_exempt(work: Writing, case_id: UUID, kind: Sealable) -> bool:
    """Return whether a document may be sealed above the quota."""
    return (
        work.is_exempt_from_quota
        or work.actor.is_system
        or kind in UNLIMITED_KINDS
        or bool(queries.find_in_vital_interest(work, [case_id]))
    )
