"""Deadlines in a case that do not depend on its state: assessments and questions."""

from datetime import datetime

from app.cases import actions as cases
from app.cases import queries
from app.cases.facts import ASSESSED, BestInterests, FactName
from app.cases.lifecycle import OPEN
from app.cases.models import Case
from app.cases.records import Fact, Question
from app.consents import queries as consents
from app.consents import standing
from app.consents.coverage import Purpose, may_give
from app.consents.expiry_deadlines import watch_expiry
from app.deadlines import actions as deadlines
from app.deadlines.limits import ClockKind
from app.deadlines.models import Clock
from app.deadlines.queries import (
    compute_due_at,
    find_last_stopped,
    find_running,
    get_term,
    has_later_clock,
)
from app.kernel.transactions import Writing


def update_assessment_deadline(work: Writing, case: Case) -> None:
    """Start or stop the 72-hour deadline to assess a child's best interests.

    It runs while no guardian has consented with the child's assent and no assessment is
    recorded. It is a deadline and not a requirement, so no step of the lead waits for it.
    The expiry of a consent can start it, so this also updates the expiry deadlines.
    """
    known = queries.load_facts(work, [case.id]).get(case.id, [])
    interests = [fact for fact in known if fact.name == FactName.BEST_INTERESTS]
    if not (case.is_child or interests):
        watch_expiry(work, case)
        return
    stands = standing.load_for_case(work, case)
    unknown = stands.facts.best_interests == BestInterests.ASSESSMENT_DUE
    watched = case.is_child and unknown and is_open(case)
    given = stands.list_referral_consents()
    ids = [fact.id for fact in interests]
    provides = watched and bool(given) and bool(find_running(work, ids))
    watch_expiry(work, case, [consent.id for consent in given] if provides else ())
    if given or not watched:
        deadlines.stop_all(work, ids)
        return
    known_due = bool(interests) and interests[-1].value == BestInterests.ASSESSMENT_DUE
    fact = interests[-1] if known_due else add_due_fact(work, case)
    if fact.id not in find_running(work, [fact.id]):
        due_at = compute_assessment_due(work, case, interests)
        kind = ClockKind.ASSESS_INTERESTS
        deadlines.restart(work, fact, kind, due_at, waits_on=case.holder)


def compute_assessment_due(work: Writing, case: Case, interests: list[Fact]) -> datetime:
    """Return when the assessment is due: in 72 hours, or as before if nothing was done.

    A child that was meanwhile recorded as an adult has waited all the same.
    """
    kind = ClockKind.ASSESS_INTERESTS
    fresh = compute_due_at(work, kind, case, waits_on=case.holder)
    last = find_last_stopped(work, [fact.id for fact in interests], kind)
    if last is None or was_provided_for(work, case, last, interests):
        return fresh
    return min(fresh, last.due_at)


def was_provided_for(work: Writing, case: Case, last: Clock, interests: list[Fact]) -> bool:
    """Return whether a consent or an assessment was recorded since a deadline began.

    The deadline for the end of a consent to be referred begins, or begins anew, when that
    consent makes the assessment unnecessary.
    """
    ids = [fact.id for fact in interests]
    later = interests[ids.index(last.record_id) + 1 :]
    assessed = any(fact.value in ASSESSED for fact in later)
    given = [
        consent.id
        for consent in consents.list_for_case(work, case.id)
        if Purpose.REFER in consent.purposes and may_give(consent.given_by, child=True)
        if consent.country in {None, case.country}
    ]
    return assessed or has_later_clock(work, last, given)


def is_open(case: Case) -> bool:
    """Return whether the case is open."""
    return case.state in OPEN


def add_due_fact(work: Writing, case: Case) -> Fact:
    """Record, as the system, that the child's best interests are not assessed yet."""
    fact = Fact(
        id=work.create_id(),
        case=case,
        case_id=case.id,
        name=FactName.BEST_INTERESTS,
        value=BestInterests.ASSESSMENT_DUE,
        recorded_at=work.now,
    )
    return cases.add_fact(work, case, fact)


def pause_questions(work: Writing, case: Case) -> None:
    """Pause the deadlines of the open questions while the case is suspended."""
    deadlines.stop_all(work, [question.id for question in list_unanswered(work, case)])


def resume_questions(work: Writing, case: Case) -> None:
    """Resume the paused deadlines of open questions with the time that was left."""
    waiting = list_unanswered(work, case)
    started = find_running(work, [question.id for question in waiting])
    for question in waiting:
        if question.id not in started:
            kind, submitter = ClockKind.ANSWER, case.submitter
            fresh = get_term(work, kind, case, waits_on=submitter)
            deadlines.resume(work, question, kind, fresh, waits_on=submitter)


def list_unanswered(work: Writing, case: Case) -> list[Question]:
    """List the questions that the submitter has not answered yet."""
    asked = queries.list_questions(work, case.id)
    return [question for question in asked if question.answered_at is None]
