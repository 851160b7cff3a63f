"""Routes for approvals: actions that wait until a second person confirms them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from fastapi import Response

from app.access import actions as access_actions
from app.access import queries as access_queries
from app.access.models import Approval
from app.administration.schemas import AccountReference
from app.api.http.conditional_requests import render
from app.api.http.dependencies import Approve, IfNoneMatch, Paging, ReadApprovals
from app.api.http.problems import NOT_FOUND, Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.cases import approvals
from app.casework.schemas import ApprovalOut, ApprovalPage
from app.directory import queries as directory_queries
from app.kernel.lifecycle import RoleMissing
from app.kernel.paging import CursorUnknown, load_page
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("approvals", "/approvals")
ASKED: Answers = {202: {"model": ApprovalOut, "description": "A second person was asked."}}
DECIDE = (
    NotFound,
    access_actions.NotASecondPerson,
    access_actions.ApprovalDecided,
    RoleMissing,
)


def build_approvals(
    tx: ReadTransaction, approvals: Iterable[Approval]
) -> list[ApprovalOut]:
    """Return approvals as the caller may see them."""
    found = list(approvals)
    labels = get_account_labels(tx, [one.asked_by for one in found if one.case_id is None])
    return [build_approval(tx, one, labels) for one in found]


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
    tx: ReadTransaction, approval: Approval, labels: Mapping[UUID, AccountReference]
) -> ApprovalOut:
    """Return one approval. For a case, the account that asked for approval is omitted."""
    return ApprovalOut(
        id=approval.id,
        action=approval.action,
        subject=approval.subject,
        facts=approval.facts,
        decision=approval.decision,
        asked_by_you=approval.asked_by == tx.actor.account_id,
        asked_by=None if approval.case_id else labels[approval.asked_by],
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
    begin: ReadApprovals, query: Paging, if_none_match: IfNoneMatch = None
) -> Response:
    """List the approvals that your focal point can decide, and those that you asked for.

    An approval that you gave is listed until it is used. To take it back, refuse it.
    """
    with begin() as tx:
        statement = access_queries.select_approvals(tx)
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


@router.serve_action("/{approval_id}/approve", ApprovalOut, *DECIDE)
def approve_approval(begin: Approve, approval_id: UUID) -> Response:
    """Approve an action that another person asked for."""
    with begin() as tx:
        return show_approval(tx, approvals.decide_approval(tx, approval_id, approve=True))


@router.serve_action("/{approval_id}/refuse", ApprovalOut, *DECIDE)
def refuse_approval(begin: Approve, approval_id: UUID) -> Response:
    """Refuse an action. The person who asked for it can ask again.

    You can also refuse an action that you approved before, until the approval is used.
    """
    with begin() as tx:
        return show_approval(tx, approvals.decide_approval(tx, approval_id, approve=False))
