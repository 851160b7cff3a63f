"""The decision whether the State of origin may be informed, which ended returns reopen."""

from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select

from app.cases import actions as cases
from app.cases import queries as case_queries
from app.cases.lifecycle import OPEN as CASE_OPEN
from app.cases.models import Case
from app.cases.sections import OriginContact, Paper, Safeguards
from app.consents import standing
from app.deadlines import actions as deadlines
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import ClockKind
from app.kernel.transactions import Writing
from app.returns.lifecycle import CANCELLED, State
from app.returns.models import Return

OVER: Final = CANCELLED - {State.HALTED}
"""States in which the deadline of a return is the deadline of this decision."""
OVER_IN: Final = select(Return.id).where(
    Return.case_id == bindparam("case"), Return.state.in_(OVER)
)


def reopen_decision(work: Writing, record: Return) -> None:
    """Reopen the decision after a return ended before the person arrived for good.

    The permission was given for that return. The safeguards say `undecided` again, so that
    every rule treats the State of origin as not permitted, and the lead has to decide.
    """
    guards = standing.load_for_case(work, record.case).safeguards
    if guards.origin_contact == OriginContact.PERMITTED:
        reset_permission(work, record.case, guards)
        start_deadline(work, record)


def reset_permission(work: Writing, case: Case, guards: Safeguards) -> None:
    """Set `origin_contact` to `undecided` in the sealed safeguards.

    The holder becomes their author, not the office that ended the return, because an author
    may open what it wrote. Quotas do not apply, so that they never prevent the end of a
    return.
    """
    undecided = guards.model_copy(update={"origin_contact": OriginContact.UNDECIDED})
    before, work.is_exempt_from_quota = work.is_exempt_from_quota, True
    cases.replace_sealed(work, case, Paper.SAFEGUARDS, undecided)
    work.is_exempt_from_quota = before
    sealed = case_queries.find_sealed(work, case.id, Paper.SAFEGUARDS)
    if sealed is not None and case.holder is not None:
        sealed.author = case.holder
    case.raise_version()
    work.session.flush()


def start_if_undecided(work: Writing, record: Return) -> None:
    """Start the deadline after the person whose return was halted is accounted for."""
    guards = standing.load_for_case(work, record.case).safeguards
    if guards.origin_contact == OriginContact.UNDECIDED:
        start_deadline(work, record)


def start_deadline(work: Writing, record: Return) -> None:
    """Start the deadline of the decision, a review by the holder (D10).

    A halted return has its own deadline until the person is accounted for.
    """
    case, kind = record.case, ClockKind.REVIEW
    if record.state in OVER and case.state in CASE_OPEN:
        until = deadline_queries.get_term(
            work, kind, case, waits_on=case.holder
        ).compute_end(work.now)
        deadlines.restart(work, record, kind, until, waits_on=case.holder)


def reassign_deadline(work: Writing, case: Case) -> None:
    """Reassign the deadline to the holder of the case, or stop it if the case has ended."""
    cancelled = list_cancelled_returns(work, case)
    if not cancelled:
        return
    if case.state in CASE_OPEN:
        deadlines.hand_over(work, cancelled, case.holder)
    else:
        deadlines.stop_all(work, cancelled)


def stop_if_decided(work: Writing, case: Case, guards: Safeguards) -> None:
    """Stop the deadline if the new safeguards decide whether the State may be informed."""
    if guards.origin_contact != OriginContact.UNDECIDED:
        deadlines.stop_all(work, list_cancelled_returns(work, case))


def list_cancelled_returns(work: Writing, case: Case) -> list[UUID]:
    """Return the ids of the returns that ended before the person arrived for good."""
    return list(work.session.scalars(OVER_IN, {"case": case.id}))
