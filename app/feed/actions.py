"""Keeping that something was retrieved: short transactions of their own.

They lock no case, raise no version and tell nobody: reading must not make others stale.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import func, insert, select

from app.feed.models import Sighting
from app.feed.queries import was_seen
from app.kernel.db import try_hold
from app.kernel.journal import Retrieval
from app.kernel.recall import change
from app.kernel.work import Writing

SIGHTED: Final = insert(Sighting)


def keep_retrieval(work: Writing, upto: int) -> None:
    """Keep that the cursor passed a position; whoever keeps it at this moment is enough."""
    mine = work.actor.focal_point_id
    if not try_hold(work.session, f"retrieval {mine}"):
        return
    newest = select(func.max(Retrieval.upto)).where(Retrieval.focal_point_id == mine)
    if upto > (work.session.scalar(newest) or 0):
        row = Retrieval(focal_point_id=mine, upto=upto, at=work.now)
        work.session.add(row)


def keep_sighting(work: Writing, record_id: UUID) -> None:
    """Keep when a focal point first read a record by itself."""
    mine = work.actor.focal_point_id
    if not try_hold(work.session, f"sighting {mine} {record_id}"):
        return
    if not was_seen(work, record_id):
        row = {"record_id": record_id, "focal_point_id": mine, "at": work.now}
        change(work.session, SIGHTED, row)
