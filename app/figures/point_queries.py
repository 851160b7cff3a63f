"""Queries for the follow-up points of meetings."""

from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select

from app.access.models import Account
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind
from app.figures import release_queries
from app.figures.point_models import MeetingPoint
from app.figures.point_schemas import MeetingPointOut
from app.kernel.actors import Role
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction
from app.kernel.vault import SealedDocument, Unopenable

WRITERS: Final = {
    OfficeKind.DESK: frozenset({Role.COORDINATOR, Role.SUPERVISOR}),
    OfficeKind.OVERSIGHT: frozenset({Role.PROTECTION_OFFICER, Role.SUPERVISOR}),
}
"""The roles that may write points, by the kind of their office."""
LISTED: Final = timedelta(days=730)
"""The time for which a point is listed after it was done."""


def is_writer(tx: ReadTransaction) -> bool:
    """Return whether the caller may write points and complete them."""
    office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    return bool(WRITERS.get(office.kind, frozenset()) & tx.actor.roles)


def require_writer(tx: ReadTransaction) -> None:
    """Raise RoleMissing (403) unless the caller may write points."""
    if not is_writer(tx):
        raise RoleMissing(
            "This needs the role coordinator or supervisor at a desk, or the role "
            "protection_officer or supervisor at oversight."
        )


def require_point_reader(tx: ReadTransaction) -> None:
    """Raise RoleMissing (403) unless the caller may read points."""
    if not is_writer(tx):
        release_queries.require_reader(tx)


def list_points(tx: ReadTransaction) -> list[MeetingPointOut]:
    """Return the open points by the day of their meeting, then the done points.

    The latest done points come first. Those done more than two years ago are left out.
    """
    is_listed = or_(
        MeetingPoint.completed_at.is_(None), MeetingPoint.completed_at > tx.now - LISTED
    )
    rows = tx.session.scalars(select(MeetingPoint).where(is_listed)).all()
    points = build_points(tx, *rows)
    still_open = [point for point in points if point.completed_at is None]
    done = [(point.completed_at, point) for point in points if point.completed_at]
    return [
        *sorted(still_open, key=lambda point: (point.meeting, point.written_at)),
        *(point for _, point in sorted(done, key=lambda one: one[0], reverse=True)),
    ]


def build_points(tx: ReadTransaction, *rows: MeetingPoint) -> list[MeetingPointOut]:
    """Return points with their texts and the offices that wrote them."""
    writers = select(Account.id, Account.focal_point_id).where(
        Account.id.in_({row.written_by for row in rows})
    )
    offices = dict(tx.session.execute(writers).all())
    codes = directory_queries.get_codes(tx, offices.values())
    return [
        MeetingPointOut(
            id=row.id,
            meeting=row.meeting,
            text=find_text(tx, row),
            focal_point=codes[offices[row.written_by]],
            written_at=row.written_at,
            completed_at=row.completed_at,
        )
        for row in rows
    ]


def find_text(tx: ReadTransaction, row: MeetingPoint) -> str | None:
    """Return the text of a point, or None if it cannot be opened."""
    document = SealedDocument(row.sealed, row.wrapped)
    with suppress(Unopenable):
        plain = tx.vault.open_alone(row.version, document, *list_bound_values(row))
        return plain.decode().rstrip()
    return None


def list_bound_values(row: MeetingPoint) -> tuple[str, ...]:
    """Return the values to which the encryption binds the text of a point."""
    return MeetingPoint.__tablename__, str(row.id), row.meeting.isoformat()


def get_point(tx: ReadTransaction, point_id: UUID) -> MeetingPoint:
    """Return a point, or raise NotFound (404)."""
    row = tx.session.get(MeetingPoint, point_id)
    if row is None:
        raise NotFound("There is no such point, or you may not see it.")
    return row


def count_open(tx: ReadTransaction) -> int:
    """Return the number of open points."""
    is_open = MeetingPoint.completed_at.is_(None)
    return tx.session.scalar(select(func.count()).where(is_open)) or 0
