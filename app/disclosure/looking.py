"""Keeping who looked at what, and how much one account may look at in a day (R18, R35).

An account that was stolen, or is held by somebody corrupt, can open what is its office's
to open. So that it cannot carry all of it away in a night, the cases it opens in a day are
counted. What cannot wait does not count: a case in vital interest, what was permitted in
one, and the safety notice. Neither is a case refused that it opened that day already.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.access import queries as access
from app.cases import queries as cases
from app.cases.sections import Paper, ReadingPurpose
from app.directory import queries as directory
from app.disclosure import queries
from app.disclosure.models import AccessEntry
from app.disclosure.policy import POLICY_HASH, Subject
from app.kernel.db import hold
from app.kernel.instants import get_time_to_midnight, midnight
from app.kernel.journal import was_told
from app.kernel.problems import Problem
from app.kernel.work import Writing

CAPPED: Final = "account.capped"


@dataclass(frozen=True)
class Look:
    """One thing that somebody asked to open."""

    case_id: UUID
    record_id: UUID
    subject: Subject
    purpose: ReadingPurpose
    under: UUID | None = None
    """The emergency that it rests on, and on nothing else."""


class DailyCapReached(Problem):
    """Your account has opened as many cases today as it may; others were told of it."""

    status = 429

    def __init__(self, look: Look, now: datetime) -> None:
        left = get_time_to_midnight(now)
        super().__init__(
            "Cases that you opened today stay open to you. A colleague can open others.",
            wait=max(1, round(left.total_seconds())),
        )
        self.look = look


def must_be_within_the_cap(work: Writing, look: Look) -> None:
    """Raise DailyCapReached (429) where this would be one case too many today.

    Looks at two cases at once take turns, or both would be the last one that is allowed.
    """
    cap = work.ground.daily_cap
    if cap is None or look.under or look.subject == Paper.SAFETY_NOTICE:
        return
    today = midnight(work.now)
    if look.case_id in queries.opened_since(work, today):
        return
    hold(work.session, f"opening {work.actor.account_id}")
    within = len(queries.opened_since(work, today) | {look.case_id}) <= cap
    if not within and not cases.in_vital_interest(work, [look.case_id]):
        raise DailyCapReached(look, work.now)


def keep(work: Writing, look: Look, *, allowed: bool) -> None:
    """Write the access entry: who, what, why, under which policy, and what was decided."""
    work.session.add(
        AccessEntry(
            id=work.new_id(),
            at=work.now,
            case_id=look.case_id,
            record_id=look.record_id,
            subject=look.subject,
            purpose=look.purpose,
            allowed=allowed,
            policy=POLICY_HASH,
            account_id=work.actor.account_id,
            focal_point_id=work.actor.focal_point_id,
            vital_reading_id=look.under,
        )
    )
    work.session.flush()


def keep_refused(work: Writing, look: Look) -> None:
    """Keep that the cap was reached; tell the account's office and oversight, once a day.

    In a transaction of its own: the one that was refused is undone.
    """
    keep(work, look, allowed=False)
    account, cap = access.account(work), work.ground.daily_cap
    hold(work.session, f"opening {account.id}")
    if not was_told(work.session, account.id, CAPPED, midnight(work.now)):
        audience = frozenset({account.focal_point_id}) | directory.overseers(work)
        work.record(CAPPED, account, audience, {"cap": cap})
