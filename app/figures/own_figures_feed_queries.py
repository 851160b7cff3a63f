"""Feed positions of a period, and a function that runs queries for own figures."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, CursorResult, Select, bindparam, select

from app.kernel.journal import Delivery, Entry, Mailbox
from app.kernel.transactions import ReadTransaction

ME: Final[BindParameter[UUID]] = bindparam("me")
MARGIN: Final = timedelta(days=1)
"""The maximum time by which neighbouring entries of a feed can be out of order.

Positions follow the order of commits, but the clocks of two machines differ.
"""

HEAD: Final = select(Mailbox.head).where(Mailbox.focal_point_id == ME)
FIRST_FROM: Final = (
    select(Delivery.position, Entry.at)
    .join(Entry, Entry.id == Delivery.entry_id)
    .where(Delivery.focal_point_id == ME, Delivery.position >= bindparam("low"))
    .order_by(Delivery.position)
    .limit(1)
)


@dataclass(frozen=True)
class Span:
    """A period from `start` up to, but not including, `end`, and its feed positions."""

    start: datetime
    end: datetime
    low: int
    high: int


def find_span(tx: ReadTransaction, start: datetime, end: datetime) -> Span:
    """Find the positions of the caller's feed that may belong to a period."""
    low = find_position(tx, start - MARGIN, 1)
    return Span(start, end, low, find_position(tx, end + MARGIN, low))


def find_position(tx: ReadTransaction, moment: datetime, low: int) -> int:
    """Return the first position from `low` on that was recorded at `moment` or later.

    If there is none, return the position after the last entry. Entries have no index by
    time. A search by bisection needs at most one short query for each bit of the number of
    entries.
    """
    high = run_query(tx, HEAD).scalar_one() + 1
    while low < high:
        middle = (low + high) // 2
        found = run_query(tx, FIRST_FROM, low=middle).first()
        if found is None or found.at >= moment:
            high = middle
        else:
            low = found.position + 1
    return low


def run_query(
    tx: ReadTransaction,
    statement: Select[*tuple[Any, ...]],
    span: Span | None = None,
    **named: int | datetime,
) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement for the caller's office, and for a period if one is given."""
    values = {"me": tx.actor.focal_point_id, "now": tx.now, **named}
    return tx.read_columns(statement, values | (asdict(span) if span else {}))
