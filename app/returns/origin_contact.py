"""The decision whether the State of origin may be informed, and its deadline.

A return that ends before it is completed reopens the decision.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select

from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases.lifecycle import OPEN as CASE_OPEN
from app.cases.models import Case
from app.cases.sections import OriginContact, Paper, Safeguards
from app.consents import standing
from app.deadlines import actions as deadline_actions
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.kernel.transactions import WriteTransaction
from app.returns.lifecycle import CANCELLED, State
from app.returns.models import Return

OVER: Final = CANCELLED - {State.HALTED}
"""States of a return that ended without completion. Its only possible deadline is to decide
on contact with the State of origin. A halted return first has a deadline of its own."""
OVER_IN: Final = select(Return.id).where(
    Return.case_id == bindparam("case"), Return.state.in_(OVER)
)


def reopen_decision(tx: WriteTransaction, record: Return) -> None:
    """Reopen the decision on contact with the State of origin after a return has ended.

    A permission was given for that return only, so it is reset to `undecided`. Until the
    lead decides again, no rule treats contact with the State of origin as permitted.
    """
    guards = standing.load_for_case(tx, record.case).safeguards
    if guards.origin_contact == OriginContact.PERMITTED:
        reset_permission(tx, record.case, guards)
        start_deadline(tx, record)


def reset_permission(tx: WriteTransaction, case: Case, guards: Safeguards) -> None:
    """Set `origin_contact` to `undecided` in the sealed safeguards.

    The author of the safeguards may open them, but an office that is not the holder may
    have ended the return. Therefore the holder of the case is stored as the author. Quotas
    do not apply, because they must not prevent the end of a return.
    """
    undecided = guards.model_copy(update={"origin_contact": OriginContact.UNDECIDED})
    before, tx.is_exempt_from_quota = tx.is_exempt_from_quota, True
    case_actions.replace_sealed(tx, case, Paper.SAFEGUARDS, undecided)
    tx.is_exempt_from_quota = before
    sealed = case_queries.find_sealed(tx, case.id, Paper.SAFEGUARDS)
    if sealed is not None and case.holder is not None:
        sealed.author = case.holder
    case.raise_version()
    tx.session.flush()


def start_if_undecided(tx: WriteTransaction, record: Return) -> None:
    """Start the deadline to decide on `origin_contact` if it is `undecided`."""
    guards = standing.load_for_case(tx, record.case).safeguards
    if guards.origin_contact == OriginContact.UNDECIDED:
        start_deadline(tx, record)


def start_deadline(tx: WriteTransaction, record: Return) -> None:
    """Start the deadline to decide whether the State of origin may be informed (D10).

    Nothing happens if the case is not open. A halted return has its own deadline until the
    lead confirms that the person was met.
    """
    case, kind = record.case, DeadlineKind.REVIEW
    if record.state in OVER and case.state in CASE_OPEN:
        due_at = deadline_queries.compute_due_at(tx, kind, case, waits_on=case.holder)
        deadline_actions.restart(tx, record, kind, due_at, waits_on=case.holder)


def reassign_deadline(tx: WriteTransaction, case: Case) -> None:
    """Reassign to the holder the deadline to decide on contact with the State of origin.

    If the case is no longer open, the deadline is stopped instead.
    """
    cancelled = list_cancelled_returns(tx, case)
    if not cancelled:
        return
    if case.state in CASE_OPEN:
        deadline_actions.hand_over(tx, cancelled, case.holder)
    else:
        deadline_actions.stop_all(tx, cancelled)


def stop_if_decided(tx: WriteTransaction, case: Case, guards: Safeguards) -> None:
    """Stop the deadline to decide on `origin_contact` if it is no longer `undecided`."""
    if guards.origin_contact != OriginContact.UNDECIDED:
        deadline_actions.stop_all(tx, list_cancelled_returns(tx, case))


def list_cancelled_returns(tx: WriteTransaction, case: Case) -> list[UUID]:
    """Return the ids of the case's returns in a cancelled state other than `halted`."""
    return list(tx.session.scalars(OVER_IN, {"case": case.id}))
