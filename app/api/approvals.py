"""Routes for approvals, which are needed before some actions are carried out."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.access import approvals as access_approvals
from app.access import queries as access_queries
from app.access.kept_requests import KeptRequest
from app.access.models import Approval, ApprovalState
from app.access.second_person import NotASecondPerson, may_decide
from app.administration.schemas import AccountReference
from app.api.http.conditional_requests import render
from app.api.http.dependencies import Approve, BeginWrite, IfNoneMatch, ReadApprovals
from app.api.http.problems import NOT_FOUND, Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.cases import approvals
from app.casework import confirmations
from app.casework.approval_schemas import (
    ApprovalOut,
    ApprovalPage,
    ApprovalQuery,
    RequestedChange,
)
from app.casework.confirmations import ActionNotPossible, RequestNotKept
from app.directory import queries as directory_queries
from app.figures import release_actions
from app.figures.release_schemas import FigureReleaseInput
from app.kernel.lifecycle import RoleMissing
from app.kernel.paging import CursorUnknown, load_page
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, WriteTransaction

router = ResourceRouter("approvals", "/approvals")
ASKED: Answers = {202: {"model": ApprovalOut, "description": "A second person was asked."}}
OTHERS = {
    release_actions.ACTION: lambda tx, it, request: release_actions.release_figures(
        tx, FigureReleaseInput.model_validate(request.body), it.id
    )
}
"""Actions that a second person can confirm, in packages that `casework` cannot import."""
DECIDE = (
    NotFound,
    NotASecondPerson,
    access_approvals.ApprovalDecided,
    RoleMissing,
)


def build_approvals(
    tx: ReadTransaction, approvals: Iterable[Approval]
) -> list[ApprovalOut]:
    """Return approvals as the caller may see them."""
    found = list(approvals)
    labels = get_account_labels(tx, [one.asked_by for one in found])
    requests = confirmations.open_requests(
        tx, [one for one in found if may_see_request(tx, one)]
    )
    return [build_approval(tx, one, labels, requests) for one in found]


def may_see_request(tx: ReadTransaction, approval: Approval) -> bool:
    """Return whether an approval is open and the caller asked for it or may decide on it.

    An approval is open until it is used, refused or withdrawn, or until it expires.
    """
    if approval.decision not in access_queries.UNSPENT or approval.lapses_at <= tx.now:
        return False
    return approval.asked_by == tx.actor.account_id or may_decide(tx, approval)


def get_account_labels(
    tx: ReadTransaction, accounts: Iterable[UUID]
) -> dict[UUID, AccountReference]:
    """Return the label of each account, with the code of the account's focal point."""
    found = access_queries.get_labels(tx, accounts)
    codes = directory_queries.get_codes(tx, [of for of, _ in found.values()])
    return {
        account: AccountReference(focal_point=codes[of], account=label)
        for account, (of, label) in found.items()
    }


def build_approval(
    tx: ReadTransaction,
    approval: Approval,
    labels: Mapping[UUID, AccountReference],
    requests: Mapping[UUID, KeptRequest | None],
) -> ApprovalOut:
    """Return one approval. `requests` contains only requests that the caller may see."""
    is_shown, request = approval.id in requests, requests.get(approval.id)
    asked_by_you = approval.asked_by == tx.actor.account_id
    is_named = is_shown or asked_by_you or approval.case_id is None
    has_body = request is not None and request.body is not None
    may_take = approval.decision == ApprovalState.PENDING or (
        approval.decided_by == tx.actor.account_id
    )
    return ApprovalOut(
        id=approval.id,
        action=approval.action,
        subject=approval.subject,
        facts=approval.facts,
        request=RequestedChange.model_validate(request) if request else None,
        decision=approval.decision,
        may_confirm=has_body and may_take and not asked_by_you,
        asked_by_you=asked_by_you,
        asked_by=labels[approval.asked_by] if is_named else None,
        asked_at=approval.asked_at,
        expires_at=approval.lapses_at,
        roles=approval.roles,
    )


