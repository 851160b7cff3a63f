"""Approvals by a second person for actions on a case; each is valid for one use (R14)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from app.access import actions as access_actions
from app.access import queries as access_queries
from app.access.actions import ApprovalRequest
from app.access.models import Approval
from app.cases.models import Case
from app.deadlines import actions as deadline_actions
from app.deadlines.limits import DeadlineKind
from app.deadlines.queries import compute_due_at
from app.kernel.actors import HOLDER_APPROVERS, Role
from app.kernel.problems import Facts
from app.kernel.transactions import Recorded, WriteTransaction

OVERSIGHT_APPROVERS: Final = frozenset({Role.PROTECTION_OFFICER, Role.SUPERVISOR})


@dataclass(frozen=True)
class GuardedAction:
    """An action that a second person has to approve, with its case and request body.

    `record` is the record that the action is about, if it is not the case itself. `grounds`
    describes other data on which the decision depends.
    """

    case: Case
    action: str
    body: BaseModel
    facts: Facts
    roles: AbstractSet[Role] = HOLDER_APPROVERS
    record: Recorded | None = None
    grounds: str = ""

    def compute_fingerprint(self, tx: WriteTransaction) -> str:
        """Return a fingerprint that is equal for the same request of the same account."""
        who, said = str(tx.actor.account_id), self.body.model_dump_json()
        parts = (self.action, str(self.case.id), who, said, self.grounds)
        return tx.vault.compute_fingerprint(*(part.encode() for part in parts))


def ask_or_claim_approval(
    tx: WriteTransaction, matter: GuardedAction, approval: UUID | None
) -> Approval | None:
    """Claim the given approval and return None, or request an approval and return it.

    Raises ApprovalUnusable (409) if the given approval cannot be claimed.
    """
    fingerprint = matter.compute_fingerprint(tx)
    if approval is None:
        return ask_second_person(tx, matter, fingerprint)
    access_actions.claim_approval(tx, approval, fingerprint)
    return None


def ask_second_person(
    tx: WriteTransaction, matter: GuardedAction, fingerprint: str
) -> Approval:
    """Request an approval, or return the pending one for the same request."""
    if waiting := access_queries.find_pending(tx, fingerprint):
        return waiting
    case, own_office = matter.case, tx.actor.focal_point_id
    asking = ApprovalRequest(
        action=matter.action,
        subject=(matter.record or case).reference,
        fingerprint=fingerprint,
        facts=matter.facts,
        roles=matter.roles,
        lapses_at=compute_due_at(tx, DeadlineKind.APPROVE, case, waits_on=own_office),
        case_id=case.id,
    )
    question = access_actions.ask_second_person(tx, asking)
    kind, due_at = DeadlineKind.APPROVE, question.lapses_at
    deadline_actions.restart(
        tx, question.journal_reference, kind, due_at, waits_on=own_office
    )
    return question


def decide_approval(tx: WriteTransaction, approval_id: UUID, *, approve: bool) -> Approval:
    """Approve or refuse a request as the second person, and stop the request's deadline."""
    question = access_actions.decide_approval(tx, approval_id, approve=approve)
    deadline_actions.stop(tx, question.id)
    return question
