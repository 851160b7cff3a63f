"""What is known beside the state of a case: facts, questions, and what could not wait."""

from uuid import UUID

from fastapi import Response

from app.api.acting import Headers, create_once, in_case, once_only
from app.api.conditional import answer
from app.api.deps import CaseCode, IfNoneMatch, Once, ReadCases, WriteCases
from app.api.nouns import Noun
from app.api.problems import problems
from app.cases import queries as cases
from app.cases.facts import AssessmentOwed
from app.cases.records import Fact, Question, VitalInterest
from app.cases.schemas import (
    FactList,
    FactOut,
    NewAnswer,
    NewFact,
    NewQuestion,
    NewVitalInterest,
    QuestionList,
    QuestionOut,
    VitalInterestOut,
)
from app.casework import asking, telling
from app.casework.sides import sides_of
from app.consents import naming
from app.deadlines import queries as deadlines
from app.directory import queries as directory
from app.kernel.actors import Side
from app.kernel.idempotency import KeyInFlight, KeyMissing, KeyReused
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.needs import NeedsUnmet
from app.kernel.problems import NotFound
from app.kernel.work import Reading

router = Noun("knowledge", "/cases/{code}")
ANSWER = (
    *(NotFound, KeyReused, KeyInFlight),
    *(ActionIllegal, ActionNotYours, RoleMissing),
)
WRITE = (*ANSWER, KeyMissing)


def spell_facts(work: Reading, facts: list[Fact]) -> list[FactOut]:
    """Show facts; focal points by their codes, as far as the caller may know them."""
    acts = [
        (fact.case, one, fact.recorded_at)
        for fact in facts
        for one in (fact.body, fact.recorded_by)
        if one
    ]
    names, me = naming.read(work, acts), work.actor.focal_point_id
    due = deadlines.due_at(work, [fact.id for fact in facts])

    def name_of(fact: Fact, office: UUID | None) -> str | None:
        keeps = me in fact.case.keepers
        return names.name(fact.case, office, fact.recorded_at, as_party=keeps)

    return [
        FactOut(
            body=names.codes[fact.body]
            if fact.body and fact.recorded_by == me
            else name_of(fact, fact.body),
            recorded_by=name_of(fact, fact.recorded_by),
            due_at=due.get(fact.id),
            **{name: getattr(fact, name) for name in SAME},
        )
        for fact in facts
    ]


SAME = ("id", "name", "value", "country", "ends_on", "recorded_at")


def show_fact(work: Reading, fact: Fact, status: int, headers: Headers) -> Response:
    """Show one fact."""
    [shown] = spell_facts(work, [fact])
    return answer(shown, status=status, headers=headers)


@router.get("/facts", response_model=FactList, responses=problems(NotFound))
def list_facts(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """List what is known beside the state, oldest first, as far as it is yours to know."""
    with begin() as work:
        found = telling.facts_for(work, cases.get(work, code))
        shown = FactList(items=spell_facts(work, found))
        return answer(shown, if_none_match=if_none_match)


@router.post(
    "/facts",
    status_code=201,
    response_model=FactOut,
    responses=problems(*WRITE, AssessmentOwed, directory.FocalPointUnknown),
)
def record_fact(begin: WriteCases, code: CaseCode, once: Once, new: NewFact) -> Response:
    """Record a fact; the last of its name counts. No help ever waits for one (BR01).

    The submitter, then the lead; and a recipient who was asked to find it out.
    """
    with begin() as work:
        kept = in_case(code, cases.fact, show_fact)
        return create_once(work, once, kept, lambda: telling.set_fact(work, code, new))


def show_vital(
    work: Reading,  # noqa: ARG001 - shown as any record is
    declared: VitalInterest,
    status: int,
    headers: Headers,
) -> Response:
    """Show a declaration."""
    shown = VitalInterestOut.model_validate(declared)
    return answer(shown, status=status, headers=headers)


@router.post(
    "/vital-interests",
    status_code=201,
    response_model=VitalInterestOut,
    responses=problems(*WRITE),
)
def declare_vital_interest(
    begin: WriteCases, code: CaseCode, once: Once, new: NewVitalInterest
) -> Response:
    """Say that a notice cannot wait for a consent: life is at risk, or serious harm near.

    It holds for four hours and lets the notice and the safety notice go, nothing more. The
    lead and oversight hear of it at once; tell the person afterwards.
    """
    with begin() as work:
        kept = in_case(code, cases.vital_interest, show_vital)
        return create_once(work, once, kept, lambda: telling.declare_vital(work, code, new))


def spell_questions(work: Reading, questions: list[Question]) -> list[QuestionOut]:
    """Show questions."""
    due = deadlines.due_at(work, [q.id for q in questions])
    names = naming.read(work, [(q.case, q.asked_by, q.asked_at) for q in questions])
    return [
        QuestionOut(
            id=q.id,
            topics=q.topics,
            asked_by=names.name(q.case, q.asked_by, q.asked_at),
            asked_at=q.asked_at,
            due_at=due.get(q.id),
            answered_at=q.answered_at,
        )
        for q in questions
    ]


def show_question(
    work: Reading, question: Question, status: int, headers: Headers
) -> Response:
    """Show one question."""
    [shown] = spell_questions(work, [question])
    return answer(shown, status=status, headers=headers)


@router.get("/questions", response_model=QuestionList, responses=problems(NotFound))
def list_questions(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """List what the holder asked the submitter; the words are among the notes."""
    with begin() as work:
        case = cases.get(work, code)
        mine = sides_of(work, case) & {Side.HOLDER, Side.SUBMITTER}
        found = cases.questions(work, case.id) if mine else []
        shown = QuestionList(items=spell_questions(work, found))
        return answer(shown, if_none_match=if_none_match)


@router.post(
    "/questions",
    status_code=201,
    response_model=QuestionOut,
    responses=problems(*WRITE, NeedsUnmet),
)
def ask_submitter(
    begin: WriteCases, code: CaseCode, once: Once, new: NewQuestion
) -> Response:
    """Ask the submitter, as the holder of the case; an answer is due.

    Not one that the person fears, as far as you may know that.
    """
    with begin() as work:
        kept = in_case(code, cases.question, show_question)
        return create_once(work, once, kept, lambda: asking.ask(work, code, new))


@router.post(
    "/questions/{question_id}/answer",
    response_model=QuestionOut,
    responses=problems(*ANSWER, asking.QuestionAnswered),
)
def answer_holder(
    begin: WriteCases, code: CaseCode, question_id: UUID, once: Once, said: NewAnswer
) -> Response:
    """Answer the holder, as the submitter of the case."""
    with begin() as work:
        kept = in_case(code, cases.question, show_question)
        return once_only(
            work, once, kept, lambda: asking.answer(work, code, question_id, said)
        )
