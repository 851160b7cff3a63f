"""Queries of a feed: the client's position, the entries after it, and the worklist."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, cast
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, func, select
from sqlalchemy.orm import Session

from app.deadlines import queries as deadline_queries
from app.deadlines.models import Clock
from app.directory.kinds import Kind
from app.directory.models import FocalPoint
from app.feed.cursors import Feed
from app.feed.models import Sighting
from app.feed.schemas import Worklist, WorkOut
from app.kernel.journal import Delivery, Entry, Epoch, Mailbox, Retrieval
from app.kernel.paging import PageQuery, load_page
from app.kernel.statements import read_columns
from app.kernel.transactions import ReadTransaction
from app.returns import arrivals


@dataclass(frozen=True)
class FeedPosition:
    """The position of a client in its feed, with the head and the last retrieval."""

    feed: Feed
    start: int
    head: int
    retrieved: int

    @property
    def tag(self) -> str:
        """The entity tag of the page, which changes when the head changes."""
        return self.feed.format_tag(self.start, self.head)

    def format_cursor(self, position: int) -> str:
        """Return the cursor of a position of this feed."""
        return self.feed.format_cursor(position)

    @property
    def advances(self) -> bool:
        """Whether the cursor is beyond the last recorded retrieval."""
        return self.start > self.retrieved


ME: Final[BindParameter[UUID]] = bindparam("me")
FIND_MARK: Final = (
    select(Epoch.value, Mailbox.head)
    .add_columns(
        select(func.max(Retrieval.upto))
        .where(Retrieval.focal_point_id == ME)
        .scalar_subquery()
    )
    .join(Mailbox, Mailbox.focal_point_id == ME)
)


def get_position(tx: ReadTransaction, query: PageQuery) -> FeedPosition:
    """Return the client's position in its feed.

    Raises CursorUnknown (422), or CursorGone (410) after a backup was restored.
    """
    office = tx.actor.focal_point_id
    epoch, head, retrieved = read_columns(tx.session, FIND_MARK, {"me": office}).one()
    feed = Feed(tx.vault, office, epoch)
    start = feed.read_cursor(query.after, head) if query.after else 0
    return FeedPosition(feed, start, head, retrieved or 0)


def get_heads(session: Session, readers: AbstractSet[UUID]) -> dict[UUID, int]:
    """Return the head of the mailbox of each of these focal points."""
    of_readers = Mailbox.focal_point_id.in_(readers)
    found = select(Mailbox.focal_point_id, Mailbox.head).where(of_readers)
    return {reader: head for reader, head in session.execute(found)}  # noqa: C416 - rows


def get_retrieved(session: Session) -> dict[UUID, tuple[int, int]]:
    """Return the last retrieved position and the head of each mailbox."""
    upto = func.max(Retrieval.upto)
    rows = select(Mailbox.focal_point_id, upto, Mailbox.head).join(
        Retrieval, Retrieval.focal_point_id == Mailbox.focal_point_id
    )
    found = session.execute(rows.group_by(Mailbox.focal_point_id, Mailbox.head))
    return {reader: (got, head) for reader, got, head in found}


def get_last_entry_time(session: Session, *, but: str) -> datetime | None:
    """Return the time of the last entry of any type other than `but`."""
    return session.scalar(select(func.max(Entry.at)).where(Entry.type != but))


def get_feed(tx: ReadTransaction, reader: UUID) -> tuple[Feed, int]:
    """Return the feed of a focal point and its last position."""
    statement = select(Epoch.value, Mailbox.head).join(
        Mailbox, Mailbox.focal_point_id == reader
    )
    epoch, head = tx.session.execute(statement).one()
    return Feed(tx.vault, reader, epoch), head


class Delivered(Protocol):
    """A row of `ENTRIES`: an entry, its author, and its position in the feed."""

    id: UUID
    at: datetime
    type: str
    case_id: UUID
    record_id: UUID
    reference: str
    focal_point_id: UUID | None
    facts: dict[str, Any]
    code: str | None
    kind: Kind
    of_state: str | None
    serves: list[str]
    position: int


ENTRY: Final = (
    Entry.id,
    Entry.at,
    Entry.type,
    Entry.case_id,
    Entry.record_id,
    Entry.reference,
    Entry.focal_point_id,
    Entry.facts,
)
OFFICE: Final = (FocalPoint.code, FocalPoint.kind, FocalPoint.of_state, FocalPoint.serves)
ENTRIES: Final[Select[*tuple[Any, ...]]] = (
    select(*ENTRY, *OFFICE, Delivery.position)
    .select_from(Delivery)
    .join(Entry, Entry.id == Delivery.entry_id)
    .outerjoin(FocalPoint, FocalPoint.id == Entry.focal_point_id)
)
LIST_NEW: Final = (
    ENTRIES.where(Delivery.focal_point_id == ME, Delivery.position > bindparam("start"))
    .order_by(Delivery.position)
    .limit(bindparam("most"))
)


def select_entries(tx: ReadTransaction) -> Select[*tuple[Any, ...]]:
    """Select the entries delivered to this focal point; each row is a `Delivered`."""
    return ENTRIES.where(Delivery.focal_point_id == tx.actor.focal_point_id)


def list_new(tx: ReadTransaction, mark: FeedPosition, limit: int) -> Sequence[Delivered]:
    """List the entries after a position, in the order of commits."""
    query = {"me": tx.actor.focal_point_id, "start": mark.start, "most": limit}
    return cast("Sequence[Delivered]", read_columns(tx.session, LIST_NEW, query).all())


def list_worklist(tx: ReadTransaction, query: PageQuery) -> Worklist:
    """List the tasks of this focal point, most urgent first. Raises CursorUnknown (422).

    The deadline of a traveller's arrival is stored with a placeholder time; the real time
    comes from the sealed travel plan.
    """
    keys = (Clock.due_at, Clock.number)
    statement = deadline_queries.select_waiting(
        tx, Clock.reference, Clock.kind, Clock.set_at, *keys
    )
    if extra_rows := arrivals.list_waiting(tx):
        statement = statement.where(Clock.number.not_in([row.number for row in extra_rows]))
    rows, after, more = load_page(
        tx, statement, keys, query, name="worklist", extra_rows=extra_rows
    )
    items = [
        WorkOut(
            subject=row.reference,
            kind=row.kind,
            due_at=row.due_at,
            waiting_since=row.set_at,
        )
        for row in rows
    ]
    return Worklist(items=items, next=after, more=more)


FIND_SIGHTING: Final = select(Sighting.at).where(
    Sighting.record_id == bindparam("record"), Sighting.focal_point_id == ME
)


def was_seen(tx: ReadTransaction, record_id: UUID) -> bool:
    """Return whether this focal point has already read a record itself."""
    query = {"record": record_id, "me": tx.actor.focal_point_id}
    return read_columns(tx.session, FIND_SIGHTING, query).first() is not None
