"""Actions on approvals by a second person (R14)."""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select

from app.access import queries as access_queries
from app.access.approval_digests import drop_altered, drop_unmatched_approvals, lock_wanted
from app.access.kept_requests import KeptRequest, open_request, seal_request
from app.access.models import Account, Approval, ApprovalState
from app.access.row_verification import is_authentic
from app.access.second_person import is_still_allowed, require_second_person
from app.kernel.actors import Role
from app.kernel.problems import Facts, NotFound, Problem
from app.kernel.recall import may_have_rows
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


def lock_to_end(tx: WriteTransaction, approval_id: UUID) -> Approval:
    """Lock and return an approval that the caller wants to end, or raise NotFound (404).

    The error is raised also if the approval was altered outside the service. Its digest is
    then removed, because its row would be usable again once it is restored: commit the
    transaction, although the request fails.
    """
    approval = access_queries.lock_approval(tx, approval_id)
    for account_id in sorted({approval.asked_by, tx.actor.account_id}):
        drop_unmatched_approvals(tx.session, account_id, [approval])
    return require_authentic(tx, approval)


def require_authentic(tx: ReadTransaction, approval: Approval) -> Approval:
    """Return an approval, or raise NotFound (404) if it was altered outside the service."""
    if not is_authentic(tx.session, approval):
        raise NotFound("There is no such approval.")
    return approval


def decide_approval(tx: WriteTransaction, approval_id: UUID, *, approve: bool) -> Approval:
    """Approve or refuse a request as the second person.

    A repeated answer changes nothing. The account that approved may still refuse until the
    approval is used or expires. Raises NotFound (`lock_to_end` describes what to do then),
    NotASecondPerson, ApprovalDecided, RoleMissing or NotAuthentic.
    """
    lock = access_queries.lock_approval if approve else lock_to_end
    approval = lock(tx, approval_id)
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
    if approve:
        require_authentic(tx, approval)
    else:
        approval.delete_request()
    approval.decision = answer
    approval.decided_by, approval.decided_at = tx.actor.account_id, tx.now
    record_event(tx, approval, "approval.decided", {"decision": answer})
    return approval


UNSPENT_OF_CASE: Final = select(Approval.id, Approval.asked_by).where(
    Approval.case_id == bindparam("case"), Approval.decision.in_(access_queries.UNSPENT)
)
UNSPENT_ABOUT: Final = UNSPENT_OF_CASE.where(Approval.subject == bindparam("about"))
NOT_SPARED: Final = Approval.focal_point_id.not_in(make_list_parameter("sparing"))
UNSPENT_OF_OTHERS: Final = UNSPENT_OF_CASE.where(NOT_SPARED)


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
    the approvals. Their digests are removed, so that a row that is restored is unusable.
    """
    if not may_have_rows(tx, Approval, case_id, lambda one: one.case_id == case_id):
        return []
    if subject is None:
        given = {"case": case_id, "sparing": list(except_offices)}
        found = tx.read_columns(UNSPENT_OF_OTHERS, given).all()
    else:
        found = tx.read_columns(UNSPENT_ABOUT, {"case": case_id, "about": subject}).all()
    if not found:
        return []
    ids, asked_by = ({row[column] for row in found} for column in (0, 1))
    expired = access_queries.lock_approvals(tx, ids, asked_by)
    end_unspent(tx, expired)
    return [one.id for one in expired]


def end_unspent(tx: WriteTransaction, approvals: Sequence[Approval]) -> None:
    """Expire locked approvals that are not used yet, and remove their digests.

    `lapses_at` is set to the earlier one of the times of the transaction and this machine,
    because an approval has a digest until then.
    """
    if not tx.runtime.row_macs.is_disabled:
        drop_altered(tx.session, approvals)
    for approval in approvals:
        approval.end(ApprovalState.EXPIRED)
        approval.lapses_at = min(approval.lapses_at, tx.now, tx.runtime.clock())


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


def expire_unspent(
    tx: WriteTransaction, account: Account, *, asked: bool = True, about: bool = True
) -> list[UUID]:
    """Expire the unused approvals that an account gave, and return their ids.

    If `asked`, approvals that it requested expire too, and if `about`, those about it. An
    approval must not be used after the account that gave it was disabled, and must not
    restore rights that were revoked after it was given. The transaction must act for the
    service (`lock_wanted`).
    """

    def is_wanted(approval: Approval) -> bool:
        linked = (
            approval.decided_by == account.id
            or (asked and approval.asked_by == account.id)
            or (about and approval.subject == account.reference)
        )
        unspent = approval.decision in access_queries.UNSPENT
        return linked and unspent and approval.lapses_at > tx.now

    expired = lock_wanted(tx, is_wanted)
    end_unspent(tx, expired)
    for approval in expired:
        record_event(tx, approval, "approval.expired", {})
    return [approval.id for approval in expired]
