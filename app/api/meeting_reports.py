"""The route for the report for a meeting."""

from typing import Annotated

from fastapi import Query, Response

from app.api.http.conditional_requests import render
from app.api.http.dependencies import IfNoneMatch, ReadStatistics
from app.api.http.problems import list_problems
from app.api.http.routers import ResourceRouter
from app.figures import release_queries, report_queries
from app.figures.meeting_report import ReportPeriodInvalid
from app.figures.report_queries import DeskUnknown
from app.figures.report_schemas import MeetingReport, ReportQuery
from app.kernel.lifecycle import RoleMissing

router = ResourceRouter("figures", "/figures")


@router.get(
    "/report",
    response_model=MeetingReport,
    responses=list_problems(RoleMissing, ReportPeriodInvalid, DeskUnknown),
)
def get_meeting_report(
    begin: ReadStatistics,
    query: Annotated[ReportQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read the progress and the challenges between two periods, for a meeting.

    Analysts and oversight may read it. It contains released figures, follow-up points and
    gaps in the directory, so it may be passed on. A sum counts only numbers that are shown.
    `change` says whether a difference is larger than noise and rounding can explain.
    """
    with begin() as tx:
        release_queries.require_reader(tx)
        return render(report_queries.build_report(tx, query), if_none_match=if_none_match)
