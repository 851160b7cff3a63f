"""Queries for the questions that the holder of a case asks its submitter."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from app.cases import queries as case_queries
from app.cases import statements
from app.cases.case_loading import require_all_loaded
from app.cases.models import Case
from app.cases.queries import require_found
from app.cases.records import Question
from app.deadlines import queries as deadline_queries
from app.deadlines.durations import ApparentHolder, Term
from app.deadlines.limits import DeadlineKind
from app.kernel.recall import load_once
from app.kernel.transactions import ReadTransaction


def list_questions(tx: ReadTransaction, case_id: UUID) -> list[Question]:
    """List the questions about a case, oldest first.

    Raises NotAuthentic if a question was deleted outside the service.
    """
    rows = select(Question).where(Question.case_id == case_id).order_by(Question.number)
    found = list(tx.session.scalars(rows))
    require_all_loaded(tx.session, [case_id], Question.list_labels())
    return found


@load_once(Question)
def find_unanswered(tx: ReadTransaction, case_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return the ids of the cases that have an unanswered question."""
    cases = {"cases": list(case_ids)}
    return frozenset(tx.read_columns(statements.UNANSWERED, cases).scalars())


def get_question(tx: ReadTransaction, case_id: UUID, question_id: UUID) -> Question:
    """Return one question about a case, or raise NotFound (404)."""
    mine = (Question.case_id == case_id) & (Question.id == question_id)
    return require_found(tx.session.scalar(select(Question).where(mine)), "question")


def get_answer_term(tx: ReadTransaction, case: Case) -> Term:
    """Return the time limit of the submitter's answer, by the priority that it knows.

    After a lead took the case, the submitter reads an old summary. The deadline of a later
    question must not show that the priority has changed (R12).
    """
    kept = case_queries.load_snapshots(tx, [case.id]).get(case.id)
    known = ApparentHolder(case.submitter, None, kept.priority) if kept else None
    return deadline_queries.get_term(
        tx, DeadlineKind.ANSWER, case, waits_on=case.submitter, apparent=known
    )
