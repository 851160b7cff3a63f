"""Actions on follow-up points of meetings: write, complete and delete (ADR 75)."""

from typing import Final
from uuid import UUID

from app.figures import point_queries
from app.figures.point_models import MeetingPoint
from app.figures.point_schemas import MeetingPointInput
from app.kernel.db import lock_name
from app.kernel.padding import compute_stepped_length
from app.kernel.problems import Problem
from app.kernel.transactions import WriteTransaction

MAX_OPEN: Final = 100
"""The maximum number of open points, so that a report stays readable."""


class TooManyMeetingPoints(Problem):
    """There are already 100 open points: complete or delete some first."""

    status = 409


def write_point(tx: WriteTransaction, new: MeetingPointInput) -> MeetingPoint:
    """Store a point, with its text sealed.

    Raises RoleMissing (403) or TooManyMeetingPoints (409).
    """
    point_queries.require_writer(tx)
    lock_name(tx.session, MeetingPoint.__tablename__)
    if point_queries.count_open(tx) >= MAX_OPEN:
        raise TooManyMeetingPoints("GET /v1/figures/meeting-points lists them.")
    row = MeetingPoint(
        id=tx.create_id(),
        meeting=new.meeting,
        written_by=tx.actor.account_id,
        written_at=tx.now,
    )
    plain = new.text.encode()
    padded = plain.ljust(compute_stepped_length(len(plain)))
    row.version, document = tx.vault.seal_alone(
        padded, *point_queries.list_bound_values(row)
    )
    row.sealed, row.wrapped = document
    tx.session.add(row)
    return row


def complete_point(tx: WriteTransaction, point_id: UUID) -> MeetingPoint:
    """Record that a point is done. A point that is done already stays as it is.

    Raises RoleMissing (403) or NotFound (404).
    """
    point_queries.require_writer(tx)
    row = point_queries.get_point(tx, point_id)
    if row.completed_at is None:
        row.completed_by, row.completed_at = tx.actor.account_id, tx.now
    return row


def delete_point(tx: WriteTransaction, point_id: UUID) -> None:
    """Delete a point, for example because its text names a person.

    If the point does not exist, nothing happens, so that a request can be repeated.

    Raises RoleMissing (403).
    """
    point_queries.require_writer(tx)
    row = tx.session.get(MeetingPoint, point_id)
    if row is not None:
        tx.session.delete(row)
