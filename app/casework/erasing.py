"""Erase the sealed content of cases, and set or lift legal holds, which block erasure."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.access.models import Approval
from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases import system_queries
from app.cases.approvals import OVERSIGHT_APPROVERS, GuardedAction, ask_or_claim_approval
from app.cases.facts import FactName, LegalHold
from app.cases.lifecycle import OVER, TABLE, Action, Need, Row, State
from app.cases.models import Case
from app.cases.records import Fact
from app.casework.acting import lock_case, require_protection_officer, require_state
from app.casework.bodies import EraseCase, HoldLegally
from app.casework.erasure_facts import build_facts_without_opening
from app.casework.forgetting import erase_case_data
from app.casework.lateness import DESTRUCTIVE
from app.casework.needs import RULES, Terms
from app.casework.sides import get_sides
from app.deadlines import actions as deadline_actions
from app.deadlines import missed_deadlines
from app.deadlines.limits import DeadlineKind
from app.deadlines.queries import find_running
from app.kernel import erasures
from app.kernel.actors import Relation, Side
from app.kernel.journal import was_recorded_since
from app.kernel.problems import Facts
from app.kernel.requirements import raise_unmet
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.versions import SeenVersions

GRACE: Final = timedelta(days=30)
"""The time until a legal hold is checked again, and the shortest retention after a hold is
lifted or a backup is restored. We chose this number, because no source names one."""


def discard_unfinished(tx: WriteTransaction, case: Case) -> None:
    """Discard, as the system, a locked draft that was not finished in time."""
    row = find_system_row(case, Action.DISCARD)
    RULES.require(row, build_facts_without_opening(tx, case, build_terms(tx, case)))
    discard(tx, case, row)


def discard(tx: WriteTransaction, case: Case, row: Row) -> Case:
    """Discard a draft and destroy its data key, so that nobody can open its content."""
    before = case.audience
    erase_case_data(tx, case)
    case_actions.take_step(tx, case, row, audience_before=before)
    return case


def erase_case(
    tx: WriteTransaction,
    code: str,
    seen: SeenVersions,
    why: EraseCase,
    approval: UUID | None,
) -> Case | Approval:
    """Erase the sealed content of an ended case, with the approval of a second person.

    Without `approval`, request and return an approval. The summary and the journal are
    kept. All relations end, except those of oversight.
    """
    case = lock_case(tx, code, seen)
    row = TABLE.find(case.state, Action.ERASE, get_sides(tx, case), tx.actor.roles)
    terms = Terms(reason=why.reason, approved=True)
    RULES.require(row, build_facts_without_opening(tx, case, terms))
    facts = {"reason": why.reason}
    matter = GuardedAction(
        case, f"case.{row.action}", why, facts, case.version, OVERSIGHT_APPROVERS
    )
    if question := ask_or_claim_approval(tx, matter, approval):
        return question
    erase_all(tx, case, row, facts)
    return case


def erase_after_retention(tx: WriteTransaction, case: Case) -> None:
    """Erase, as the system, a locked case whose retention is over (D11).

    Under a legal hold, nothing is erased, the deadline starts again, and oversight receives
    one event per hold. Raises NeedsUnmet (409) if the retention is not over.
    """
    row = find_system_row(case, Action.ERASE)
    facts = build_facts_without_opening(tx, case, build_terms(tx, case))
    missing = RULES.list_unmet(row, facts)
    if [one.requirement for one in missing] == [Need.NO_LEGAL_HOLD]:
        retry_erasure_later(tx, case)
        return
    raise_unmet(missing)
    erase_all(tx, case, row)


def erase_again(tx: WriteTransaction, case_id: UUID, at: datetime) -> bool:
    """Erase a case that a restore has brought back, and return whether anything was erased.

    The state and the legal hold in the backup are ignored, because the case was erased
    after the backup was made (R34).
    """
    case = system_queries.lock_for_system(tx, case_id)
    new = erasures.record_erasure(tx.session, case_id, at)
    if not new or case is None or case.state == State.ERASED:
        return False
    is_draft = case.state == State.DRAFT
    row = find_system_row(case, Action.DISCARD if is_draft else Action.ERASE_AGAIN)
    RULES.require(row, build_facts_without_opening(tx, case, Terms(erased_before=True)))
    (discard if is_draft else erase_all)(tx, case, row)
    return True


def pause_deletions(tx: WriteTransaction) -> int:
    """Postpone deletions until 30 days after a restore, and return how many were postponed.

    The offices need this time to repeat what they did after the backup, such as setting a
    legal hold, reopening a case or submitting a draft. Otherwise, the data of these cases
    would be deleted.
    """
    return deadline_actions.pause_deadlines(tx, DESTRUCTIVE, compute_grace_end(tx))


def erase_all(
    tx: WriteTransaction, case: Case, row: Row, facts: Facts | None = None
) -> None:
    """Erase the content of a case, and end the relations of every party but oversight."""
    before = case.audience
    erase_case_data(tx, case)
    for party in case.parties:
        if party.relation != Relation.OVERSIGHT and not party.until:
            party.until = tx.now
    case_actions.take_step(tx, case, row, facts, audience_before=before)


def find_system_row(case: Case, action: Action) -> Row:
    """Return the step that the system takes for an action, or raise ActionIllegal (409)."""
    return TABLE.find(case.state, action, {Side.SYSTEM}, frozenset())


def build_terms(tx: ReadTransaction, case: Case) -> Terms:
    """Return the terms of an erasure or discard: whether the case's deadline has passed."""
    kind = DeadlineKind.FINISH_DRAFT if case.state == State.DRAFT else DeadlineKind.ERASE
    return Terms(time_is_up=missed_deadlines.is_last_due(tx, case.id, kind))


