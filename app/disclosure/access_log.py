"""The access log, and the daily cap on the cases that a person may open (R18, R35).

The cap limits what a stolen account can read. All accounts of a person at an office count
together. It does not apply to cases with a vital interest, to emergency access, to the
safety alert, or to a case that the person already opened on the same day.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.access import queries as access_queries
from app.access.session_limits import require_recent_sign_in
from app.cases import queries as case_queries
from app.cases.sections import (
    SECTIONS_AFTER_SIGN_IN,
    EmergencyAccessPurpose,
    Paper,
    Section,
)
from app.directory import queries as directory_queries
from app.disclosure import queries as disclosure_queries
from app.disclosure.models import AccessEntry
from app.disclosure.policy import POLICY_HASH, Subject
from app.kernel.db import lock_name
from app.kernel.instants import get_midnight, get_time_to_midnight
from app.kernel.journal import was_recorded_since
from app.kernel.problems import Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction

CAPPED: Final = "account.capped"


@dataclass(frozen=True)
class AccessAttempt:
    """A request to open one sealed document."""

    case_id: UUID
    record_id: UUID
    subject: Subject
    purpose: EmergencyAccessPurpose
    under: UUID | None = None
    """The id of the emergency access, if nothing else allows the opening."""


class DailyCapReached(Problem):
    """Your daily limit of cases is reached; your office and oversight were informed."""

    status = 429

    def __init__(self, look: AccessAttempt, now: datetime) -> None:
        left = get_time_to_midnight(now)
        super().__init__(
            "You can still open cases that you opened today. A colleague can open others.",
            wait=max(1, round(left.total_seconds())),
        )
        self.look = look


def require_sign_in_for(tx: ReadTransaction, sections: AbstractSet[Section]) -> None:
    """Raise AuthenticationTooOld (401) if a section needs a more recent sign-in."""
    if sections & SECTIONS_AFTER_SIGN_IN:
        require_recent_sign_in(tx.actor, tx.now)


def require_below_cap(tx: WriteTransaction, look: AccessAttempt) -> None:
    """Raise DailyCapReached (429) if an access would exceed the daily cap of opened cases.

    The cap does not apply to emergency access (`under` is set), to a safety alert, to a
    case that the caller already opened today, or to a case with a vital interest.
    """
    cap = tx.runtime.daily_cap
    if cap is None or look.under or look.subject == Paper.SAFETY_ALERT:
        return
    today = get_midnight(tx.now)
    if look.case_id in disclosure_queries.find_opened_since(tx, today):
        return
    lock_name(tx.session, f"opening {tx.actor.person_id or tx.actor.account_id}")
    within = len(disclosure_queries.find_opened_since(tx, today) | {look.case_id}) <= cap
    if not within and not case_queries.find_in_vital_interest(tx, [look.case_id]):
        raise DailyCapReached(look, tx.now)


def record_access(tx: WriteTransaction, look: AccessAttempt, *, allowed: bool) -> None:
    """Add an entry to the access log, with the hash of the policy and the decision."""
    tx.session.add(
        AccessEntry(
            id=tx.create_id(),
            at=tx.now,
            case_id=look.case_id,
            record_id=look.record_id,
            subject=look.subject,
            purpose=look.purpose,
            allowed=allowed,
            policy=POLICY_HASH,
            account_id=tx.actor.account_id,
            focal_point_id=tx.actor.focal_point_id,
            vital_reading_id=look.under,
        )
    )
    tx.session.flush()


def record_capped(tx: WriteTransaction, look: AccessAttempt) -> None:
    """Record the refused access, and that the daily cap was reached.

    The office and oversight get one event per day. Call this function in a new transaction,
    because the transaction of the refused request is rolled back.
    """
    record_access(tx, look, allowed=False)
    account, cap = access_queries.get_own_account(tx), tx.runtime.daily_cap
    lock_name(tx.session, f"capped {account.id}")
    if not was_recorded_since(tx.session, account.id, CAPPED, get_midnight(tx.now)):
        audience = directory_queries.list_overseers(tx) | {account.focal_point_id}
        tx.record(CAPPED, account, audience, {"cap": cap})
