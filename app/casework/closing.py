"""Close, stop and reopen a case."""

from contextlib import suppress
from uuid import UUID

from app.access.models import Approval
from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases.approvals import GuardedAction, ask_or_claim_approval
from app.cases.lifecycle import OPEN, TABLE, Action, Need, Row
from app.cases.models import Case
from app.cases.reasons import ClosureReason, WithdrawReason
from app.casework import situation as casework_situation
from app.casework.acting import check_action, lock_case
from app.casework.bodies import CloseCase, ReopenCase, StopCase
from app.casework.needs import Terms
from app.casework.sides import get_sides
from app.casework.watching import resume_questions, update_assessment_deadline
from app.handovers import following as handover_following
from app.kernel.actors import Relation
from app.kernel.problems import NotFound, Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.versions import SeenVersions
from app.referrals import actions as referral_actions
from app.referrals import following as referral_following
from app.returns import following as return_following


class ContinuingCaseUnknown(Problem):
    """No other open case that you can see has the code in `continues_in`."""

    status = 422


def close_case(
    tx: WriteTransaction,
    code: str,
    seen: SeenVersions,
    why: CloseCase,
    approval: UUID | None,
) -> Case | Approval:
    """Close and return a case; without `approval`, request and return an approval.

    A second person has to approve the closure.
    """
    case = lock_case(tx, code, seen)
    row = TABLE.find(case.state, Action.CLOSE, get_sides(tx, case), tx.actor.roles)
    terms = Terms(reason=why.reason, person_informed=why.person_informed, approved=True)
    casework_situation.check_requirements(tx, case, row, terms)
    other = find_continuing_case(tx, case, why.continues_in) if why.continues_in else None
    facts = {"reason": why.reason}
    matter = GuardedAction(case, f"case.{Action.CLOSE}", why, facts, case.version)
    if question := ask_or_claim_approval(tx, matter, approval):
        return question
    before = case.audience
    case_actions.add_note(tx, case, row.action, why.note)
    case.closure_reason, case.continues_in = why.reason, other.id if other else None
    case_actions.take_step(tx, case, row, {"reason": why.reason}, audience_before=before)
    referral_following.revoke_drafts(tx, case, why.reason)
    return_following.end_or_reassign(tx, case)
    release_reference(case)
    return case


def find_continuing_case(tx: ReadTransaction, case: Case, code: str) -> Case:
    """Return another open case by its code, or raise ContinuingCaseUnknown (422).

    The error is the same if the code is unknown, or its case is hidden, not open or `case`.
    """
    with suppress(NotFound):
        other = case_queries.get(tx, code)
        if other.state in OPEN and other.id != case.id:
            return other
    raise ContinuingCaseUnknown("Name another open case that you can see.")


def stop_case(
    tx: WriteTransaction, code: str, why: StopCase, approval: UUID | None
) -> Case | Approval:
    """End a case and all help at once, at the request of the person.

    One person at the holder can do this. If the lead does not act, two people at the desk
    can do it together: without `approval`, request and return an approval. No version is
    required, because a refusal by the person is never out of date.
    """
    terms = Terms(reason=why.reason, approved=True)
    case, row = check_action(tx, case_queries.lock(tx, code), Action.STOP, terms)
    if Need.SECOND_PERSON in row.needs:
        matter = GuardedAction(case, f"case.{row.action}", why, {"reason": why.reason})
        if question := ask_or_claim_approval(tx, matter, approval):
            return question
        case.external_digest = None
    before = case.audience
    case_actions.add_note(tx, case, row.action, why.note)
    case.closure_reason = ClosureReason.SURVIVOR_REQUEST
    case_actions.take_step(tx, case, row, {"reason": why.reason}, audience_before=before)
    referral_following.end_all(tx, case, WithdrawReason.SURVIVOR_DECLINED)
    handover_following.cancel_open(tx, case)
    return_following.end_or_reassign(tx, case)
    release_reference(case)
    return case


def release_reference(case: Case) -> None:
    """Delete the digest of the external reference of a case that never had a lead.

    Such a case cannot be reopened, so the submitter may use the reference for another case.
    """
    if case.with_relation(Relation.LEAD) is None:
        case.external_digest = None


def reopen_case(tx: WriteTransaction, case: Case, row: Row, why: ReopenCase) -> Case:
    """Reopen a closed case as its lead, and resume the deadlines of open questions."""
    before = case.audience
    case_actions.add_note(tx, case, row.action, why.note)
    case.closure_reason = case.continues_in = None
    case_actions.take_step(tx, case, row, {"reason": why.reason}, audience_before=before)
    referral_actions.update_case_state(tx, case)
    resume_questions(tx, case)
    update_assessment_deadline(tx, case)
    return case