def retry_erasure_later(tx: WriteTransaction, case: Case) -> None:
    """Restart the retention, and record one event for oversight for each legal hold."""
    restart_retention(tx, case)
    known = case_queries.load_facts(tx, [case.id])[case.id]
    held = [fact for fact in known if fact.name == FactName.LEGAL_HOLD][-1]
    event = "case.retention_held"
    if not was_recorded_since(tx.session, case.id, event, held.recorded_at):
        tx.record(event, case, case.overseers, by_system=True)


def resume_retention(tx: WriteTransaction, case: Case) -> None:
    """Extend the retention of an ended case to at least 30 days after a hold is lifted."""
    clock, soonest = find_running(tx, [case.id]).get(case.id), compute_grace_end(tx)
    if case.state in OVER and (clock is None or clock.due_at < soonest):
        restart_retention(tx, case)


def restart_retention(tx: WriteTransaction, case: Case) -> None:
    """Restart the retention so that it ends in 30 days."""
    due_at = compute_grace_end(tx)
    deadline_actions.restart(tx, case, DeadlineKind.ERASE, due_at, waits_on=None)


def compute_grace_end(tx: ReadTransaction) -> datetime:
    """Return the time 30 days from now, or sooner in a drill in which time runs faster."""
    return tx.now + GRACE / tx.runtime.speed


def set_legal_hold(
    tx: WriteTransaction, code: str, hold: HoldLegally, approval: UUID | None
) -> Case | Approval:
    """Set or lift a legal hold, with the approval of a second person of oversight.

    Without `approval`, request and return an approval. Only the caller's office receives an
    event, and the case version does not change, because the hold may concern the lead.
    """
    case = case_queries.lock(tx, code)
    require_protection_officer(tx, case)
    require_state(case, set(State) - {State.ERASED})
    facts = {"value": hold.value}
    matter = GuardedAction(case, "case.hold", hold, facts, roles=OVERSIGHT_APPROVERS)
    if question := ask_or_claim_approval(tx, matter, approval):
        return question
    fact = Fact(
        id=tx.create_id(),
        case=case,
        case_id=case.id,
        name=FactName.LEGAL_HOLD,
        value=hold.value,
        recorded_by=tx.actor.focal_point_id,
        recorded_at=tx.now,
    )
    case_actions.add_fact(tx, case, fact)
    if hold.value == LegalHold.LIFTED:
        resume_retention(tx, case)
    audience = frozenset({tx.actor.focal_point_id})
    tx.record("case.hold_changed", case, audience, facts)
    return case
