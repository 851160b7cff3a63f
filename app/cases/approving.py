"""What one person must not do alone: asked of a second, and allowed once (R14)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from app.access import actions as decisions
from app.access import queries as access
from app.access.models import Approval, ApprovalState
from app.cases.models import Case
from app.deadlines import actions as deadlines
from app.deadlines.limits import ClockKind, due
from app.kernel.actors import Role
from app.kernel.problems import Facts, NotFound, Problem
from app.kernel.work import Recorded, Writing

OF_THE_HOLDER: Final = frozenset({Role.COORDINATOR, Role.SUPERVISOR})
OF_OVERSIGHT: Final = frozenset({Role.PROTECTION_OFFICER, Role.SUPERVISOR})


class ApprovalUnusable(Problem):
    """The approval given does not allow this: not approved, spent, lapsed, or another's."""

    status = 409


@dataclass(frozen=True)
class Matter:
    """What is asked: the very action, on the very case, with the very body.

    Or on a record of the case; `grounds` says what the second person relied on.
    """

    case: Case
    action: str
    body: BaseModel
    facts: Facts
    roles: AbstractSet[Role] = OF_THE_HOLDER
    record: Recorded | None = None
    grounds: str = ""

    def fingerprint(self, work: Writing) -> str:
        """Recognise the same question: of one account, on one case, word for word."""
        who, said = str(work.actor.account_id), self.body.model_dump_json()
        parts = (self.action, str(self.case.id), who, said, self.grounds)
        return work.vault.fingerprint(*(part.encode() for part in parts))


def second(work: Writing, matter: Matter, approval: UUID | None) -> Approval | None:
    """Ask a second person; or, given what they allowed, spend it and return None.

    Raises ApprovalUnusable (409).
    """
    fingerprint = matter.fingerprint(work)
    if approval is None:
        return ask(work, matter, fingerprint)
    spend(work, approval, fingerprint)
    return None


def ask(work: Writing, matter: Matter, fingerprint: str) -> Approval:
    """Put the question to a second person of the asker's; asked twice, it is one."""
    if asked := access.pending_like(work, fingerprint):
        return asked
    case, us = matter.case, work.actor.focal_point_id
    question = Approval(
        id=work.new_id(),
        action=matter.action,
        case_id=case.id,
        subject=(matter.record or case).reference,
        fingerprint=fingerprint,
        facts=dict(matter.facts),
        decision=ApprovalState.PENDING,
        focal_point_id=us,
        roles=sorted(matter.roles),
        asked_by=work.actor.account_id,
        asked_at=work.now,
        lapses_at=due(ClockKind.APPROVE, case.priority, work.now),
    )
    work.session.add(question)
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
