"""Where a poller stands, entries as they lie in its mailbox, and its worklist."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, cast
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, func, select
from sqlalchemy.orm import Session

from app.deadlines import queries as deadlines
from app.deadlines.models import Clock
from app.directory.kinds import Kind
from app.directory.models import FocalPoint
from app.feed.cursors import Feed
from app.feed.models import Sighting
from app.feed.schemas import Worklist, WorkOut
from app.kernel.journal import Delivery, Entry, Epoch, Mailbox, Retrieval
from app.kernel.paging import PageQuery, paginate
from app.kernel.statements import columns
from app.kernel.work import Reading
from app.returns import arrivals


@dataclass(frozen=True)
class Mark:
    """Where a poller stands, and how far its mailbox and its retrievals have come."""

    feed: Feed
    start: int
    head: int
    retrieved: int

    @property
    def tag(self) -> str:
        """Return the entity tag: nothing changes for a poller until the head does."""
        return self.feed.format_tag(self.start, self.head)

    def cursor(self, position: int) -> str:
        """Return the cursor of a position of this feed."""
        return self.feed.format_cursor(position)

    @property
    def advances(self) -> bool:
        """Whether this poll says that more was retrieved than was known."""
        return self.start > self.retrieved


ME: Final[BindParameter[UUID]] = bindparam("me")
STANDS: Final = (
    select(Epoch.value, Mailbox.head)
    .add_columns(
        select(func.max(Retrieval.upto))
        .where(Retrieval.focal_point_id == ME)
        .scalar_subquery()
    )
    .join(Mailbox, Mailbox.focal_point_id == ME)
)


def look(work: Reading, query: PageQuery) -> Mark:
    """Find where a poller stands.

    Raises CursorUnknown (422), or CursorGone (410) after a backup was restored.
    """
    mine = work.actor.focal_point_id
    epoch, head, retrieved = columns(work.session, STANDS, {"me": mine}).one()
    feed = Feed(work.vault, mine, epoch)
    start = feed.read_cursor(query.after, head) if query.after else 0
    return Mark(feed, start, head, retrieved or 0)


def heads(session: Session, readers: AbstractSet[UUID]) -> dict[UUID, int]:
    """Say how far the mailboxes of some focal points have come."""
    theirs = Mailbox.focal_point_id.in_(readers)
    found = select(Mailbox.focal_point_id, Mailbox.head).where(theirs)
    return {reader: head for reader, head in session.execute(found)}  # noqa: C416 - rows


def retrieved(session: Session) -> dict[UUID, tuple[int, int]]:
    """Say of each mailbox how far it was retrieved, and how far it has come."""
    upto = func.max(Retrieval.upto)
    rows = select(Mailbox.focal_point_id, upto, Mailbox.head).join(
        Retrieval, Retrieval.focal_point_id == Mailbox.focal_point_id
    )
    found = session.execute(rows.group_by(Mailbox.focal_point_id, Mailbox.head))
    return {reader: (got, head) for reader, got, head in found}


def last_entry(session: Session, *, but: str) -> datetime | None:
    """Say when something was last recorded, but for one kind of event."""
    return session.scalar(select(func.max(Entry.at)).where(Entry.type != but))


def reach(work: Reading, reader: UUID) -> tuple[Feed, int]:
    """Return the feed of a focal point, and its last position."""
    asked = select(Epoch.value, Mailbox.head).join(
        Mailbox, Mailbox.focal_point_id == reader
    )
    epoch, head = work.session.execute(asked).one()
    return Feed(work.vault, reader, epoch), head


class Delivered(Protocol):
    """A row of what was delivered: an entry, by which office, and its place in the feed."""

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


WHAT: Final = (
    *(Entry.id, Entry.at, Entry.type, Entry.case_id, Entry.record_id, Entry.reference),
    *(Entry.focal_point_id, Entry.facts),
)
OFFICE: Final = (
    *(FocalPoint.code, FocalPoint.kind, FocalPoint.of_state, FocalPoint.serves),
)
ENTRIES: Final[Select[*tuple[Any, ...]]] = (
    select(*WHAT, *OFFICE, Delivery.position)
    .select_from(Delivery)
    .join(Entry, Entry.id == Delivery.entry_id)
    .outerjoin(FocalPoint, FocalPoint.id == Entry.focal_point_id)
)
FRESH: Final = (
    ENTRIES.where(Delivery.focal_point_id == ME, Delivery.position > bindparam("start"))
    .order_by(Delivery.position)
    .limit(bindparam("most"))
)


def entries(work: Reading) -> Select[*tuple[Any, ...]]:
    """Select what was delivered to this focal point: each is `Delivered`."""
    return ENTRIES.where(Delivery.focal_point_id == work.actor.focal_point_id)


def fresh(work: Reading, mark: Mark, limit: int) -> Sequence[Delivered]:
    """Find what comes after a mark, in the order of commits."""
    mine = {"me": work.actor.focal_point_id, "start": mark.start, "most": limit}
    return cast("Sequence[Delivered]", columns(work.session, FRESH, mine).all())


def worklist(work: Reading, query: PageQuery) -> Worklist:
    """List what waits for this focal point, most urgent first. Raises CursorUnknown.

    The clock of a person who travels is stored with another time than it is due: its true
    time comes from the sealed travel plan.
    """
    keys = (Clock.due_at, Clock.number)
    statement = deadlines.waiting(work, Clock.reference, Clock.kind, Clock.set_at, *keys)
    if beside := arrivals.list_waiting(work):
        statement = statement.where(Clock.number.not_in([one.number for one in beside]))
    rows, after, more = paginate(
        work, statement, keys, query, name="worklist", beside=beside
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


SEEN: Final = select(Sighting.at).where(
    Sighting.record_id == bindparam("record"), Sighting.focal_point_id == ME
)


def was_seen(work: Reading, record_id: UUID) -> bool:
    """Say whether this focal point has read a record by itself before."""
    mine = {"record": record_id, "me": work.actor.focal_point_id}
    return columns(work.session, SEEN, mine).first() is not None
