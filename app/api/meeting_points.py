"""Routes for the follow-up points of meetings."""

from typing import Final
from uuid import UUID

from fastapi import Response

from app.api.http.conditional_requests import render
from app.api.http.dependencies import Approve, IfNoneMatch, Once, ReadStatistics
from app.api.http.problems import list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import Headers, View
from app.figures import point_actions, point_queries
from app.figures.point_actions import TooManyMeetingPoints
from app.figures.point_models import MeetingPoint
from app.figures.point_schemas import (
    MeetingPointInput,
    MeetingPointList,
    MeetingPointOut,
)
from app.kernel.idempotency import IdempotencyKeyMissing
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("figures", "/figures/meeting-points")


def show_point(
    tx: ReadTransaction, row: MeetingPoint, status: int, headers: Headers
) -> Response:
    """Return the response that shows a point."""
    [shown] = point_queries.build_points(tx, row)
    return render(shown, status=status, headers=headers)


POINT: Final = View(point_queries.get_point, show_point)


@router.get("", response_model=MeetingPointList, responses=list_problems(RoleMissing))
def list_meeting_points(
    begin: ReadStatistics, if_none_match: IfNoneMatch = None
) -> Response:
    """List the follow-up points of meetings: the open ones, and those done in two years.

    Analysts and oversight may read them, and coordinators and supervisors of a desk.
    """
    with begin() as tx:
        point_queries.require_point_reader(tx)
        shown = MeetingPointList(items=point_queries.list_points(tx))
        return render(shown, if_none_match=if_none_match)


@router.post(
    "",
    status_code=201,
    response_model=MeetingPointOut,
    responses=list_problems(RoleMissing, IdempotencyKeyMissing, TooManyMeetingPoints),
)
def write_meeting_point(begin: Approve, key: Once, new: MeetingPointInput) -> Response:
    """Write a point that a meeting wants to have done.

    Coordinators and supervisors of a desk may write it, and protection officers and
    supervisors of oversight. Each later report contains it until it is done, and goes to
    people outside: never write about a person or a case.
    """
    return POINT.create_once(begin, key, lambda tx: point_actions.write_point(tx, new))


@router.post(
    "/{point_id}/complete",
    response_model=MeetingPointOut,
    responses=list_problems(RoleMissing, NotFound),
)
def complete_meeting_point(begin: Approve, key: Once, point_id: UUID) -> Response:
    """Record that a point is done, as one of those who may write points."""
    return POINT.run_once(begin, key, lambda tx: point_actions.complete_point(tx, point_id))


@router.delete("/{point_id}", status_code=204, responses=list_problems(RoleMissing))
def delete_meeting_point(begin: Approve, point_id: UUID) -> Response:
    """Delete a point, as one of those who may write points.

    Use it if the text names a person: its key is destroyed with it. Copies of earlier
    reports keep the text. A point that does not exist is no error.
    """
    with begin() as tx:
        point_actions.delete_point(tx, point_id)
        return Response(status_code=204)
