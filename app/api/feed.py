"""The worklist, the history of a case, and the evidence."""

from uuid import UUID

from fastapi import Response

from app.api.conditional import answer
from app.api.deps import CaseCode, IfNoneMatch, Paging, ReadCases, ReadFeed, ReadReferrals
from app.api.nouns import Noun
from app.api.problems import problems
from app.cases import queries as cases
from app.feed import evidence, queries, situation
from app.feed.schemas import Evidence, HistoryPage, Worklist
from app.handovers import queries as handovers
from app.kernel.paging import CursorUnknown
from app.kernel.problems import NotFound
from app.referrals import queries as referrals

router = Noun("feed")


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
