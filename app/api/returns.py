"""Routes that open and read assisted voluntary returns and their travel plans."""

from typing import Final
from uuid import UUID

from fastapi import Response

from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    IfNoneMatch,
    Once,
    OpenSections,
    Purpose,
    ReadReferrals,
    WriteReferrals,
)
from app.api.http.problems import KEYED, NOT_FOUND
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import CREATED, build_party_view
from app.api.read_receipts import OPENED, show_opened
from app.disclosure import documents
from app.disclosure.schemas import OpenedTravelPlan
from app.kernel.idempotency import IdempotencyKeyMissing
from app.kernel.lifecycle import ActionIllegal, RoleMissing
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction
from app.returns import actions as return_actions
from app.returns import queries as return_queries
from app.returns.actions import NotAReturn, ReturnExists
from app.returns.models import Return
from app.returns.schemas import AnyReturn, ReturnOut
from app.returns.situation import has_side, show

router = ResourceRouter("returns")
OPEN = (
    NotFound,
    IdempotencyKeyMissing,
    *KEYED,
    ActionIllegal,
    RoleMissing,
    NotAReturn,
    ReturnExists,
)


def show_returns(tx: ReadTransaction, returns: list[Return]) -> list[AnyReturn]:
    """Return the records of returns as the caller may see them."""
    return [show(tx, record) for record in returns]


def has_part(tx: ReadTransaction, record: Return) -> bool:
    """Return whether the caller may still see the return and still takes part in it."""
    return return_queries.is_visible(tx, record.id) and has_side(tx, record)


RETURN: Final = build_party_view(return_queries.get, show_returns, has_part)


@router.serve_action("/referrals/{referral_id}/return", ReturnOut, *OPEN, status=CREATED)
def create_return(begin: WriteReferrals, referral_id: UUID, key: Once) -> Response:
    """Create a return for a referral, as its sender or recipient.

    The referral must be for the service `RETURN`, and accepted or in progress.
    """
    return RETURN.create_once(
        begin, key, lambda tx: return_actions.create_return(tx, referral_id)
    )


@router.get(
    "/referrals/{referral_id}/return", response_model=ReturnOut, responses=NOT_FOUND
)
def get_return_of_referral(
    begin: ReadReferrals, referral_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read the return that belongs to a referral."""
    with begin() as tx:
        shown = show(tx, return_queries.get_by_referral(tx, referral_id))
        return render(shown, version=shown.version, if_none_match=if_none_match)


@router.get("/returns/{return_id}", response_model=AnyReturn, responses=NOT_FOUND)
def get_return(
    begin: ReadReferrals, return_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one return: the state, the steps taken and the actions that you can take.

    An office of the State of origin that was asked only for travel documents sees only that
    task (BR12).
    """
    with begin() as tx:
        shown = show(tx, return_queries.get(tx, return_id))
        return render(shown, version=shown.version, if_none_match=if_none_match)


@router.get(
    "/returns/{return_id}/travel-plan", response_model=OpenedTravelPlan, responses=OPENED
)
def open_travel_plan(begin: OpenSections, return_id: UUID, purpose: Purpose) -> Response:
    """Open the travel plan of a return, as the sender or recipient of its referral.

    The plan says how the person travels and who meets them. The opening is recorded in
    the access log.
    """
    return show_opened(begin, lambda tx: documents.open_travel_plan(tx, return_id, purpose))
