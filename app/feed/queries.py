"""Queries for the feed of an office, its read records, and its unanswered requests."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Protocol, cast
from uuid import UUID

from sqlalchemy import BindParameter, Select, and_, bindparam, exists, func, select, true
from sqlalchemy.orm import Session, aliased

from app.access.credentials import QUERIES, CredentialQueries
from app.access.models import Account
from app.cases.unchecked_queries import select_limit
from app.deadlines.models import Clock
from app.directory.kinds import OfficeKind
from app.directory.models import FocalPoint
from app.feed.cursors import Feed
from app.feed.models import Sighting
from app.handovers.lifecycle import State as HandoverState
from app.handovers.models import Handover
from app.kernel.actors import Scope
from app.kernel.journal import Delivery, Entry, Epoch, Mailbox, Retrieval
from app.kernel.paging import PageQuery
from app.kernel.statements import read_text
from app.kernel.transactions import AuthenticatedRead, ReadTransaction
from app.referrals.lifecycle import ASKED, EVENTS, Action, State
from app.referrals.models import Referral
from app.referrals.queries import IS_VISIBLE


@dataclass(frozen=True)
class FeedPosition:
    """Positions in a feed: start of a page, newest entry, and last retrieved entry."""

    feed: Feed
    start: int
    head: int
    retrieved: int

    @cached_property
    def tag(self) -> str:
        """The entity tag of the page, which changes when the feed has a new entry."""
        return self.feed.format_tag(self.start, self.head)

    def format_cursor(self, position: int) -> str:
        """Return the cursor of a position of this feed."""
        return self.feed.format_cursor(position)

    @property
    def advances(self) -> bool:
        """Whether the page starts after the last retrieved position."""
        return self.start > self.retrieved


ME: Final[BindParameter[UUID]] = bindparam("me")
RETRIEVED: Final = (
    select(func.max(Retrieval.upto))
    .where(Retrieval.focal_point_id == Account.focal_point_id)
    .scalar_subquery()
    .label("retrieved")
)


def add_position(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Add the feed position of the caller's office to a query that finds a credential."""
    columns = query.add_columns(Epoch.value.label("epoch"), Mailbox.head, RETRIEVED)
    own_mailbox = columns.join(Mailbox, Mailbox.focal_point_id == Account.focal_point_id)
    return own_mailbox.join(Epoch, true())


CREDENTIAL_QUERIES: Final[CredentialQueries] = {
    kind: add_position(query) for kind, query in QUERIES.items()
}
"""The queries that authenticate a poll and also read the position of the feed."""


def get_position(tx: AuthenticatedRead, query: PageQuery) -> FeedPosition:
    """Return the position of the caller's cursor in the feed of the caller's office.

    The caller must have been authenticated with `CREDENTIAL_QUERIES`. Raises CursorUnknown
    (422) if the cursor is invalid, and CursorGone (410) if it was issued before a backup
    was restored.
    """
    row = tx.credential
    feed = Feed(tx.vault, tx.actor.focal_point_id, row.epoch)
    start = feed.read_cursor(query.after, row.head) if query.after else 0
    return FeedPosition(feed, start, row.head, row.retrieved or 0)


def get_heads(session: Session, readers: AbstractSet[UUID]) -> dict[UUID, int]:
    """Return the position of the newest event in each of these offices' feeds."""
    of_readers = Mailbox.focal_point_id.in_(readers)
    found = select(Mailbox.focal_point_id, Mailbox.head).where(of_readers)
    return {reader: head for reader, head in session.execute(found)}  # noqa: C416 - rows


def get_retrieved(session: Session) -> dict[UUID, tuple[int, int]]:
    """Return the last retrieved and newest positions of each retrieved feed, by office."""
    upto = func.max(Retrieval.upto)
    rows = select(Mailbox.focal_point_id, upto, Mailbox.head).join(
        Retrieval, Retrieval.focal_point_id == Mailbox.focal_point_id
    )
    found = session.execute(rows.group_by(Mailbox.focal_point_id, Mailbox.head))
    return {reader: (got, head) for reader, got, head in found}


def get_last_entry_time(session: Session, *, excluded_type: str) -> datetime | None:
    """Return the time of the newest journal entry, or None if there is no entry.

    Entries of the type `excluded_type` are ignored.
    """
    return session.scalar(select(func.max(Entry.at)).where(Entry.type != excluded_type))


def get_feed(tx: ReadTransaction, reader: UUID) -> tuple[Feed, int]:
    """Return the feed of a focal point and the newest position of the feed."""
    statement = select(Epoch.value, Mailbox.head)
    mailbox = statement.join(Mailbox, Mailbox.focal_point_id == reader)
    epoch, head = tx.session.execute(mailbox).one()
    return Feed(tx.vault, reader, epoch), head