def show_approval(
    tx: ReadTransaction,
    approval: Approval | UUID,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the response that shows one approval."""
    if isinstance(approval, UUID):
        approval = access_queries.get_approval(tx, approval)
    [shown] = build_approvals(tx, [approval])
    return render(shown, status=status, headers=headers)


@router.get("", response_model=ApprovalPage, responses=list_problems(CursorUnknown))
def list_approvals(
    begin: ReadApprovals,
    query: Annotated[ApprovalQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the approvals that your focal point can decide, and those that you asked for.

    An approval that you gave is listed until it is used or expires. To take it back, refuse
    it. `state=pending` lists only the approvals that nobody has decided yet.
    """
    with begin() as tx:
        statement = access_queries.select_approvals(tx, query.state)
        keys = (Approval.number,)
        rows, after = load_page(tx, statement, keys, query, name="approvals")
        items = build_approvals(tx, [approval for approval, _ in rows])
        page = ApprovalPage(items=items, next=after)
        return render(page, if_none_match=if_none_match)


@router.get("/{approval_id}", response_model=ApprovalOut, responses=NOT_FOUND)
def get_approval(begin: ReadApprovals, approval_id: UUID) -> Response:
    """Read one approval and its decision."""
    with begin() as tx:
        return show_approval(tx, approval_id)


@router.serve_action(
    "/{approval_id}/confirm", ApprovalOut, *DECIDE, RequestNotKept, ActionNotPossible
)
def confirm_approval(begin: Approve, approval_id: UUID) -> Response:
    """Approve an action that another person asked for, and carry it out at once.

    The action is carried out exactly as it is shown in `request`, for the account that
    asked. All its conditions are checked again, including the version that this account had
    read. If a condition no longer holds, nothing changes, and the response names the type
    of the problem. Otherwise, `decision` is `used`: read the record in `subject`.
    """
    with begin() as tx:
        confirmed = confirmations.confirm_approval(tx, approval_id, OTHERS)
        return show_approval(tx, confirmed)


@router.serve_action("/{approval_id}/approve", ApprovalOut, *DECIDE)
def approve_approval(begin: Approve, approval_id: UUID) -> Response:
    """Approve an action, which the person who asked for it then carries out.

    Use `confirm` if `may_confirm` is true. The person who asked has to send the request
    again with `Approval: {id}`, for example to see the secret of a new key.
    """
    with begin() as tx:
        return show_approval(tx, approvals.decide_approval(tx, approval_id, approve=True))


def end_approval(
    begin: BeginWrite, end: Callable[[WriteTransaction, UUID], Approval], approval_id: UUID
) -> Response:
    """End an approval with the function `end`, and return the response that shows it.

    If `end` raises NotFound (404), the transaction is still committed, because it removes
    the digest of an approval that was altered outside the service.
    """
    with begin() as tx:
        try:
            approval = end(tx, approval_id)
        except NotFound as problem:
            missing = problem
        else:
            return show_approval(tx, approval)
    raise missing


@router.serve_action("/{approval_id}/refuse", ApprovalOut, *DECIDE)
def refuse_approval(begin: Approve, approval_id: UUID) -> Response:
    """Refuse an action. The person who asked for it can ask again.

    You can also refuse an action that you approved, until the approval is used or expires.
    """
    refuse = partial(approvals.decide_approval, approve=False)
    return end_approval(begin, refuse, approval_id)


@router.serve_action(
    "/{approval_id}/withdraw",
    ApprovalOut,
    NotFound,
    approvals.NotTheAsker,
    access_approvals.ApprovalDecided,
)
def withdraw_approval(begin: Approve, approval_id: UUID) -> Response:
    """Withdraw your own request before it is carried out, so that nobody can confirm it."""
    return end_approval(begin, approvals.withdraw_approval, approval_id)
