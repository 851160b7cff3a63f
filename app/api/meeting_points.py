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
    """Return the response that shows a follow-up point."""
    [shown] = point_queries.build_points(tx, row)
    return render(shown, status=status, headers=headers)


POINT: Final = View(point_queries.get_point, show_point)


@router.get("", response_model=MeetingPointList, responses=list_problems(RoleMissing))
def list_meeting_points(
    begin: ReadStatistics, if_none_match: IfNoneMatch = None
) -> Response:
    """List the follow-up points that are open, or were completed in the last two years.

    Analysts and oversight may read them, and so may coordinators and supervisors of a desk.
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
    """Add a follow-up point of a meeting.

    Coordinators and supervisors of a desk may do this, and so may protection officers and
    supervisors of oversight. Later reports contain the point until it is completed. Reports
    go to people outside the service, so never write about a person or a case.
    """
    return POINT.create_once(begin, key, lambda tx: point_actions.write_point(tx, new))


@router.post(
    "/{point_id}/complete",
    response_model=MeetingPointOut,
    responses=list_problems(RoleMissing, NotFound),
)
def complete_meeting_point(begin: Approve, key: Once, point_id: UUID) -> Response:
    """Complete a follow-up point. The roles that may add a point may do this."""
    return POINT.run_once(begin, key, lambda tx: point_actions.complete_point(tx, point_id))


@router.delete("/{point_id}", status_code=204, responses=list_problems(RoleMissing))
def delete_meeting_point(begin: Approve, point_id: UUID) -> Response:
    """Delete a follow-up point. The roles that may add a point may do this.

    Do this if the text names a person: the key of the text is destroyed with the point.
    Copies of earlier reports keep the text. The point need not exist.
    """
    with begin() as tx:
        point_actions.delete_point(tx, point_id)
        return Response(status_code=204)
