"""The deadlines to assess a child's best interests and to answer questions."""

from datetime import datetime

from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases import questions
from app.cases.facts import ASSESSED, BestInterests, FactName
from app.cases.lifecycle import OPEN
from app.cases.models import Case
from app.cases.records import Fact, Question
from app.consents import queries as consent_queries
from app.consents import standing
from app.consents.coverage import Purpose, may_give
from app.consents.expiry_deadlines import watch_expiry
from app.deadlines import actions as deadline_actions
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.kernel.transactions import WriteTransaction


def update_assessment_deadline(tx: WriteTransaction, case: Case) -> None:
    """Start or stop the 72-hour deadline to assess a child's best interests.

    The deadline runs while the case is open, no valid consent allows a referral, and no
    assessment is recorded. The expiry of a consent can start this deadline, so this
    function also updates the expiry deadlines.
    """
    known = case_queries.load_facts(tx, [case.id]).get(case.id, [])
    interests = [fact for fact in known if fact.name == FactName.BEST_INTERESTS]
    if not (case.is_child or interests):
        watch_expiry(tx, case)
        return
    stands = standing.load_for_case(tx, case)
    unknown = stands.facts.best_interests == BestInterests.ASSESSMENT_DUE
    watched = case.is_child and unknown and case.state in OPEN
    given = stands.list_referral_consents()
    ids = [fact.id for fact in interests]
    provides = watched and bool(given) and bool(deadline_queries.find_running(tx, ids))
    watch_expiry(tx, case, [consent.id for consent in given] if provides else ())
    if given or not watched:
        deadline_actions.stop_all(tx, ids)
        return
    known_due = bool(interests) and interests[-1].value == BestInterests.ASSESSMENT_DUE
    fact = interests[-1] if known_due else add_due_fact(tx, case)
    if fact.id not in deadline_queries.find_running(tx, [fact.id]):
        due_at = compute_assessment_due(tx, case, interests)
        kind = DeadlineKind.ASSESS_INTERESTS
        deadline_actions.restart(tx, fact, kind, due_at, waits_on=case.holder)


def compute_assessment_due(
    tx: WriteTransaction, case: Case, interests: list[Fact]
) -> datetime:
    """Return when the assessment of a child's best interests is due.

    The assessment is due in 72 hours. If a deadline for it was stopped without an
    assessment, for example because the child was recorded as an adult, an earlier due time
    still applies.
    """
    kind = DeadlineKind.ASSESS_INTERESTS
    fresh = deadline_queries.compute_due_at(tx, kind, case, waits_on=case.holder)
    last = deadline_queries.find_last_stopped(tx, [fact.id for fact in interests], kind)
    if last is None or was_provided_for(tx, case, last, interests):
        return fresh
    return min(fresh, last.due_at)


def was_provided_for(
    tx: WriteTransaction, case: Case, last: Clock, interests: list[Fact]
) -> bool:
    """Return whether, after `last` started, a child was assessed or needed no assessment.

    `last` is a deadline to assess the child's best interests. A consent made the assessment
    unnecessary if the expiry deadline of the consent started after `last`.
    """
    ids = [fact.id for fact in interests]
    later = interests[ids.index(last.record_id) + 1 :]
    assessed = any(fact.value in ASSESSED for fact in later)
    given = [
        consent.id
        for consent in consent_queries.list_for_case(tx, case.id)
        if Purpose.REFER in consent.purposes and may_give(consent.given_by, child=True)
        if consent.country in {None, case.country}
    ]
    return assessed or deadline_queries.has_later_clock(tx, last, given)


def add_due_fact(tx: WriteTransaction, case: Case) -> Fact:
    """Record, as the system, that the child's best interests are not assessed yet."""
    fact = Fact(
        id=tx.create_id(),
        case=case,
        case_id=case.id,
        name=FactName.BEST_INTERESTS,
        value=BestInterests.ASSESSMENT_DUE,
        recorded_at=tx.now,
    )
    return case_actions.add_fact(tx, case, fact)


def pause_questions(tx: WriteTransaction, case: Case) -> None:
    """Pause the deadlines of the open questions while the case is suspended."""
    deadline_actions.stop_all(tx, [question.id for question in list_unanswered(tx, case)])


def resume_questions(tx: WriteTransaction, case: Case) -> None:
    """Resume the paused deadlines of open questions with their remaining time."""
    waiting = list_unanswered(tx, case)
    started = deadline_queries.find_running(tx, [question.id for question in waiting])
    for question in waiting:
        if question.id not in started:
            kind, submitter = DeadlineKind.ANSWER, case.submitter
            fresh = questions.get_answer_term(tx, case)
            deadline_actions.resume(tx, question, kind, fresh, waits_on=submitter)


def list_unanswered(tx: WriteTransaction, case: Case) -> list[Question]:
    """List the questions that the submitter has not answered yet."""
    asked = questions.list_questions(tx, case.id)
    return [question for question in asked if question.answered_at is None]
