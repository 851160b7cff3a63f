"""What a candidate and a lead do with a case."""

from datetime import datetime

from app.cases import actions as cases
from app.cases.lifecycle import Row, State
from app.cases.models import Case
from app.cases.sections import Contacts, Paper
from app.casework.acting import lock_case, require_lead
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
from app.deadlines import queries as deadlines
from app.deadlines.planned_dates import check_date
from app.kernel.actors import Relation
from app.kernel.transactions import Writing
from app.kernel.versions import SeenVersions
from app.referrals import actions as referrals
from app.referrals import following
from app.returns import following as returns
from app.routing import actions as routing


def acknowledge_case(work: Writing, case: Case, row: Row) -> Case:
    """Record that a person has read the case: rank 4 of the evidence, and no commitment."""
    cases.take_step(work, case, row, audience_before=case.audience)
    return case


def decline_lead(work: Writing, case: Case, row: Row, why: DeclineLead) -> Case:
    """Decline the lead with a reason, and give the case to the next candidate."""
    before = case.audience
    cases.add_note(work, case, row.action, why.note)
    case.end_relation(Relation.CANDIDATE, work.now)
    routing.record_passed_over(work, case.id, work.actor.focal_point_id)
    hand_to_next_office(work, case)
    returns.reassign_all_deadlines(work, case)
    cases.take_step(work, case, row, {"reason": why.reason}, audience_before=before)
    return case


def build_terms(promise: AcceptLead) -> Terms:
    """Return the terms of accepting the lead, with the names of the contacts."""
    return Terms(contacts=frozenset(contact.name for contact in promise.contacts))


def accept_lead(work: Writing, case: Case, row: Row, promise: AcceptLead) -> Case:
    """Accept the lead and seal its contacts; help that has begun counts at once.

    From now on the submitter reads the summary as it is at this moment.
    """
    before = case.audience
    cases.save_summary_snapshot(work, case)
    cases.replace_sealed(work, case, Paper.CONTACTS, Contacts(contacts=promise.contacts))
    case.end_relation(Relation.CANDIDATE, work.now)
    case.add_party(work.actor.focal_point_id, Relation.LEAD, work.now)
    cases.take_step(work, case, row, audience_before=before)
    referrals.update_case_state(work, case)
    watch_expiry(work, case)
    return case


def suspend_case(work: Writing, case: Case, row: Row, why: SuspendCase) -> Case:
    """Suspend the case until a review, and pause deadlines except those for safety."""
    before = case.audience
    cases.add_note(work, case, row.action, why.note)
    facts = {"reason": why.reason}
    cases.take_step(work, case, row, facts, audience_before=before, due_at=why.review_at)
    following.pause_deadlines(work, case)
    returns.pause_deadlines(work, case)
    pause_questions(work, case)
    return case


def resume_case(work: Writing, case: Case, row: Row) -> Case:
    """Resume the case; each paused deadline has the time that was left."""
    cases.take_step(work, case, row, audience_before=case.audience)
    following.resume_deadlines(work, case)
    returns.resume_deadlines(work, case)
    resume_questions(work, case)
    referrals.update_case_state(work, case)
    return case


def plan_visits(work: Writing, plan: MonitorCase) -> tuple[datetime, ...]:
    """Return the dates of the visits that the lead planned, else the defaults (D08)."""
    usual = deadlines.list_default_visits(work, work.actor.focal_point_id)
    return tuple(plan.visits or usual)


def monitor_case(work: Writing, case: Case, row: Row, visits: tuple[datetime, ...]) -> Case:
    """End the help and start the visits."""
    case.visits = [visit.isoformat() for visit in visits]
    cases.take_step(work, case, row, audience_before=case.audience)
    return case


def report_visit(work: Writing, code: str, seen: SeenVersions, visit: ReportVisit) -> Case:
    """Record that a planned visit took place, and start the deadline for the next step.

    A visit before its date is recorded as early. Raises what `lock_case` does,
    ActionIllegal or DateNotReached (409), ActionNotYours or RoleMissing (403).
    """
    case = lock_case(work, code, seen)
    require_lead(work, case, {State.MONITORING})
    planned_for = datetime.fromisoformat(case.visits[0]) if case.visits else None
    is_early = check_date(work, planned_for, early=visit.early)
    cases.add_note(work, case, "visit", visit.note)
    case.visits = case.visits[1:]
    case.raise_version()
    cases.start_deadline(work, case)
    facts = {"person_met": visit.person_met} | ({"early": True} if is_early else {})
    work.record("case.visited", case, case.write_audience, facts)
    return case


def reopen_assistance(work: Writing, case: Case, row: Row, why: ReopenCase) -> Case:
    """Return to finding help for a person who was only visited."""
    before = case.audience
    cases.add_note(work, case, row.action, why.note)
    case.visits = []
    cases.take_step(work, case, row, {"reason": why.reason}, audience_before=before)
    referrals.update_case_state(work, case)
    return case
