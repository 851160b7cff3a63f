"""Routes for handovers: offer the lead of a case, and answer or cancel an offer."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic.json_schema import SkipJsonSchema

from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    CaseCode,
    IfMatch,
    IfNoneMatch,
    Once,
    ReadCases,
    WriteCases,
)
from app.api.http.problems import KEYED, NOT_FOUND, VERSIONED, Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import HANDOVER
from app.api.read_receipts import show_record
from app.cases import queries as case_queries
from app.cases.models import Party
from app.casework import case_files
from app.directory.queries import FocalPointUnknown
from app.handovers import actions as handover_actions
from app.handovers import queries as handover_queries
from app.handovers.actions import HandoverOpen, PendingStep, SuccessorUnfit
from app.handovers.lifecycle import Action, State
from app.handovers.models import Handover
from app.handovers.needs import Terms
from app.handovers.schemas import (
    AcceptHandover,
    CancelHandover,
    DeclineHandover,
    HandoverInput,
    HandoverOut,
    HandoverPage,
)
from app.handovers.situation import show
from app.kernel.actors import Side
from app.kernel.codes import CaseCodeText
from app.kernel.idempotency import IdempotencyKeyMissing, KeyedRequest
from app.kernel.lifecycle import ActionNotYours, RoleMissing
from app.kernel.paging import CursorUnknown, PageQuery, load_page
from app.kernel.problems import NotFound
from app.kernel.requirements import NeedsUnmet
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.versions import SeenVersions

router = ResourceRouter("handovers")

type Command = tuple[UUID, Action, SeenVersions, Terms]
type Apply = Callable[[WriteTransaction, PendingStep], Handover]

NO_LONGER_YOURS: Answers = {
    204: {"description": "Done. You are no longer a party of the handover."}
}


@router.serve_action(
    "/cases/{code}/handovers",
    HandoverOut,
    NotFound,
    IdempotencyKeyMissing,
    *KEYED,
    FocalPointUnknown,
    SuccessorUnfit,
    ActionNotYours,
    RoleMissing,
    HandoverOpen,
    NeedsUnmet,
    status=201,
)
def offer_handover(
    begin: WriteCases, code: CaseCode, key: Once, new: HandoverInput
) -> Response:
    """Offer the lead of a case to another focal point, as the current lead.

    A case can have only one open offer. You keep the lead until the offer is accepted.
    Until then the other office can read the summary and, if a consent covers it, the
    section `needs`. If no response arrives, repeat the request with the same
    Idempotency-Key.
    """

    def apply(tx: WriteTransaction) -> Handover:
        return handover_actions.offer(tx, case_queries.lock(tx, code), new)

    return HANDOVER.create_once(begin, key, apply)


class HandoverQuery(PageQuery):
    """The cursor and the filters of the list of handovers."""

    side: (
        Literal[Side.LEAD, Side.HANDOVER_CANDIDATE, Side.FORMER_LEAD] | SkipJsonSchema[None]
    ) = None
    state: State | SkipJsonSchema[None] = None
    case: CaseCodeText | SkipJsonSchema[None] = None


@router.get(
    "/handovers", response_model=HandoverPage, responses=list_problems(CursorUnknown)
)
def list_handovers(
    begin: ReadCases,
    query: Annotated[HandoverQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the handovers to or from your office, and those of the cases that you lead."""
    with begin() as tx:
        return render(load_handovers(tx, query), if_none_match=if_none_match)


def load_handovers(tx: ReadTransaction, query: HandoverQuery) -> HandoverPage:
    """Return a page of the caller's handovers."""
    statement = handover_queries.list_own(tx, query.side, query.state, query.case)
    keys = (Party.number, Handover.number)
    rows, after = load_page(tx, statement, keys, query, name="handovers")
    found = case_files.load_authentic(tx, [handover for handover, *_ in rows])
    return HandoverPage(items=show(tx, found), next=after)


@router.get("/handovers/{handover_id}", response_model=HandoverOut, responses=NOT_FOUND)
def get_handover(
    begin: ReadCases, handover_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one handover: the state and the actions that you can take."""
    return show_record(
        begin, lambda tx: handover_queries.get(tx, handover_id), show, if_none_match
    )


def run_step(
    begin: WriteCases, key: KeyedRequest, command: Command, apply: Apply
) -> Response:
    """Check that the action is allowed, then apply it once for each idempotency key."""
    return HANDOVER.run_once(
        begin, key, lambda tx: apply(tx, handover_actions.lock_and_check(tx, *command))
    )


@router.serve_action(
    "/handovers/{handover_id}/accept", HandoverOut, *VERSIONED, SuccessorUnfit
)
def accept_handover(
    begin: WriteCases, handover_id: UUID, seen: IfMatch, key: Once, body: AcceptHandover
) -> Response:
    """Accept the lead and name two people who can be reached. Their names are sealed.

    Without `contacts`, the default contacts of your office are used. The requirements of
    the offer are checked again. In one transaction, you become the lead, the open referrals
    become yours, and the deadlines of the lead start.
    """
    return HANDOVER.run_once(
        begin, key, lambda tx: handover_actions.accept(tx, handover_id, seen, body)
    )


@router.serve_action(
    "/handovers/{handover_id}/decline", HandoverOut, *VERSIONED, answers=NO_LONGER_YOURS
)
def decline_handover(
    begin: WriteCases, handover_id: UUID, seen: IfMatch, key: Once, body: DeclineHandover
) -> Response:
    """Decline the lead with a reason. The office that offered the lead keeps it.

    You are then no longer a party of the handover, so the response is 204 (No Content).
    """
    command = (handover_id, Action.DECLINE, seen, Terms(reason=body.reason))
    return run_step(begin, key, command, partial(handover_actions.decline, why=body))


@router.serve_action("/handovers/{handover_id}/cancel", HandoverOut, *VERSIONED)
def cancel_handover(
    begin: WriteCases, handover_id: UUID, seen: IfMatch, key: Once, body: CancelHandover
) -> Response:
    """Cancel an offer of the lead. The office that was asked loses access at once."""
    command = (handover_id, Action.CANCEL, seen, Terms())
    return run_step(begin, key, command, partial(handover_actions.cancel, note=body.note))
