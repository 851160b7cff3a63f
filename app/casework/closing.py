"""How a case ends: by two people, with a reason, and with the person told."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.access import actions as decisions
from app.access import queries as access
from app.access.models import Approval
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
from app.kernel.versions import Seen
from app.kernel.work import Writing
from app.referrals import actions as referrals

APPROVERS: Final = frozenset({Role.COORDINATOR, Role.SUPERVISOR})


@dataclass(frozen=True)
class Asked:
    """A question about a case, as clocks and the journal name it."""

    id: UUID
    case_id: UUID
    reference: str


def close(
    work: Writing, code: str, seen: Seen, why: CloseCase, approval: UUID | None
) -> Case | Approval:
    """Close a case, or ask a second person to allow it.

    Raises what `ready` does, and what `spend` does. When only the second person is
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
        decisions.spend(work, approval, fingerprint)
    return end(work, case, row, why)


def fingerprint_of(work: Writing, case: Case, why: CloseCase) -> str:
    """Recognise the same question: of one account, on one case, for one reason."""
    who, body = str(work.actor.account_id), why.model_dump_json()
    parts = (Action.CLOSE, str(case.id), who, body)
    return work.vault.fingerprint(*(part.encode() for part in parts))


def ask(work: Writing, case: Case, fingerprint: str, why: CloseCase) -> Approval:
    """Put the question to a second person of the holder; asked twice, it is one."""
    if waiting := access.pending_like(work, fingerprint):
        return waiting
    asking = decisions.Asking(
        action=f"case.{Action.CLOSE}",
        subject=case.reference,
        fingerprint=fingerprint,
        facts={"reason": why.reason},
        roles=APPROVERS,
        lapses_at=due(ClockKind.APPROVE, case.priority, work.now),
        case_id=case.id,
    )
    question, us = decisions.ask(work, asking), work.actor.focal_point_id
    asked = Asked(question.id, case.id, question.reference)
    deadlines.restart(work, asked, ClockKind.APPROVE, question.lapses_at, waits_on=us)
    facts = {"action": question.action, "subject": question.subject}
    work.record("approval.asked", asked, frozenset({us}), facts)
    return question


def decide(work: Writing, approval_id: UUID, *, approve: bool) -> Approval:
    """Answer as a second person; raises what `access.decide` does.

    Those of a case hear of it. What is about no case tells nobody: it is in the list.
    """
    before = access.approval(work, approval_id).decision
    question = decisions.decide(work, approval_id, approve=approve)
    if question.case_id is not None and question.decision != before:
        deadlines.stop(work, question.id)
        facts = {"decision": question.decision, "subject": question.subject}
        asked = Asked(question.id, question.case_id, question.reference)
        us = frozenset({question.focal_point_id})
        work.record("approval.decided", asked, us, facts)
    return question


def end(work: Writing, case: Case, row: Row, why: CloseCase) -> Case:
    """Close: drafts are revoked, sections shut, the retention clock runs."""
    before = case.audience
    cases.note(work, case, row.action, why.note)
    referrals.end_drafts(work, case, why.reason)
    case.closure_reason = why.reason
    cases.take(work, case, row, {"reason": why.reason}, before=before)
    return case
