"""Approvals by a second person for actions on a case; each is valid for one use (R14)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from app.access import approvals as access_approvals
from app.access import queries as access_queries
from app.access.approvals import ApprovalRequest
from app.access.kept_requests import KeptRequest
from app.access.models import Approval, ApprovalState
from app.cases import queries as case_queries
from app.cases.models import Case
from app.cases.quotas import count_volume
from app.cases.sections import Paper
from app.deadlines import actions as deadline_actions
from app.deadlines.limits import DeadlineKind
from app.deadlines.queries import compute_due_at
from app.kernel.actors import HOLDER_APPROVERS, Role
from app.kernel.problems import Facts, Problem
from app.kernel.transactions import Recorded, WriteTransaction
from app.kernel.versions import format_version

OVERSIGHT_APPROVERS: Final = frozenset({Role.PROTECTION_OFFICER, Role.SUPERVISOR})


class NotTheAsker(Problem):
    """Only the account that asked for the approval can withdraw the request."""

    status = 409


@dataclass(frozen=True)
class GuardedAction:
    """An action that a second person has to approve, with its case and request body.

    `record` is the record that the action is about, if it is not the case itself. `grounds`
    describes other data on which the decision depends. `version` is the version of the
    record on which the request is based, if the request names one.
    """

    case: Case
    action: str
    body: BaseModel
    facts: Facts
    version: int | None = None
    roles: AbstractSet[Role] = HOLDER_APPROVERS
    record: Recorded | None = None
    grounds: str = ""

    def list_fingerprints(self, tx: WriteTransaction) -> list[str]:
        """Return the fingerprints that identify the request and its account."""
        who, said = str(tx.actor.account_id), self.body.model_dump_json()
        parts = (self.action, str(self.case.id), who, said, self.grounds)
        return tx.vault.list_fingerprints(*(part.encode() for part in parts))

    def build_request(self) -> KeptRequest:
        """Return the request in the form that is stored until the approval ends."""
        body = self.body.model_dump(mode="json", exclude_unset=True)
        codes = list_code_fields(type(self.body))
        return KeptRequest(
            body=body,
            if_match=None if self.version is None else format_version(self.version),
            after={name: value for name, value in body.items() if name in codes},
            sealed=sorted(name for name in body.keys() - codes if body[name] is not None),
        )


def ask_or_claim_approval(
    tx: WriteTransaction, matter: GuardedAction, approval: UUID | None
) -> Approval | None:
    """Claim the given approval and return None, or request an approval and return it.

    Raises ApprovalUnusable (409) if the given approval cannot be claimed.
    """
    fingerprints = matter.list_fingerprints(tx)
    if approval is None:
        return ask_second_person(tx, matter, fingerprints)
    access_approvals.claim_approval(tx, approval, fingerprints)
    return None


def ask_second_person(
    tx: WriteTransaction, matter: GuardedAction, fingerprints: list[str]
) -> Approval:
    """Request an approval, or return the pending approval for the same request.

    A pending approval for another version is withdrawn. A request without free text does
    not count towards the quota of the account, so that it is always possible to stop a case
    or to set a legal hold. Raises DailyVolumeUsed (429) if the quota is exceeded.
    """
    case, own_office = matter.case, tx.actor.focal_point_id
    key = case_queries.find_data_keys(tx, [case.id]).get(case.id)
    asking = ApprovalRequest(
        action=matter.action,
        subject=(matter.record or case).reference,
        fingerprints=fingerprints,
        facts=matter.facts,
        roles=matter.roles,
        lapses_at=compute_due_at(tx, DeadlineKind.APPROVE, case, waits_on=own_office),
        request=matter.build_request() if key else None,
        case_id=case.id,
        key=key,
    )
    pending = access_queries.lock_pending(tx, fingerprints)
    if pending and access_approvals.is_same_request(tx, pending, asking):
        return pending
    if pending:
        withdraw(tx, pending)
    question = access_approvals.ask_second_person(tx, asking)
    if asking.request and asking.request.sealed:
        count_volume(tx, case.id, Paper.NOTE, len(question.sealed_request or b""))
    kind, due_at = DeadlineKind.APPROVE, question.lapses_at
    deadline_actions.restart(
        tx, question.journal_reference, kind, due_at, waits_on=own_office
    )
    return question


@cache
def list_code_fields(schema: type[BaseModel]) -> frozenset[str]:
    """Return the fields of a request that contain no free text.

    Each text in such a field is one of a list of codes, has a pattern, or is a date, a time
    or a UUID.
    """
    document = schema.model_json_schema()
    return frozenset(
        name
        for name, field in document["properties"].items()
        if has_no_free_text(field, document.get("$defs", {}))
    )


def has_no_free_text(schema: Any, definitions: Facts) -> bool:
    """Return whether a JSON schema restricts each text to codes, a pattern or a format."""
    if isinstance(schema, list):
        return all(has_no_free_text(part, definitions) for part in schema)
    if not isinstance(schema, dict):
        return True
    if name := schema.get("$ref"):
        return has_no_free_text(definitions[name.removeprefix("#/$defs/")], definitions)
    if schema.get("type") == "string" and not CODE_KEYWORDS & schema.keys():
        return schema.get("format") in {"date", "date-time", "uuid"}
    return all(has_no_free_text(part, definitions) for part in schema.values())


CODE_KEYWORDS: Final = frozenset({"enum", "const", "pattern"})


def withdraw_approval(tx: WriteTransaction, approval_id: UUID) -> Approval:
    """Withdraw the caller's request before it is used, and stop the request's deadline.

    A repeated withdrawal changes nothing. Raises NotFound (404; `lock_to_end` describes
    what to do then), or NotTheAsker or ApprovalDecided (409).
    """
    approval = access_approvals.lock_to_end(tx, approval_id)
    if approval.asked_by != tx.actor.account_id:
        raise NotTheAsker("To end the request as the second person, refuse it.")
    if approval.decision == ApprovalState.WITHDRAWN:
        return approval
    if approval.decision not in access_queries.UNSPENT or approval.lapses_at <= tx.now:
        raise access_approvals.ApprovalDecided(
            "The request has ended, or has already been carried out."
        )
    withdraw(tx, approval)
    return approval


def withdraw(tx: WriteTransaction, approval: Approval) -> None:
    """Withdraw a locked request that is not used yet, and stop the request's deadline."""
    access_approvals.withdraw(tx, approval)
    deadline_actions.stop(tx, approval.id)


def decide_approval(tx: WriteTransaction, approval_id: UUID, *, approve: bool) -> Approval:
    """Approve or refuse a request as the second person, and stop the request's deadline."""
    question = access_approvals.decide_approval(tx, approval_id, approve=approve)
    deadline_actions.stop(tx, question.id)
    return question