class Delivered(Protocol):
    """A row of `ENTRIES`: a delivered entry, its author, its reader and the reader's limit.

    Ids are texts, because few of them are used, and creating a UUID takes longer than
    reading the row. The author is the office that caused the entry.
    """

    id: str
    at: datetime
    type: str
    reference: str
    facts: str
    case_id: str
    record_id: str
    is_recipient: bool
    author_id: str | None
    is_own: bool | None
    code: str | None
    kind: OfficeKind | None
    of_state: str | None
    serves: str | None
    reader_kind: OfficeKind
    reader_state: str | None
    limit: int
    position: int


WITH_REASON: Final = (Action.WITHDRAW, Action.REVOKE, Action.CONFIRM_DELETION)
HAS_REASON_FOR_RECIPIENT: Final = and_(
    Entry.type.in_([EVENTS[action] for action in WITH_REASON]),
    exists().where(Referral.id == Entry.record_id, Referral.recipient_id == ME),
)
"""A condition for entries with the reason for which a referral to the office ended."""
READER: Final = aliased(FocalPoint)
ENTRY: Final = (
    read_text(Entry.id, "id"),
    Entry.at,
    Entry.type,
    Entry.reference,
    read_text(Entry.facts, "facts"),
    read_text(Entry.case_id, "case_id"),
    read_text(Entry.record_id, "record_id"),
    HAS_REASON_FOR_RECIPIENT.label("is_recipient"),
)
AUTHOR: Final = (
    read_text(Entry.focal_point_id, "author_id"),
    (Entry.focal_point_id == ME).label("is_own"),
    FocalPoint.code,
    FocalPoint.kind,
    FocalPoint.of_state,
    read_text(FocalPoint.serves, "serves"),
)
VIEW: Final = (
    READER.kind.label("reader_kind"),
    READER.of_state.label("reader_state"),
    select_limit(Entry.case_id),
)
ENTRIES: Final[Select[*tuple[Any, ...]]] = (
    select(*ENTRY, *AUTHOR, *VIEW, Delivery.position)
    .select_from(Delivery)
    .join(Entry, Entry.id == Delivery.entry_id)
    .join(READER, READER.id == Delivery.focal_point_id)
    .outerjoin(FocalPoint, FocalPoint.id == Entry.focal_point_id)
    .where(Delivery.focal_point_id == ME)
)
LIST_NEW: Final = (
    ENTRIES.where(Delivery.position > bindparam("start"))
    .order_by(Delivery.position)
    .limit(bindparam("most"))
)


def select_entries(tx: ReadTransaction) -> Select[*tuple[Any, ...]]:
    """Select the feed entries of the caller's office, with the columns of `Delivered`."""
    return ENTRIES.params(me=tx.actor.focal_point_id)


def list_new(tx: ReadTransaction, mark: FeedPosition, limit: int) -> Sequence[Delivered]:
    """List at most `limit` entries after a position, in the order of commits."""
    query = {"me": tx.actor.focal_point_id, "start": mark.start, "most": limit}
    return cast("Sequence[Delivered]", tx.read_columns(LIST_NEW, query).all())


FIND_SIGHTING: Final = select(Sighting.at).where(
    Sighting.record_id == bindparam("record"), Sighting.focal_point_id == ME
)


def was_seen(tx: ReadTransaction, record_id: UUID) -> bool:
    """Return whether the office has read a record; reading its events does not count."""
    query = {"record": record_id, "me": tx.actor.focal_point_id}
    return tx.read_columns(FIND_SIGHTING, query).first() is not None


UNANSWERED: Final = ASKED - {State.INFO_REQUESTED}
"""The states in which a referral waits for an answer of its recipient."""
HELD: Final = (
    select(Clock.case_id)
    .where(Clock.waits_on == ME, Clock.stopped_at.is_(None))
    .where(Clock.record_id == Clock.case_id)
)
"""The cases in which the office has a deadline for the case itself, as each holder has."""
COUNT_REFERRED: Final = (
    select(func.count())
    .select_from(Referral)
    .where(Referral.case_id.in_(HELD), Referral.state.in_(sorted(UNANSWERED)))
    .where(IS_VISIBLE, Referral.recipient_id != ME)
)
COUNT_OFFERED: Final = (
    select(func.count())
    .select_from(Handover)
    .where(Handover.case_id.in_(HELD), Handover.state == HandoverState.OFFERED)
    .where(Handover.lead_id == ME)
)


def count_unanswered(tx: ReadTransaction) -> int | None:
    """Count the referrals and handovers that wait for the answer of another office.

    The result is None unless the key may read both cases and referrals. The search starts
    from the tasks of the office, so its cost does not grow with the number of closed cases.
    """
    if not {Scope.REFERRALS_READ, Scope.CASES_READ} <= tx.actor.scopes:
        return None
    own_office = {"me": tx.actor.focal_point_id}
    counts = (COUNT_REFERRED, COUNT_OFFERED)
    return sum(tx.read_columns(one, own_office).scalar_one() for one in counts)
