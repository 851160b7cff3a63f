"""Routes for the facts, questions and declarations of vital interest of a case."""

from uuid import UUID

from fastapi import Response

from app.api.http.conditional_requests import render
from app.api.http.dependencies import CaseCode, IfNoneMatch, Once, ReadCases, WriteCases
from app.api.http.problems import ACTION, CREATION, NOT_FOUND
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import build_case_view
from app.cases import queries as case_queries
from app.cases import questions
from app.cases.facts import AssessmentRequired
from app.cases.models import Case
from app.cases.records import Fact, Question, VitalInterest
from app.cases.schemas import (
    AnswerInput,
    FactInput,
    FactList,
    FactOut,
    QuestionInput,
    QuestionList,
    QuestionOut,
    VitalInterestInput,
    VitalInterestOut,
)
from app.casework import asking, telling
from app.casework.sides import get_sides
from app.consents import office_names
from app.deadlines import queries as deadline_queries
from app.directory.queries import FocalPointUnknown
from app.kernel.actors import Side
from app.kernel.problems import NotFound
from app.kernel.requirements import NeedsUnmet
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("facts", "/cases/{code}")


def build_facts(tx: ReadTransaction, facts: list[Fact]) -> list[FactOut]:
    """Return facts, with the codes of the focal points that the caller may see."""
    offices = [
        (fact.case, one, fact.recorded_at)
        for fact in facts
        for one in (fact.body, fact.recorded_by)
        if one
    ]
    names, own_office = office_names.load_names(tx, offices), tx.actor.focal_point_id
    due = deadline_queries.find_due_times(tx, [fact.id for fact in facts])

    def name_of(fact: Fact, office: UUID | None) -> str | None:
        keeps = own_office in fact.case.write_audience
        return names.get_code(fact.case, office, fact.recorded_at, as_party=keeps)

    return [
        FactOut(
            body=names.codes[fact.body]
            if fact.body and fact.recorded_by == own_office
            else name_of(fact, fact.body),
            recorded_by=name_of(fact, fact.recorded_by),
            due_at=due.get(fact.id),
            id=fact.id,
            name=fact.name,
            value=fact.value,
            country=fact.country,
            ends_on=fact.ends_on,
            recorded_at=fact.recorded_at,
        )
        for fact in facts
    ]


def load_facts(tx: ReadTransaction, case: Case) -> FactList:
    """Return the facts of a case, limited to those that the caller may see."""
    return FactList(items=build_facts(tx, telling.list_facts(tx, case)))


@router.get("/facts", response_model=FactList, responses=NOT_FOUND)
def list_facts(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """List the facts of a case, limited to those that you may see, oldest first."""
    with begin() as tx:
        shown = load_facts(tx, case_queries.get(tx, code))
        return render(shown, if_none_match=if_none_match)


@router.serve_action(
    "/facts", FactOut, *CREATION, AssessmentRequired, FocalPointUnknown, status=201
)
def record_fact(begin: WriteCases, code: CaseCode, key: Once, new: FactInput) -> Response:
    """Record a fact. If several facts have the same name, the latest one is valid.

    The lead, or the submitter until there is a lead, may do this. So may a recipient that
    accepted a referral to establish the fact. Help must not wait for a fact (BR01).
    """
    view = build_case_view(code, telling.get_known_fact, build_facts)
    return view.create_once(begin, key, lambda tx: telling.set_fact(tx, code, new))


def build_vitals(
    _: ReadTransaction, declared: list[VitalInterest]
) -> list[VitalInterestOut]:
    """Return declarations of vital interest as the API shows them."""
    return [VitalInterestOut.model_validate(one) for one in declared]


@router.serve_action("/vital-interests", VitalInterestOut, *CREATION, status=201)
def declare_vital_interest(
    begin: WriteCases, code: CaseCode, key: Once, new: VitalInterestInput
) -> Response:
    """Declare that a case cannot wait for a consent, because life or safety is at risk.

    For four hours, only the summary and the safety alert may be sent without a consent. The
    holder and oversight get the event at once, or when a draft is submitted. Inform the
    person afterwards.
    """
    view = build_case_view(code, telling.get_own_vital_interest, build_vitals)
    return view.create_once(
        begin, key, lambda tx: telling.declare_vital_interest(tx, code, new)
    )


def build_questions(tx: ReadTransaction, questions: list[Question]) -> list[QuestionOut]:
    """Return questions for a response. An office that the caller may not see is null."""
    due = deadline_queries.find_due_times(tx, [q.id for q in questions])
    offices = [(q.case, q.asked_by, q.asked_at) for q in questions]
    names = office_names.load_names(tx, offices)
    return [
        QuestionOut(
            id=q.id,
            topics=q.topics,
            asked_by=names.get_code(q.case, q.asked_by, q.asked_at),
            asked_at=q.asked_at,
            due_at=due.get(q.id),
            answered_at=q.answered_at,
        )
        for q in questions
    ]


def load_questions(tx: ReadTransaction, case: Case) -> QuestionList:
    """Return the questions about a case. Only the holder and the submitter get any."""
    found = questions.list_questions(tx, case.id) if may_see_questions(tx, case) else []
    return QuestionList(items=build_questions(tx, found))


def may_see_questions(tx: ReadTransaction, case: Case) -> bool:
    """Return whether the caller is the holder or the submitter of a case."""
    return bool(get_sides(tx, case) & {Side.HOLDER, Side.SUBMITTER})


def get_known_question(tx: ReadTransaction, case_id: UUID, question_id: UUID) -> Question:
    """Return a question that the caller asked or may see, or raise NotFound (404)."""
    found = questions.get_question(tx, case_id, question_id)
    own_office = tx.actor.focal_point_id
    if found.asked_by != own_office and not may_see_questions(tx, found.case):
        raise NotFound("There is no such question, or you may not see it.")
    return found


@router.get("/questions", response_model=QuestionList, responses=NOT_FOUND)
def list_questions(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """List the questions that the holder asked. The texts of questions are in the notes."""
    with begin() as tx:
        shown = load_questions(tx, case_queries.get(tx, code))
        return render(shown, if_none_match=if_none_match)


@router.serve_action("/questions", QuestionOut, *CREATION, NeedsUnmet, status=201)
def ask_submitter(
    begin: WriteCases, code: CaseCode, key: Once, new: QuestionInput
) -> Response:
    """Ask the submitter a question, as the holder. This starts a deadline for the answer.

    The question is refused if you are allowed to know that the person fears the submitter.
    """
    view = build_case_view(code, get_known_question, build_questions)
    return view.create_once(begin, key, lambda tx: asking.ask_submitter(tx, code, new))


@router.serve_action(
    "/questions/{question_id}/answer", QuestionOut, *ACTION, asking.QuestionAnswered
)
def answer_question(
    begin: WriteCases, code: CaseCode, question_id: UUID, key: Once, body: AnswerInput
) -> Response:
    """Answer a question of the holder. Only the submitter of the case can do this."""
    view = build_case_view(code, get_known_question, build_questions)
    return view.run_once(
        begin, key, lambda tx: asking.answer_question(tx, code, question_id, body)
    )
