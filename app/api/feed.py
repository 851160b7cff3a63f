"""The change feed, the worklist, the history of a case, and the evidence."""

from uuid import UUID

from fastapi import APIRouter, Response, Security

from app.api.conditional import answer, has, not_modified
from app.api.deps import CaseCode, IfNoneMatch, Paging, ReadCases, ReadFeed, ReadReferrals
from app.api.guard import BEARER, Guarded
from app.api.problems import problems
from app.cases import queries as cases
from app.feed import actions, evidence, queries, situation
from app.feed.queries import CursorGone
from app.feed.schemas import EventPage, Evidence, HistoryPage, Worklist
from app.handovers import queries as handovers
from app.kernel.paging import CursorUnknown
from app.kernel.problems import NotFound
from app.kernel.work import writing
from app.referrals import queries as referrals

router = APIRouter(tags=["feed"], route_class=Guarded, dependencies=[Security(BEARER)])


@router.get(
    "/events", response_model=EventPage, responses=problems(CursorUnknown, CursorGone)
)
def list_events(
    begin: ReadFeed, query: Paging, if_none_match: IfNoneMatch = None
) -> Response:
    """Poll for what happened after the cursor, oldest first.

    Each event arrives at least once, in the order it was committed. Keep `next` together
    with what you did, and send it as `after`: that you passed an event is evidence that you
    retrieved it. After a 410, read from the start and compare.
    """
    with begin() as work:
        mark = queries.look(work, query)
        fresh = if_none_match is None or not has(if_none_match, mark.tag)
        page = situation.page(work, mark, query.limit) if fresh else None
    if mark.advances:
        with writing(work.ground, work.actor) as more:
            actions.keep_retrieval(more, mark.start)
    if page is None:
        return not_modified(mark.tag)
    body = page.model_dump_json().encode()
    return Response(body, headers={"ETag": mark.tag}, media_type="application/json")


@router.get("/worklist", response_model=Worklist, responses=problems(CursorUnknown))
def list_work(
    begin: ReadFeed, query: Paging, if_none_match: IfNoneMatch = None
) -> Response:
    """List what waits for your focal point, the most urgent clock first."""
    with begin() as work:
        return answer(queries.worklist(work, query), if_none_match=if_none_match)


@router.get(
    "/cases/{code}/history",
    response_model=HistoryPage,
    responses=problems(NotFound, CursorUnknown),
)
def list_history(
    begin: ReadCases, code: CaseCode, query: Paging, if_none_match: IfNoneMatch = None
) -> Response:
    """List what happened in a case, as far as your focal point was told.

    A former lead reads up to the handover. Who acted is left out where it is not yours to
    know; a submitter reads of a case that a lead has which steps were taken, and not why.
    """
    with begin() as work:
        page = situation.history(work, cases.recall(work, code), query)
        return answer(page, if_none_match=if_none_match)


@router.get("/cases/{code}/evidence", response_model=Evidence, responses=problems(NotFound))
def get_case_evidence(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """Read what became of the submission with each who was asked to lead."""
    with begin() as work:
        found = evidence.of_case(work, cases.get(work, code))
        return answer(found, if_none_match=if_none_match)


@router.get(
    "/referrals/{referral_id}/evidence",
    response_model=Evidence,
    responses=problems(NotFound),
)
def get_referral_evidence(
    begin: ReadReferrals, referral_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read what became of a referral."""
    with begin() as work:
        found = evidence.of_referral(work, referrals.get(work, referral_id))
        return answer(found, if_none_match=if_none_match)


@router.get(
    "/handovers/{handover_id}/evidence",
    response_model=Evidence,
    responses=problems(NotFound),
)
def get_handover_evidence(
    begin: ReadCases, handover_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read what became of an offer of the lead."""
    with begin() as work:
        found = evidence.of_handover(work, handovers.get(work, handover_id))
        return answer(found, if_none_match=if_none_match)
