"""Routes for the worklist, the history of a case and delivery evidence."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field

from app.api.http.conditional_requests import render, render_json
from app.api.http.dependencies import (
    CaseCode,
    IfNoneMatch,
    Paging,
    ReadCases,
    ReadFeed,
    ReadReferrals,
)
from app.api.http.problems import NOT_FOUND, list_problems
from app.api.http.routers import ResourceRouter
from app.cases import queries as case_queries
from app.feed import evidence, worklist
from app.feed import situation as feed_situation
from app.feed.schemas import Evidence, HistoryPage, WorkCounts, Worklist
from app.handovers import queries as handover_queries
from app.kernel.paging import CursorUnknown, PageQuery
from app.kernel.problems import NotFound
from app.referrals import queries as referral_queries

router = ResourceRouter("feed")
INCLUDE = (
    "`summary`: add the summary, the state and the sender of the case of each task, if you "
    "may read the case. This also needs the scope `cases:read`."
)


class WorkPart(StrEnum):
    """A part that `include` adds to a task."""

    SUMMARY = "summary"


class WorkQuery(PageQuery):
    """The cursor of the worklist, and the parts to add to each task."""

    include: Annotated[list[WorkPart], Field(max_length=1, description=INCLUDE)] = []


@router.get("/worklist", response_model=Worklist, responses=list_problems(CursorUnknown))
def list_work(
    begin: ReadFeed,
    query: Annotated[WorkQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the tasks of your focal point, with the most urgent deadline first.

    The list does not count as reading a case, with or without `include`.
    """
    with begin() as tx:
        with_cases = WorkPart.SUMMARY in query.include
        shown = worklist.render_worklist(tx, query, with_cases=with_cases)
        return render_json(shown, if_none_match=if_none_match)


@router.get("/worklist/counts", response_model=WorkCounts)
def get_work_counts(begin: ReadFeed, if_none_match: IfNoneMatch = None) -> Response:
    """Count the tasks, unanswered requests, sent cases and drafts of your focal point."""
    with begin() as tx:
        return render(worklist.count_work(tx), if_none_match=if_none_match)


@router.get(
    "/cases/{code}/history",
    response_model=HistoryPage,
    responses=list_problems(NotFound, CursorUnknown),
)
def list_history(
    begin: ReadCases, code: CaseCode, query: Paging, if_none_match: IfNoneMatch = None
) -> Response:
    """List the events of a case that were sent to your focal point.

    A former lead gets the events up to the transfer of the lead. The office that acted is
    left out if you must not learn its name. The submitter sees no reasons for a closure, or
    for actions after a lead took the case or the person crossed a border.
    """
    with begin() as tx:
        case = case_queries.get_seen_or_led(tx, code)
        page = feed_situation.load_history(tx, case, query)
        return render(page, if_none_match=if_none_match)


@router.get("/cases/{code}/evidence", response_model=Evidence, responses=NOT_FOUND)
def get_case_evidence(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """Read the delivery evidence of a case for each office that was asked to lead."""
    with begin() as tx:
        found = evidence.build_case_evidence(tx, case_queries.get(tx, code))
        return render(found, if_none_match=if_none_match)


@router.get(
    "/referrals/{referral_id}/evidence", response_model=Evidence, responses=NOT_FOUND
)
def get_referral_evidence(
    begin: ReadReferrals, referral_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read the delivery evidence of a referral.

    A former lead reads the evidence of its referrals up to the transfer of the lead.
    """
    with begin() as tx:
        referral = referral_queries.get_seen_or_led(tx, referral_id)
        found = evidence.build_referral_evidence(tx, referral)
        return render(found, if_none_match=if_none_match)


@router.get(
    "/handovers/{handover_id}/evidence", response_model=Evidence, responses=NOT_FOUND
)
def get_handover_evidence(
    begin: ReadCases, handover_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read the delivery evidence of a handover."""
    with begin() as tx:
        found = evidence.build_handover_evidence(tx, handover_queries.get(tx, handover_id))
        return render(found, if_none_match=if_none_match)
