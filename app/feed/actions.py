"""Functions that record, each in a short transaction, that an office has read data.

They lock no case, increase no version and record no event, so that the versions that other
offices have read remain current.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import func, insert, select

from app.feed.models import Sighting
from app.feed.queries import was_seen
from app.kernel.db import claim_name
from app.kernel.journal import Retrieval
from app.kernel.recall import write_rows
from app.kernel.transactions import WriteTransaction

INSERT_SIGHTING: Final = insert(Sighting)


def record_retrieval(tx: WriteTransaction, upto: int) -> None:
    """Record that the cursor of the caller's office has passed a position in its feed.

    Does nothing if this or a later position is recorded already, or if another request of
    the office is recording a retrieval at the same time.
    """
    office = tx.actor.focal_point_id
    if not claim_name(tx.session, f"retrieval {office}"):
        return
    newest = select(func.max(Retrieval.upto)).where(Retrieval.focal_point_id == office)
    if upto > (tx.session.scalar(newest) or 0):
        tx.session.add(Retrieval(focal_point_id=office, upto=upto, at=tx.now))


def record_sighting(tx: WriteTransaction, record_id: UUID) -> None:
    """Record when the office first read a record; reading its events does not count."""
    office = tx.actor.focal_point_id
    if not claim_name(tx.session, f"sighting {office} {record_id}"):
        return
    if not was_seen(tx, record_id):
        row = {"record_id": record_id, "focal_point_id": office, "at": tx.now}
        write_rows(tx.session, INSERT_SIGHTING, row)
