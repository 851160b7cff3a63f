"""Functions for the steps of a return that do more than store a result."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from app.access.models import Approval
from app.cases import actions as case_actions
from app.cases.approvals import GuardedAction, ask_or_claim_approval
from app.cases.reasons import WithdrawReason
from app.cases.sections import Paper
from app.deadlines import queries as deadline_queries
from app.deadlines.planned_dates import check_date
from app.kernel.actors import Role, Side
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import SeenVersions
from app.returns import arrivals, origin_contact
from app.returns.actions import (
    NO_RESULT,
    PendingStep,
    StepResult,
    check_step,
    lock_and_check,
    lock_view,
    take_step,
)
from app.returns.following import withdraw_document_referrals, withdraw_referrals
from app.returns.lifecycle import TABLE, Action
from app.returns.models import Return
from app.returns.needs import RULES, Terms
from app.returns.schemas import CallOff, DecideGo, DecideNoGo, TravelPlan
from app.returns.situation import load_facts, load_view

SECOND_PERSON_ROLES: Final = frozenset({Role.SUPERVISOR})


def decide_go(
    tx: WriteTransaction,
    return_id: UUID,
    seen: SeenVersions,
    why: DecideGo,
    approval: UUID | None,
) -> Return | Approval:
    """Take the decision GO; without `approval`, request and return an approval.

    A supervisor of the lead has to approve it, for one version of the return. Raises the
    errors of `lock_and_check`, and ApprovalUnusable (409).
    """
    terms = Terms(asked_to_leave=why.person_asked_to_leave, approved=True)
    pending = lock_and_check(tx, return_id, Action.GO, seen, terms)
    matter = build_matter(pending, why)
    if pending_approval := ask_or_claim_approval(tx, matter, approval):
        return pending_approval
    result = "asked_to_leave" if why.person_asked_to_leave else None
    return take_step(tx, pending, StepResult(result=result, note=why.note))


def decide_no_go(
    tx: WriteTransaction,
    return_id: UUID,
    seen: SeenVersions,
    why: DecideNoGo,
    approval: UUID | None,
) -> Return | Approval:
    """Take the decision NO-GO, and withdraw the referrals of the return.

    A supervisor of the lead has to approve it: without `approval`, request and return an
    approval. Raises the same exceptions as `decide_go`.
    """
    protection = tuple(sorted(set(why.protection)))
    terms = Terms(reason=why.reason, protection=frozenset(protection), approved=True)
    pending = lock_and_check(tx, return_id, Action.NO_GO, seen, terms)
    matter = build_matter(pending, why)
    if pending_approval := ask_or_claim_approval(tx, matter, approval):
        return pending_approval
    result = StepResult(result=why.reason, services=protection, note=why.note)
    record = take_step(tx, pending, result)
    withdraw_referrals(tx, record, WithdrawReason.NO_LONGER_NEEDED)
    return record


def build_matter(pending: PendingStep, why: DecideGo | DecideNoGo) -> GuardedAction:
    """Build the action that a second person has to approve for this version of a return."""
    facts = {"reason": why.reason} if isinstance(why, DecideNoGo) else {}
    record, action = pending.record, f"return.{pending.step.action}"
    grounds = f"{record.id} {record.version}"
    return GuardedAction(
        case=record.case,
        action=action,
        body=why,
        facts=facts,
        version=record.version,
        roles=SECOND_PERSON_ROLES,
        record=record,
        grounds=grounds,
    )


def call_off(tx: WriteTransaction, return_id: UUID, why: CallOff) -> Return:
    """End a return because the person does not want to go.

    No version is required, because a refusal by the person is never out of date. Raises
    NotFound (404), ActionIllegal (409), or ActionNotYours or RoleMissing (403).
    """
    pending = check_step(tx, lock_view(tx, return_id), Action.CALL_OFF)
    record = take_step(tx, pending)
    case_actions.add_note(tx, record.case, f"return {pending.step.action}", why.note)
    withdraw_referrals(tx, record, WithdrawReason.SURVIVOR_DECLINED)
    return record


def plan_travel(tx: WriteTransaction, pending: PendingStep, travel: TravelPlan) -> Return:
    """Store the travel plan as a sealed document, in place of an earlier plan."""
    case_actions.replace_sealed(tx, pending.record.referral, Paper.TRAVEL_PLAN, travel)
    return take_step(tx, pending)


def depart(tx: WriteTransaction, pending: PendingStep) -> Return:
    """Record the departure and start the deadline to confirm the arrival (D06).

    During the journey, the stored deadline is always due at the end of the current day, so
    that it does not reveal the day of arrival.
    """
    due_at = arrivals.get_end_of_today(tx, pending.record, tx.now)
    return take_step(tx, pending, due_at=due_at)


def arrive(
    tx: WriteTransaction, pending: PendingStep, result: StepResult, *, early: bool
) -> Return:
    """Confirm that the person has arrived.

    Raises DateNotReached (409) before the planned date, unless `early` is true.
    """
    planned_for = arrivals.find_planned(tx, pending.record)
    is_early = check_date(tx, planned_for, early=early)
    return take_step(tx, pending, replace(result, early=is_early))


def plan_visits(
    tx: WriteTransaction, visits: list[datetime] | None
) -> tuple[datetime, ...]:
    """Return the requested times of the visits, or by default the usual times (D08)."""
    default = deadline_queries.list_default_visits(tx, tx.actor.focal_point_id)
    return tuple(visits or default)


def monitor(
    tx: WriteTransaction, pending: PendingStep, visits: tuple[datetime, ...]
) -> Return:
    """Store the times of the visits and start the monitoring."""
    pending.record.visits = [visit.isoformat() for visit in visits]
    return take_step(tx, pending)


def confirm_accounted_for(
    tx: WriteTransaction, pending: PendingStep, result: StepResult
) -> Return:
    """Record that the person was met after the return was halted during the journey.

    If it is undecided whether the State of origin may be informed, the lead then has a
    deadline to decide.
    """
    take_step(tx, pending, result)
    origin_contact.start_if_undecided(tx, pending.record)
    return pending.record


def report_visit(
    tx: WriteTransaction, pending: PendingStep, result: StepResult, *, early: bool
) -> Return:
    """Report a visit, and complete the return after the last visit.

    Raises DateNotReached (409) before the planned date, unless `early` is true.
    """
    record = pending.record
    planned_for = datetime.fromisoformat(record.visits[0]) if record.visits else None
    is_early = check_date(tx, planned_for, early=early)
    record.visits = record.visits[1:]
    take_step(tx, pending, replace(result, early=is_early))
    if record.visits:
        return record
    view = load_view(tx, record)
    step = TABLE.find(record.state, Action.FINISH, {Side.SYSTEM}, frozenset())
    RULES.require(step, load_facts(tx, view))
    take_step(tx, PendingStep(view, step), NO_RESULT)
    withdraw_document_referrals(tx, record)
    return record
