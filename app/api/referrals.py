"""Routes that create, list and read referrals, and open their sealed documents."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic.json_schema import SkipJsonSchema

from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    CaseCode,
    IfNoneMatch,
    Once,
    OpenSections,
    Purpose,
    ReadReferrals,
    WriteReferrals,
)
from app.api.http.problems import CREATION, NOT_FOUND, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import REFERRAL
from app.api.read_receipts import OPENED, show_opened, show_record
from app.cases import queries as case_queries
from app.cases.models import Party
from app.casework import case_files
from app.directory.queries import FocalPointUnknown
from app.disclosure import documents
from app.disclosure.schemas import NoteList, OpenedArrangement
from app.kernel.actors import Side
from app.kernel.codes import CaseCodeText
from app.kernel.paging import CursorUnknown, PageQuery, load_page
from app.kernel.requirements import NeedsUnmet
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.referrals import actions as referral_actions
from app.referrals import queries as referral_queries
from app.referrals import steps
from app.referrals.lifecycle import State
from app.referrals.models import Referral
from app.referrals.schemas import ReferralInput, ReferralOut, ReferralPage
from app.referrals.situation import show

router = ResourceRouter("referrals")


@router.serve_action(
    "/cases/{code}/referrals",
    ReferralOut,
    *CREATION,
    referral_actions.RecipientUnfit,
    FocalPointUnknown,
    NeedsUnmet,
    status=201,
)
def create_referral(
    begin: WriteReferrals, code: CaseCode, key: Once, new: ReferralInput
) -> Response:
    """Create a referral for one service, as the holder, and send it if `send` is true.

    A case can have several referrals at the same time. If no response arrives, repeat the
    request with the same Idempotency-Key.
    """

    def apply(tx: WriteTransaction) -> Referral:
        return steps.create_referral(tx, case_queries.lock(tx, code), new)

    return REFERRAL.create_once(begin, key, apply)


class ReferralQuery(PageQuery):
    """The cursor and the filters of the list of referrals."""

    side: Literal[Side.SENDER, Side.RECIPIENT] | SkipJsonSchema[None] = None
    state: State | SkipJsonSchema[None] = None
    case: CaseCodeText | SkipJsonSchema[None] = None


@router.get(
    "/referrals", response_model=ReferralPage, responses=list_problems(CursorUnknown)
)
def list_referrals(
    begin: ReadReferrals,
    query: Annotated[ReferralQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the referrals sent to you, and the referrals of the cases that you hold."""
    with begin() as tx:
        return render(load_referrals(tx, query), if_none_match=if_none_match)


def load_referrals(tx: ReadTransaction, query: ReferralQuery) -> ReferralPage:
    """Return a page of the caller's referrals."""
    statement = referral_queries.list_own(tx, query.side, query.state, query.case)
    keys = (Party.number, Referral.number)
    rows, after = load_page(tx, statement, keys, query, name="referrals")
    found = case_files.load_authentic(tx, [referral for referral, *_ in rows])
    return ReferralPage(items=show(tx, found), next=after)


@router.get("/referrals/{referral_id}", response_model=ReferralOut, responses=NOT_FOUND)
def get_referral(
    begin: ReadReferrals, referral_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one referral: the state and the actions that you can take."""
    return show_record(
        begin, lambda tx: referral_queries.get(tx, referral_id), show, if_none_match
    )


@router.get(
    "/referrals/{referral_id}/arrangement",
    response_model=OpenedArrangement,
    responses=OPENED,
)
def open_arrangement(begin: OpenSections, referral_id: UUID, purpose: Purpose) -> Response:
    """Open the arrangement of a referral. Only its sender and its recipient can do this.

    The arrangement is the place and time of the first meeting, and the contacts. A sender
    of the State of origin may never open it. A recipient of that State may open it only if
    the person permits contact with the State. The opening is recorded in the access log.
    """
    return show_opened(
        begin, lambda tx: documents.open_arrangement(tx, referral_id, purpose)
    )


@router.get("/referrals/{referral_id}/notes", response_model=NoteList, responses=OPENED)
def open_referral_notes(
    begin: OpenSections, referral_id: UUID, purpose: Purpose
) -> Response:
    """Open the notes on the actions of a referral, limited to those that you may read.

    A former lead can open the notes and answers that it wrote itself.
    """
    with begin() as tx:
        record = referral_queries.get_seen_or_led(tx, referral_id)
        opened = documents.open_notes(tx, record, purpose)
    return render(opened)
