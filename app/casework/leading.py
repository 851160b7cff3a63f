"""The actions of a candidate and of a lead in a case."""

from datetime import datetime

from app.cases import actions as case_actions
from app.cases import default_contacts
from app.cases.lifecycle import Action, Row
from app.cases.models import Case
from app.cases.sections import NamedContacts, Paper, collect_names
from app.casework.acting import lock_and_check, lock_case, require_further
from app.casework.bodies import (
    AcceptLead,
    DeclineLead,
    MonitorCase,
    ReopenCase,
    ReportVisit,
    SuspendCase,
)
from app.casework.carrying import hand_to_next_office
from app.casework.needs import Terms
from app.casework.watching import pause_questions, resume_questions
from app.consents.expiry_deadlines import watch_expiry
from app.deadlines import queries as deadline_queries
from app.deadlines.planned_dates import check_date
from app.kernel.actors import Relation
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import SeenVersions
from app.referrals import actions as referral_actions
from app.referrals import following as referral_following
from app.returns import following as return_following
from app.routing import actions as routing_actions


def acknowledge_case(tx: WriteTransaction, case: Case, row: Row) -> Case:
    """Record that a person at the candidate has read the case, but has not accepted it."""
    case_actions.take_step(tx, case, row, audience_before=case.audience)
    return case


def decline_lead(tx: WriteTransaction, case: Case, row: Row, why: DeclineLead) -> Case:
    """Decline the lead with a reason, and give the case to the next candidate or a desk."""
    before = case.audience
    case_actions.add_note(tx, case, row.action, why.note)
    case.end_relation(Relation.CANDIDATE, tx.now)
    routing_actions.record_passed_over(tx, case.id, tx.actor.focal_point_id)
    hand_to_next_office(tx, case)
    return_following.reassign_all_deadlines(tx, case)
    case_actions.take_step(tx, case, row, {"reason": why.reason}, audience_before=before)
    return case


def accept_lead(
    tx: WriteTransaction, code: str, seen: SeenVersions, promise: AcceptLead
) -> Case:
    """Accept the lead, seal the contacts, and store the summary for the submitter (R12).

    Raises the errors of `lock_and_check`.
    """
    contacts = default_contacts.complete(tx, promise.contacts)
    terms = Terms(contacts=collect_names(contacts))
    case, row = lock_and_check(tx, code, Action.ACCEPT_LEAD, seen, terms)
    before = case.audience
    case_actions.save_summary_snapshot(tx, case)
    case_actions.replace_sealed(tx, case, Paper.CONTACTS, NamedContacts(contacts=contacts))
    case.end_relation(Relation.CANDIDATE, tx.now)
    case.add_party(tx.actor.focal_point_id, Relation.LEAD, tx.now)
    case_actions.take_step(tx, case, row, audience_before=before)
    referral_actions.update_case_state(tx, case)
    watch_expiry(tx, case)
    return case


def suspend_case(tx: WriteTransaction, case: Case, row: Row, why: SuspendCase) -> Case:
    """Suspend the case until a review, and pause those deadlines that may wait."""
    before = case.audience
    case_actions.add_note(tx, case, row.action, why.note)
    facts = {"reason": why.reason}
    case_actions.take_step(
        tx, case, row, facts, audience_before=before, due_at=why.review_at
    )
    referral_following.pause_deadlines(tx, case)
    return_following.pause_deadlines(tx, case)
    pause_questions(tx, case)
    return case


def resume_case(tx: WriteTransaction, case: Case, row: Row) -> Case:
    """Resume the case and the paused deadlines of its records with their remaining time."""
    case_actions.take_step(tx, case, row, audience_before=case.audience)
    referral_following.resume_deadlines(tx, case)
    return_following.resume_deadlines(tx, case)
    resume_questions(tx, case)
    referral_actions.update_case_state(tx, case)
    return case


def plan_visits(tx: WriteTransaction, plan: MonitorCase) -> tuple[datetime, ...]:
    """Return the dates of the visits that the lead planned, or the default dates (D08)."""
    usual = deadline_queries.list_default_visits(tx, tx.actor.focal_point_id)
    return tuple(plan.visits or usual)


def monitor_case(
    tx: WriteTransaction, case: Case, row: Row, visits: tuple[datetime, ...]
) -> Case:
    """Set the dates of the visits, and begin the monitoring of a case."""
    case.visits = [visit.isoformat() for visit in visits]
    case_actions.take_step(tx, case, row, audience_before=case.audience)
    return case


def report_visit(
    tx: WriteTransaction, code: str, seen: SeenVersions, visit: ReportVisit
) -> Case:
    """Record that a visit took place or was attempted, and start the case's next deadline.

    Raises DateNotReached (409) if the visit is before its date and not marked as early.
    """
    case = lock_case(tx, code, seen)
    require_further(tx, case, Action.REPORT_VISIT)
    planned_for = datetime.fromisoformat(case.visits[0]) if case.visits else None
    is_early = check_date(tx, planned_for, early=visit.early)
    case_actions.add_note(tx, case, "visit", visit.note)
    case.visits = case.visits[1:]
    case.raise_version()
    case_actions.start_deadline(tx, case)
    facts = {"person_met": visit.person_met} | ({"early": True} if is_early else {})
    tx.record("case.visited", case, case.write_audience, facts)
    return case


def reopen_assistance(tx: WriteTransaction, case: Case, row: Row, why: ReopenCase) -> Case:
    """Reopen assistance in a monitored case, in order to search for help again."""
    before = case.audience
    case_actions.add_note(tx, case, row.action, why.note)
    case.visits = []
    case_actions.take_step(tx, case, row, {"reason": why.reason}, audience_before=before)
    referral_actions.update_case_state(tx, case)
    return case
