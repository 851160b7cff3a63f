"""The journal: it stores each event once and delivers it to the feeds of its audience."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    bindparam,
    case,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from app.kernel.db import Base, Counter
from app.kernel.statements import get_values, make_list_parameter
from app.kernel.stored_names import EventFacts, EventTypeName


class Entry(Base):
    """An event: its type, time and record, and the account that caused it.

    Entries are never changed. The account and focal point are None if the system acted.
    """

    __tablename__ = "entry"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    type: Mapped[str] = mapped_column(EventTypeName)
    case_id: Mapped[UUID] = mapped_column(index=True)
    record_id: Mapped[UUID]
    reference: Mapped[str]
    account_id: Mapped[UUID | None]
    focal_point_id: Mapped[UUID | None]
    facts: Mapped[dict[str, Any]] = mapped_column(EventFacts)


class Mailbox(Base):
    """The feed of a focal point, with the number of entries that were delivered to it."""

    __tablename__ = "mailbox"

    focal_point_id: Mapped[UUID] = mapped_column(primary_key=True)
    head: Mapped[int] = mapped_column(Counter, default=0)


class Delivery(Base):
    """The position of an entry in the feed of one focal point."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_entry_id_focal_point_id", "entry_id", "focal_point_id"),
    )

    focal_point_id: Mapped[UUID] = mapped_column(
        ForeignKey(Mailbox.focal_point_id), primary_key=True
    )
    position: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey(Entry.id))


class Retrieval(Base):
    """The time at which a focal point's cursor passed a position of its feed.

    It proves that the entries up to this position were retrieved (delivery evidence, rank
    3). It has a table of its own, because updates of the mailbox row would delay writers.
    """

    __tablename__ = "retrieval"

    focal_point_id: Mapped[UUID] = mapped_column(
        ForeignKey(Mailbox.focal_point_id), primary_key=True
    )
    upto: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class Epoch(Base):
    """The identity of this database, in one row. The command `restored` renews it."""

    __tablename__ = "epoch"

    value: Mapped[str] = mapped_column(primary_key=True)


def create_epoch() -> str:
    """Return a random epoch for a restored database."""
    return secrets.token_hex(4)


def renew_epoch(session: Session, epoch: str) -> None:
    """Set a new epoch after a restore, so that all earlier feed cursors are rejected.

    Only the owner of the tables may do this; the service may only read the epoch.
    """
    session.execute(update(Epoch).values(value=epoch))


def was_recorded_since(
    session: Session, case_id: UUID, event: str, since: datetime
) -> bool:
    """Return whether an event of this type was recorded for a case at or after a time."""
    entry = exists().where(Entry.case_id == case_id, Entry.type == event, Entry.at >= since)
    return bool(session.scalar(select(entry)))


def was_recorded(session: Session, case_id: UUID, record_id: UUID, event: str) -> bool:
    """Return whether an event of this type was ever recorded for a record of a case."""
    of_record = (Entry.case_id == case_id) & (Entry.record_id == record_id)
    return bool(session.scalar(select(exists().where(of_record, Entry.type == event))))


def has_any_case(session: Session) -> bool:
    """Return whether this database has ever had a case."""
    entry = exists().where(Entry.reference.startswith("cases/"))
    return bool(session.scalar(select(entry)))


@dataclass(frozen=True)
class Posting:
    """A journal entry, and the audience to which it will be delivered."""

    entry: Entry
    audience: frozenset[UUID]


def deliver(session: Session, postings: Sequence[Posting]) -> None:
    """Write entries and deliver them to the feeds, as the last step of a transaction.

    A database sequence would assign numbers before the commit: 7 could become visible
    before 6, and a client that has read 7 would never read 6. Instead, each feed has a
    counter row that is locked until the commit, so that positions follow the order of
    commits without gaps. Rows are locked in sorted order, which avoids deadlocks, and as
    late as possible, which keeps the locks short.
    """
    if not postings:
        return
    connection, mail = session.connection(), group_by_reader(postings)
    connection.execute(INSERT_ENTRY, [get_values(posting.entry) for posting in postings])
    if not mail:
        return
    heads = advance_heads(
        connection, {reader: len(entry_ids) for reader, entry_ids in mail.items()}
    )
    rows = [
        {"focal_point_id": reader, "position": heads[reader] - back, "entry_id": entry_id}
        for reader, entry_ids in mail.items()
        for back, entry_id in enumerate(reversed(entry_ids))
    ]
    connection.execute(INSERT_DELIVERY, rows)


def group_by_reader(postings: Sequence[Posting]) -> Mapping[UUID, list[UUID]]:
    """Group the ids of entries by the focal points that receive the entries."""
    mail: dict[UUID, list[UUID]] = {}
    for posting in postings:
        for reader in posting.audience:
            mail.setdefault(reader, []).append(posting.entry.id)
    return mail


INSERT_ENTRY: Final = insert(Entry)
INSERT_DELIVERY: Final = insert(Delivery)
HAS_READER: Final = Mailbox.focal_point_id.in_(make_list_parameter("readers"))


def advance_heads(connection: Connection, counts: Mapping[UUID, int]) -> Mapping[UUID, int]:
    """Lock each feed, advance its last position by its count, and return the positions."""
    by_count: dict[int, list[UUID]] = {}
    for reader, count in counts.items():
        by_count.setdefault(count, []).append(reader)
    values: dict[str, Any] = {"readers": list(counts)}
    for number, (count, readers) in enumerate(by_count.items()):
        values |= {f"count_{number}": count, f"readers_{number}": readers}
    moved = connection.execute(build_upsert(len(by_count)), values)
    return {reader: head for reader, head in moved}  # noqa: C416 - rows


@cache
def build_upsert(groups: int) -> ReturningInsert[UUID, int]:
    """Build the statement that advances the last position of each feed.

    The feeds form `groups` groups; all feeds of a group advance by the same count. Every
    feed has a row, so the conflict clause locks and increases the rows in the order of the
    ids. It uses the newest version of a row. An UPDATE, even one that joins a SELECT FOR
    UPDATE, starts from the version in its snapshot. On PostgreSQL, the writer that has
    locked the newest version could then wait for a writer that waits for it (a deadlock).
    """
    more: ColumnElement[int] = make_count(0)
    for number in range(1, groups):
        of_group = Mailbox.focal_point_id.in_(make_list_parameter(f"readers_{number}"))
        more = case((of_group, make_count(number)), else_=more)
    rows = select(Mailbox.focal_point_id, more).where(HAS_READER)
    ordered = rows.order_by(Mailbox.focal_point_id)
    columns = [Mailbox.focal_point_id, Mailbox.head]
    upsert = insert_or_update(Mailbox).from_select(columns, ordered, include_defaults=False)
    return upsert.on_conflict_do_update(
        index_elements=[Mailbox.focal_point_id],
        set_={Mailbox.head: Mailbox.head + upsert.excluded.head},
    ).returning(Mailbox.focal_point_id, Mailbox.head)


def make_count(number: int) -> BindParameter[int]:
    """Return the parameter for the count of one group of feeds."""
    return bindparam(f"count_{number}", type_=Mailbox.head.type)
