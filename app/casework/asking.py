"""Questions from the holder of a case to its submitter, and the answers."""

from uuid import UUID

from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases import questions
from app.cases.lifecycle import Action, Need
from app.cases.models import Case
from app.cases.records import Question
from app.cases.schemas import AnswerInput, QuestionInput
from app.casework.acting import require_further
from app.consents import standing
from app.deadlines import actions as deadline_actions
from app.deadlines.limits import DeadlineKind
from app.directory import queries as directory_queries
from app.kernel.actors import Side
from app.kernel.problems import Problem
from app.kernel.requirements import UnmetRequirement, raise_unmet
from app.kernel.transactions import WriteTransaction


class QuestionAnswered(Problem):
    """The question has already been answered."""

    status = 409


def ask_submitter(tx: WriteTransaction, code: str, new: QuestionInput) -> Question:
    """Ask the submitter a question with a sealed text, and start the answer's deadline.

    Raises NeedsUnmet (409) if the caller may learn that the person fears the submitter,
    because a question could then reveal the fear.
    """
    case = lock_to(tx, code, Action.ASK_SUBMITTER)
    require_safe_submitter(tx, case)
    question = Question(
        id=tx.create_id(),
        case=case,
        case_id=case.id,
        topics=sorted(set(new.topics)),
        asked_by=tx.actor.focal_point_id,
        asked_at=tx.now,
    )
    tx.session.add(question)
    case_actions.add_message(tx, case, f"question {question.id}", new.question)
    kind, submitter = DeadlineKind.ANSWER, case.submitter
    due_at = questions.get_answer_term(tx, case).compute_end(tx.now)
    deadline_actions.restart(tx, question, kind, due_at, waits_on=submitter)
    record_event(tx, case, "case.asked", question)
    return question


def require_safe_submitter(tx: WriteTransaction, case: Case) -> None:
    """Raise NeedsUnmet (409) if the caller may learn that the person fears the submitter.

    A holder that must not learn of the fear can ask: its question cannot reveal the fear.
    """
    stands = standing.load_for_case(tx, case)
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    submitter = directory_queries.by_id(tx, case.submitter)
    if stands.may_know_fears(own_office) and not stands.is_safe(submitter, submitter.code):
        code, remedy = Need.RECIPIENT_SAFE, "The person fears the submitter."
        raise_unmet([UnmetRequirement(requirement=code, by=Side.HOLDER, remedy=remedy)])


def answer_question(
    tx: WriteTransaction, code: str, question_id: UUID, new: AnswerInput
) -> Question:
    """Answer a question, or raise QuestionAnswered (409) if it is already answered."""
    case = lock_to(tx, code, Action.ANSWER_QUESTION)
    question = questions.get_question(tx, case.id, question_id)
    if question.answered_at is not None:
        raise QuestionAnswered("Nothing was changed. Wait for another question.")
    question.answered_at = tx.now
    case_actions.add_note(tx, case, f"answer {question.id}", new.answer)
    deadline_actions.stop(tx, question.id)
    record_event(tx, case, "case.answered", question)
    return question


def lock_to(tx: WriteTransaction, code: str, action: Action) -> Case:
    """Lock an open case, and require that the caller may take the action."""
    case = case_queries.lock(tx, code)
    require_further(tx, case, action)
    return case


def record_event(tx: WriteTransaction, case: Case, event: str, question: Question) -> None:
    """Record an event about a question; only the submitter and the holder receive it."""
    holder = case.holder
    both = frozenset({case.submitter, *({holder} if holder else ())})
    tx.record(event, case, both, {"question": str(question.id)})
