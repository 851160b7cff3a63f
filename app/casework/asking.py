"""Questions of the holder of a case to its submitter, and their answers."""

from uuid import UUID

from app.cases import actions as cases
from app.cases import queries
from app.cases.lifecycle import OPEN, TABLE, Need
from app.cases.models import Case
from app.cases.records import Question
from app.cases.schemas import NewAnswer, NewQuestion
from app.casework.acting import require_working_role
from app.casework.sides import get_sides
from app.consents import standing
from app.deadlines import actions as deadlines
from app.deadlines.limits import ClockKind
from app.deadlines.queries import compute_due_at
from app.directory import queries as directory
from app.kernel.actors import Side
from app.kernel.lifecycle import ActionIllegal, ActionNotYours
from app.kernel.problems import Problem
from app.kernel.requirements import Unmet, raise_unmet
from app.kernel.transactions import Writing


class QuestionAnswered(Problem):
    """The question was answered before."""

    status = 409


def ask_submitter(work: Writing, code: str, new: NewQuestion) -> Question:
    """Ask the submitter a question with a sealed text, and start the answer's deadline.

    A feared submitter is not asked: the question could reveal the fear. Raises NotFound
    (404), ActionIllegal or NeedsUnmet (409), ActionNotYours or RoleMissing (403).
    """
    case = lock_for_side(work, code, Side.HOLDER)
    require_safe_submitter(work, case)
    question = Question(
        id=work.create_id(),
        case=case,
        case_id=case.id,
        topics=sorted(set(new.topics)),
        asked_by=work.actor.focal_point_id,
        asked_at=work.now,
    )
    work.session.add(question)
    cases.add_message(work, case, f"question {question.id}", new.question)
    kind, submitter = ClockKind.ANSWER, case.submitter
    due_at = compute_due_at(work, kind, case, waits_on=submitter)
    deadlines.restart(work, question, kind, due_at, waits_on=submitter)
    record_event(work, case, "case.asked", question)
    return question


def require_safe_submitter(work: Writing, case: Case) -> None:
    """Raise NeedsUnmet (409) if the person fears the submitter and the caller may know it.

    A holder that may not know the fears can ask, as its question cannot reveal them.
    """
    stands = standing.load_for_case(work, case)
    own_office = directory.by_id(work, work.actor.focal_point_id)
    submitter = directory.by_id(work, case.submitter)
    if stands.may_know_fears(own_office) and not stands.is_safe(submitter, submitter.code):
        raise_unmet(
            [Unmet(Need.RECIPIENT_SAFE, Side.HOLDER, "The person fears the submitter.")]
        )


def answer_question(
    work: Writing, code: str, question_id: UUID, new: NewAnswer
) -> Question:
    """Answer a question of the holder.

    Raises what `lock_for_side` does, NotFound (404) and QuestionAnswered (409).
    """
    case = lock_for_side(work, code, Side.SUBMITTER)
    question = queries.get_question(work, case.id, question_id)
    if question.answered_at is not None:
        raise QuestionAnswered("Nothing was changed. Wait for another question.")
    question.answered_at = work.now
    cases.add_note(work, case, f"answer {question.id}", new.answer)
    deadlines.stop(work, question.id)
    record_event(work, case, "case.answered", question)
    return question


def lock_for_side(work: Writing, code: str, side: Side) -> Case:
    """Lock an open case for an office on one of its sides.

    Raises NotFound (404), ActionIllegal (409), ActionNotYours or RoleMissing (403).
    """
    case = queries.lock(work, code)
    if case.state not in OPEN:
        raise ActionIllegal(
            f"The case is {case.state}.", TABLE.describe_actions(case.state)
        )
    if side not in get_sides(work, case):
        raise ActionNotYours(f"Only the {side} can do this.")
    require_working_role(work)
    return case


def record_event(work: Writing, case: Case, event: str, question: Question) -> None:
    """Record an event about a question for the submitter and the holder alone."""
    holder = case.holder
    both = frozenset({case.submitter, *({holder} if holder else ())})
    work.record(event, case, both, {"question": str(question.id)})
