"""What a candidate and a lead do with a case."""

from datetime import datetime

from app.cases import actions as cases
from app.cases.lifecycle import Row, State
from app.cases.models import Case
from app.cases.sections import Contacts, Paper
from app.casework.acting import lock, require_lead
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
from app.kernel.versions import Seen
from app.kernel.work import Writing
from app.referrals import actions as referrals
from app.referrals import following
from app.returns import following as returns
from app.routing import actions as routing


def acknowledge(work: Writing, case: Case, row: Row) -> Case:
    """Record that a person has read the case: rank 4 of the evidence, and no commitment."""
    cases.take(work, case, row, before=case.audience)
    return case


def decline_lead(work: Writing, case: Case, row: Row, why: DeclineLead) -> Case:
    """Decline the lead with a reason, and give the case to the next candidate."""
    before = case.audience
    cases.note(work, case, row.action, why.note)
    case.dismiss(Relation.CANDIDATE, work.now)
    routing.pass_over(work, case.id, work.actor.focal_point_id)
    hand_to_next_office(work, case)
    returns.hand_all_on(work, case)
    cases.take(work, case, row, {"reason": why.reason}, before=before)
    return case


def terms_of(promise: AcceptLead) -> Terms:
    """Return the terms of accepting the lead, with the names of the contacts."""
    return Terms(contacts=frozenset(contact.name for contact in promise.contacts))


def accept_lead(work: Writing, case: Case, row: Row, promise: AcceptLead) -> Case:
    """Accept the lead and seal its contacts; help that has begun counts at once.

    From now on the submitter reads the summary as it is at this moment.
    """
    before = case.audience
    cases.hand_on(work, case)
    cases.seal(work, case, Paper.CONTACTS, Contacts(contacts=promise.contacts))
    case.dismiss(Relation.CANDIDATE, work.now)
    case.admit(work.actor.focal_point_id, Relation.LEAD, work.now)
    cases.take(work, case, row, before=before)
    referrals.settle(work, case)
    watch_expiry(work, case)
    return case


def suspend(work: Writing, case: Case, row: Row, why: SuspendCase) -> Case:
    """Suspend the case until a review, and pause deadlines except those for safety."""
    before = case.audience
    cases.note(work, case, row.action, why.note)
    facts = {"reason": why.reason}
    cases.take(work, case, row, facts, before=before, until=why.review_at)
    following.pause(work, case)
    returns.pause(work, case)
    pause_questions(work, case)
    return case


def resume(work: Writing, case: Case, row: Row) -> Case:
    """Resume the case; each paused deadline has the time that was left."""
    cases.take(work, case, row, before=case.audience)
    following.go_on(work, case)
    returns.go_on(work, case)
    resume_questions(work, case)
    referrals.settle(work, case)
    return case


def planned(work: Writing, plan: MonitorCase) -> tuple[datetime, ...]:
    """Return the dates of the visits that the lead planned, else the defaults (D08)."""
    usual = deadlines.visits(work, work.actor.focal_point_id)
    return tuple(plan.visits or usual)


def monitor(work: Writing, case: Case, row: Row, visits: tuple[datetime, ...]) -> Case:
    """End the help and start the visits."""
    case.visits = [visit.isoformat() for visit in visits]
    cases.take(work, case, row, before=case.audience)
    return case


def report_visit(work: Writing, code: str, seen: Seen, visit: ReportVisit) -> Case:
    """Record that a planned visit took place, and start the deadline for the next step.

    A visit before its date is recorded as early. Raises what `lock_case` does,
    ActionIllegal or DateNotReached (409), ActionNotYours or RoleMissing (403).
    """
    case = lock(work, code, seen)
    require_lead(work, case, {State.MONITORING})
    planned_for = datetime.fromisoformat(case.visits[0]) if case.visits else None
    is_early = check_date(work, planned_for, early=visit.early)
    cases.note(work, case, "visit", visit.note)
    case.visits = case.visits[1:]
    case.touch()
    cases.wind(work, case)
    facts = {"person_met": visit.person_met} | ({"early": True} if is_early else {})
    work.record("case.visited", case, case.keepers, facts)
    return case


def reopen_assistance(work: Writing, case: Case, row: Row, why: ReopenCase) -> Case:
    """Return to finding help for a person who was only visited."""
    before = case.audience
    cases.note(work, case, row.action, why.note)
    case.visits = []
    cases.take(work, case, row, {"reason": why.reason}, before=before)
    referrals.settle(work, case)
    return case
