"""Actions on approvals by a second person (R14)."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, case, update

from app.access import queries as access_queries
from app.access.kept_requests import KeptRequest, open_request, seal_request
from app.access.models import Approval, ApprovalState
from app.access.row_verification import is_authentic
from app.access.second_person import is_still_allowed, require_second_person
from app.kernel.actors import Role
from app.kernel.problems import Facts, NotFound, Problem
from app.kernel.recall import may_have_rows, write_rows
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.vault import WrappedKey


class ApprovalDecided(Problem):
    """The approval was already decided, or it has expired."""

    status = 409


class ApprovalUnusable(Problem):
    """The approval is not given, was used, has expired, or belongs to another person."""

    status = 409


@dataclass(frozen=True)
class ApprovalRequest:
    """A request to approve exactly one action.

    `of` is the focal point that decides; by default, the focal point of the caller. The
    second person sees `facts`, needs one of `roles`, and must decide before `lapses_at`.
    The first of `fingerprints` is stored. `request` is stored sealed with `key`, the data
    key of the case, or with a new key.
    """

    action: str
    subject: str
    fingerprints: list[str]
    facts: Facts
    roles: AbstractSet[Role]
    lapses_at: datetime
    request: KeptRequest | None = None
    case_id: UUID | None = None
    key: WrappedKey | None = None
    of: UUID | None = None


def ask_second_person(tx: WriteTransaction, request: ApprovalRequest) -> Approval:
    """Store and return a request for approval, and record an event about it."""
    approval = Approval(
        id=tx.create_id(),
        action=request.action,
        case_id=request.case_id,
        subject=request.subject,
        fingerprint=request.fingerprints[0],
        facts=dict(request.facts),
        decision=ApprovalState.PENDING,
        focal_point_id=request.of or tx.actor.focal_point_id,
        roles=sorted(request.roles),
        asked_by=tx.actor.account_id,
        asked_at=tx.now,
        lapses_at=request.lapses_at,
    )
    if request.request is not None:
        seal_request(tx.vault, approval, request.request, request.key)
    tx.session.add(approval)
    record_event(tx, approval, "approval.requested", {"action": approval.action})
    return approval


def find_or_ask(tx: WriteTransaction, request: ApprovalRequest) -> Approval:
    """Return the caller's pending request if it is the same, or store and return a new one.

    A pending request with the same values is withdrawn if it expects another version or
    cannot be opened. The request that a second person has read therefore never changes
    before it is confirmed (ADR 61).
    """
    pending = access_queries.lock_pending(tx, request.fingerprints)
    if pending is not None and is_same_request(tx, pending, request):
        return pending
    if pending is not None:
        withdraw(tx, pending)
    return ask_second_person(tx, request)


def is_same_request(
    tx: ReadTransaction, pending: Approval, request: ApprovalRequest
) -> bool:
    """Return whether a pending request expects the same version as a new request.

    Both have the same fingerprint, which is enough if `request.request` is None. Returns
    False if the pending request is not stored or cannot be opened.
    """
    new = request.request
    if new is None:
        return True
    kept = open_request(tx.vault, pending, request.key)
    return kept is not None and kept.is_same(new)


def withdraw(tx: WriteTransaction, approval: Approval) -> None:
    """Withdraw a locked request for approval that is not used yet."""
    approval.end(ApprovalState.WITHDRAWN)
    record_event(tx, approval, "approval.withdrawn", {})


def record_event(tx: WriteTransaction, approval: Approval, name: str, facts: Facts) -> None:
    """Record an event about an approval. The event names the subject if there is a case."""
    of_case = {} if approval.case_id is None else {"subject": approval.subject}
    audience = access_queries.get_audience(tx, approval)
    tx.record(name, approval.journal_reference, audience, {**facts, **of_case})


def claim_approval(
    tx: WriteTransaction, approval_id: UUID, fingerprints: list[str]
) -> Approval:
    """Mark an approval as used and return it, or raise ApprovalUnusable (409).

    An approval that was altered outside the service is refused as if it did not exist.
    Raises NotAuthentic if the account that approved was altered outside the service.
    """
    try:
        approval = access_queries.lock_approval(tx, approval_id)
    except NotFound as error:
        raise ApprovalUnusable("There is no such approval.") from error
    if approval.fingerprint not in fingerprints:
        raise ApprovalUnusable("The approval is for another request. Repeat that request.")
    if approval.decision != ApprovalState.APPROVED or approval.lapses_at <= tx.now:
        raise ApprovalUnusable(
            f"The approval has the state {approval.decision}, or has expired. Ask again."
        )
    if not is_authentic(tx.session, approval):
        raise ApprovalUnusable("There is no such approval.")
    if not is_still_allowed(tx, approval):
        raise ApprovalUnusable("The account that approved may no longer do so. Ask again.")
    approval.end(ApprovalState.USED)
    return approval


def decide_approval(tx: WriteTransaction, approval_id: UUID, *, approve: bool) -> Approval:
    """Approve or refuse a request as the second person.

    A repeated answer changes nothing. The account that approved may still refuse until the
    approval is used or expires. Raises NotFound, NotASecondPerson, ApprovalDecided,
    RoleMissing or NotAuthentic.
    """
    approval = access_queries.lock_approval(tx, approval_id)
    require_second_person(tx, approval)
    answer = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
    own = approval.decided_by == tx.actor.account_id
    if approval.decision == answer and own:
        return approval
    takes_back = approval.decision == ApprovalState.APPROVED and own
    open_ = approval.decision == ApprovalState.PENDING or takes_back
    if not open_ or approval.lapses_at <= tx.now:
        why = "The approval cannot be decided again. Request the action again."
        raise ApprovalDecided(why)
    if not is_authentic(tx.session, approval):
        raise NotFound("There is no such approval.")
    approval.decision = answer
    if not approve:
        approval.delete_request()
    approval.decided_by, approval.decided_at = tx.actor.account_id, tx.now
    record_event(tx, approval, "approval.decided", {"decision": answer})
    return approval


NOW: Final = bindparam("now", type_=Approval.lapses_at.type)
EXPIRE: Final = (
    update(Approval)
    .where(Approval.case_id == bindparam("case"))
    .where(Approval.decision.in_([ApprovalState.PENDING, ApprovalState.APPROVED]))
    .values(
        decision=ApprovalState.EXPIRED,
        lapses_at=case((Approval.lapses_at > NOW, NOW), else_=Approval.lapses_at),
        sealed_request=None,
        request_key=None,
        request_key_version=None,
    )
    .returning(Approval.id)
)
EXPIRE_ABOUT: Final = EXPIRE.where(Approval.subject == bindparam("about"))
NOT_SPARED: Final = Approval.focal_point_id.not_in(make_list_parameter("sparing"))
EXPIRE_OTHERS: Final = EXPIRE.where(NOT_SPARED)


def expire_approvals(
    tx: WriteTransaction,
    case_id: UUID,
    *,
    subject: str | None = None,
    except_offices: Collection[UUID] = (),
) -> list[UUID]:
    """Expire the unused approvals of a case and return their ids.

    If `subject` is given, only approvals with this subject expire. Otherwise, all of them
    expire, except those that one of `except_offices` decides. `lapses_at` becomes the
    current time, so that a transaction that started earlier or has a slow clock cannot use
    the approvals.
    """
    if not may_have_rows(tx, Approval, case_id, lambda one: one.case_id == case_id):
        return []
    values: dict[str, object] = {"case": case_id, "now": tx.now}
    if subject is None:
        statement, values = EXPIRE_OTHERS, values | {"sparing": list(except_offices)}
    else:
        statement, values = EXPIRE_ABOUT, values | {"about": subject}
    return list(write_rows(tx.session, statement, values).scalars())


def expire_unanswered(tx: WriteTransaction) -> int:
    """Expire overdue requests for approval that belong to no case; return their number.

    The sealed requests of all approvals that have expired are deleted.
    """
    expired = access_queries.lock_unanswered(tx)
    for approval in expired:
        approval.end(ApprovalState.EXPIRED)
        record_event(tx, approval, "approval.expired", {})
    for approval in access_queries.lock_ended_requests(tx):
        approval.delete_request()
    return len(expired)


def expire_unspent(tx: WriteTransaction, condition: ColumnElement[bool]) -> list[UUID]:
    """Expire the approvals that meet a condition and are not used yet; return their ids.

    An approval must not be used after the account that gave it was disabled, and must not
    restore rights that were revoked after it was given.
    """
    expired = access_queries.lock_unspent(tx, condition)
    for approval in expired:
        approval.end(ApprovalState.EXPIRED)
        approval.lapses_at = tx.now
        record_event(tx, approval, "approval.expired", {})
    return [approval.id for approval in expired]
