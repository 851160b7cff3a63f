"""How a case ends: by two people, with a reason, and with the person told."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from app.access import actions as decisions
from app.access import queries as access
from app.access.models import Approval, ApprovalState
from app.cases import actions as cases
from app.cases.lifecycle import TABLE, Action, Need, Row
from app.cases.models import Case
from app.casework import situation
from app.casework.acting import lock, sides_of
from app.casework.needs import RULES, Terms
from app.casework.schemas import CloseCase
from app.deadlines import actions as deadlines
from app.deadlines.limits import ClockKind, due
from app.kernel.actors import Role
from app.kernel.needs import refuse
from app.kernel.problems import NotFound, Problem
from app.kernel.versions import Seen
from app.kernel.work import Writing
from app.referrals import actions as referrals

APPROVERS: Final = frozenset({Role.COORDINATOR, Role.SUPERVISOR})


class ApprovalUnusable(Problem):
    """The approval given does not allow this: not approved, spent, lapsed, or another's."""

    status = 409


def close(
    work: Writing, code: str, seen: Seen, why: CloseCase, approval: UUID | None
) -> Case | Approval:
    """Close a case, or ask a second person to allow it.

    Raises what `ready` does, and ApprovalUnusable (409). When only the second person is
    missing, the question to them is committed instead, and returned.
    """
    case = lock(work, code, seen)
    row = TABLE.find(case.state, Action.CLOSE, sides_of(work, case), work.actor.roles)
    fingerprint = fingerprint_of(work, case, why)
    terms = Terms(reason=why.reason, person_informed=why.person_informed, approved=True)
    facts = situation.judge(work, case, row, terms)
    if approval is None:
        alone = replace(facts, terms=replace(terms, approved=False))
        missing = RULES.unmet(row, alone)
        if [lack.need for lack in missing] == [Need.SECOND_PERSON]:
            return ask(work, case, fingerprint, why)
        refuse(missing)
    else:
        spend(work, approval, fingerprint)
    return end(work, case, row, why)


def fingerprint_of(work: Writing, case: Case, why: CloseCase) -> str:
    """Recognise the same question: of one account, on one case, for one reason."""
    who, body = str(work.actor.account_id), why.model_dump_json()
    parts = (Action.CLOSE, str(case.id), who, body)
    return work.vault.fingerprint(*(part.encode() for part in parts))


def ask(work: Writing, case: Case, fingerprint: str, why: CloseCase) -> Approval:
    """Put the question to a second person of the holder; asked twice, it is one."""
    if asked := access.pending_like(work, fingerprint):
        return asked
    question = Approval(
        id=work.new_id(),
        action=f"case.{Action.CLOSE}",
        case_id=case.id,
        subject=case.reference,
        fingerprint=fingerprint,
        facts={"reason": why.reason},
        decision=ApprovalState.PENDING,
        focal_point_id=work.actor.focal_point_id,
        roles=sorted(APPROVERS),
        asked_by=work.actor.account_id,
        asked_at=work.now,
        lapses_at=due(ClockKind.APPROVE, case.priority, work.now),
    )
    work.session.add(question)
    us = work.actor.focal_point_id
    deadlines.restart(work, question, ClockKind.APPROVE, question.lapses_at, waits_on=us)
    facts = {"action": question.action, "subject": question.subject}
    work.record("approval.asked", question, frozenset({us}), facts)
    return question


def decide(work: Writing, approval_id: UUID, *, approve: bool) -> Approval:
    """Answer as a second person; raises what `access.decide` does."""
    before = access.approval(work, approval_id).decision
    question = decisions.decide(work, approval_id, approve=approve)
    if question.decision != before:
        deadlines.stop(work, question.id)
        facts = {"decision": question.decision, "subject": question.subject}
        us = frozenset({question.focal_point_id})
        work.record("approval.decided", question, us, facts)
    return question


def spend(work: Writing, approval_id: UUID, fingerprint: str) -> None:
    """Use an approval, once; raises ApprovalUnusable (409)."""
    try:
        question = access.lock_approval(work, approval_id)
    except NotFound as error:
        raise ApprovalUnusable("There is no such approval.") from error
    if question.fingerprint != fingerprint:
        raise ApprovalUnusable("It was given for another request; repeat the same body.")
    if question.decision != ApprovalState.APPROVED or question.lapses_at <= work.now:
        raise ApprovalUnusable(f"It is {question.decision}, or lapsed: ask anew.")
    question.decision = ApprovalState.SPENT


def end(work: Writing, case: Case, row: Row, why: CloseCase) -> Case:
    """Close: drafts are revoked, sections shut, the retention clock runs."""
    before = case.audience
    cases.note(work, case, row.action, why.note)
    referrals.end_drafts(work, case, why.reason)
    case.closure_reason = why.reason
    cases.take(work, case, row, {"reason": why.reason}, before=before)
    return case
