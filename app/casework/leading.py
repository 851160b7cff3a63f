"""What a candidate does with a case, and then its lead."""

from datetime import datetime

from app.cases import actions as cases
from app.cases.lifecycle import Row, State
from app.cases.models import Case
from app.cases.sections import Contacts, Paper
from app.casework.acting import lock, must_lead
from app.casework.bodies import (
    AcceptLead,
    DeclineLead,
    MonitorCase,
    ReopenCase,
    ReportVisit,
    SuspendCase,
)
from app.casework.carrying import hand_to_next
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
    """Say that a person has read it: rank 4 of the evidence, and no promise yet."""
    cases.take(work, case, row, before=case.audience)
    return case


def decline_lead(work: Writing, case: Case, row: Row, why: DeclineLead) -> Case:
    """Say no, with a reason; the next candidate has it in the same transaction."""
    before = case.audience
    cases.note(work, case, row.action, why.note)
    case.dismiss(Relation.CANDIDATE, work.now)
    routing.pass_over(work, case.id, work.actor.focal_point_id)
    hand_to_next(work, case)
    returns.hand_all_on(work, case)
    cases.take(work, case, row, {"reason": why.reason}, before=before)
    return case


def terms_of(promise: AcceptLead) -> Terms:
    """Say what comes with the lead in the words of the rules."""
    return Terms(contacts=frozenset(contact.name for contact in promise.contacts))


def accept_lead(work: Writing, case: Case, row: Row, promise: AcceptLead) -> Case:
    """Take the lead; the contacts are sealed. Help that had begun before counts at once.

    The submitter has handed the case on: it reads the notice as it is now, for good.
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
    """Let the case rest until a review; every clock stands still but what keeps safe."""
    before = case.audience
    cases.note(work, case, row.action, why.note)
    facts = {"reason": why.reason}
    cases.take(work, case, row, facts, before=before, until=why.review_at)
    following.pause(work, case)
    returns.pause(work, case)
    pause_questions(work, case)
    return case


def resume(work: Writing, case: Case, row: Row) -> Case:
    """Go on, with the time that was left to everybody."""
    cases.take(work, case, row, before=case.audience)
    following.go_on(work, case)
    returns.go_on(work, case)
    resume_questions(work, case)
    referrals.settle(work, case)
    return case


def planned(work: Writing, plan: MonitorCase) -> tuple[datetime, ...]:
    """Say when the person is visited: as the lead plans, else as usual (D08)."""
    usual = deadlines.visits(work, work.actor.focal_point_id)
    return tuple(plan.visits or usual)


def monitor(work: Writing, case: Case, row: Row, visits: tuple[datetime, ...]) -> Case:
    """Let help end and visits begin."""
    case.visits = [visit.isoformat() for visit in visits]
    cases.take(work, case, row, before=case.audience)
    return case


def report_visit(work: Writing, code: str, seen: Seen, visit: ReportVisit) -> Case:
    """Keep that a planned visit took place; the next one is due, or the closure review.

    A visit before its date is recorded as early. Raises what `lock` does, ActionIllegal
    or DateNotReached (409), ActionNotYours or RoleMissing (403).
    """
    case = lock(work, code, seen)
    must_lead(work, case, {State.MONITORING})
    planned = datetime.fromisoformat(case.visits[0]) if case.visits else None
    is_early = check_date(work, planned, early=visit.early)
    cases.note(work, case, "visit", visit.note)
    case.visits = case.visits[1:]
    case.touch()
    cases.wind(work, case)
    facts = {"person_met": visit.person_met} | ({"early": True} if is_early else {})
    work.record("case.visited", case, case.keepers, facts)
    return case


def reopen_assistance(work: Writing, case: Case, row: Row, why: ReopenCase) -> Case:
    """Find help again for a person who was only visited."""
    before = case.audience
    cases.note(work, case, row.action, why.note)
    case.visits = []
    cases.take(work, case, row, {"reason": why.reason}, before=before)
    referrals.settle(work, case)
    return case
