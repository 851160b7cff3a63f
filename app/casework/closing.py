"""Closing, stopping and reopening a case."""

from contextlib import suppress
from uuid import UUID

from app.access.models import Approval
from app.cases import actions as cases
from app.cases import queries
from app.cases.approvals import GuardedAction, ask_or_claim_approval
from app.cases.lifecycle import OPEN, TABLE, Action, Need, Row
from app.cases.models import Case
from app.cases.reasons import ClosureReason, WithdrawReason
from app.casework import situation
from app.casework.acting import check_action, lock_case
from app.casework.bodies import CloseCase, ReopenCase, StopCase
from app.casework.needs import Terms
from app.casework.sides import get_sides
from app.casework.watching import resume_questions, update_assessment_deadline
from app.handovers import following as handovers
from app.kernel.actors import Relation
from app.kernel.problems import NotFound, Problem
from app.kernel.transactions import Reading, Writing
from app.kernel.versions import SeenVersions
from app.referrals import actions as referrals
from app.referrals import following
from app.returns import following as returns


class ContinuingCaseUnknown(Problem):
    """No open case that you can see has the code in `continues_in`."""

    status = 422


def close_case(
    work: Writing, code: str, seen: SeenVersions, why: CloseCase, approval: UUID | None
) -> Case | Approval:
    """Close a case, or ask a second person to approve that.

    Raises what `lock_and_check` does, ContinuingCaseUnknown (422) and ApprovalUnusable
    (409). If only the second person is missing, a request for approval is returned.
    """
    case = lock_case(work, code, seen)
    row = TABLE.find(case.state, Action.CLOSE, get_sides(work, case), work.actor.roles)
    terms = Terms(reason=why.reason, person_informed=why.person_informed, approved=True)
    situation.check_requirements(work, case, row, terms)
    other = find_continuing_case(work, case, why.continues_in) if why.continues_in else None
    matter = GuardedAction(case, f"case.{Action.CLOSE}", why, {"reason": why.reason})
    if question := ask_or_claim_approval(work, matter, approval):
        return question
    before = case.audience
    cases.add_note(work, case, row.action, why.note)
    case.closure_reason, case.continues_in = why.reason, other.id if other else None
    cases.take_step(work, case, row, {"reason": why.reason}, audience_before=before)
    following.revoke_drafts(work, case, why.reason)
    returns.end_or_reassign(work, case)
    release_reference(case)
    return case


def find_continuing_case(work: Reading, case: Case, code: str) -> Case:
    """Find the person's other, open case; raises ContinuingCaseUnknown (422).

    The error is the same if the caller may not see the case, or it is over, or this one.
    """
    with suppress(NotFound):
        other = queries.get(work, code)
        if other.state in OPEN and other.id != case.id:
            return other
    raise ContinuingCaseUnknown("Name another open case that you can see.")


def stop_case(
    work: Writing, code: str, why: StopCase, approval: UUID | None
) -> Case | Approval:
    """End the case and all help at once, because the person wants it to stop.

    One person of the holder can do this, or two of the desk beside a lead that does not
    act. No version is required: a refusal by the person is never out of date. Every open
    referral and handover ends in the same transaction. Raises what `check_action` does,
    and ApprovalUnusable (409).
    """
    terms = Terms(reason=why.reason, approved=True)
    case, row = check_action(work, queries.lock(work, code), Action.STOP, terms)
    if Need.SECOND_PERSON in row.needs:
        matter = GuardedAction(case, f"case.{row.action}", why, {"reason": why.reason})
        if question := ask_or_claim_approval(work, matter, approval):
            return question
        case.external_digest = None
    before = case.audience
    cases.add_note(work, case, row.action, why.note)
    case.closure_reason = ClosureReason.SURVIVOR_REQUEST
    cases.take_step(work, case, row, {"reason": why.reason}, audience_before=before)
    following.end_all(work, case, WithdrawReason.SURVIVOR_DECLINED)
    handovers.cancel_open(work, case)
    returns.end_or_reassign(work, case)
    release_reference(case)
    return case


def release_reference(case: Case) -> None:
    """Let the submitter use its own number again if the case never had a lead.

    Only a lead can reopen a case. Without one, the number would be lost to the submitter.
    """
    if case.with_relation(Relation.LEAD) is None:
        case.external_digest = None


def reopen_case(work: Writing, case: Case, row: Row, why: ReopenCase) -> Case:
    """Reopen a case as the lead that closed it, on the basis of a valid consent.

    The deadlines for the submitter's open questions start again.
    """
    before = case.audience
    cases.add_note(work, case, row.action, why.note)
    case.closure_reason = case.continues_in = None
    cases.take_step(work, case, row, {"reason": why.reason}, audience_before=before)
    referrals.update_case_state(work, case)
    resume_questions(work, case)
    update_assessment_deadline(work, case)
    return case
