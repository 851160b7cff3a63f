"""The journal: each change is stored once, and delivered to the feeds of its audience."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Connection,
    ForeignKey,
    Index,
    bindparam,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base, Counter
from app.kernel.statements import get_values


class Entry(Base):
    """A change: its type, time and record, and the account that made it. Never rewritten.

    The account and the focal point are None if the system acted. Facts are codes and ids,
    never personal data.
    """

    __tablename__ = "entry"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    type: Mapped[str]
    case_id: Mapped[UUID] = mapped_column(index=True)
    record_id: Mapped[UUID]
    reference: Mapped[str]
    account_id: Mapped[UUID | None]
    focal_point_id: Mapped[UUID | None]
    facts: Mapped[dict[str, Any]]


class Mailbox(Base):
    """The mailbox of a focal point, with the number of entries delivered to it."""

    __tablename__ = "mailbox"

    focal_point_id: Mapped[UUID] = mapped_column(primary_key=True)
    head: Mapped[int] = mapped_column(Counter, default=0)


class Delivery(Base):
    """An entry at its position in the feed of one focal point."""

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
    """The time at which a focal point's cursor passed a position (evidence, rank 3).

    It is not a column of the mailbox, because writers wait for each other to lock the
    mailbox row.
    """

    __tablename__ = "retrieval"

    focal_point_id: Mapped[UUID] = mapped_column(
        ForeignKey(Mailbox.focal_point_id), primary_key=True
    )
    upto: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class Epoch(Base):
    """The identity of this database, in one row that is renewed when a backup is restored.

    Positions of another epoch are not valid in this database, even if their numbers exist.
    """

    __tablename__ = "epoch"

    value: Mapped[str] = mapped_column(primary_key=True)


def create_epoch() -> str:
    """Create a random epoch for a restored database."""
    return secrets.token_hex(4)


def renew_epoch(session: Session, epoch: str) -> None:
    """Set a new epoch, so that cursors from before the restore are refused.

    Only the owner of the tables may do this; the service may only read the epoch.
    """
    session.execute(update(Epoch).values(value=epoch))


def was_recorded_since(
    session: Session, case_id: UUID, event: str, since: datetime
) -> bool:
    """Return whether an event of this type was recorded in a case at or after this time."""
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
    """A journal entry with the audience that it will be delivered to."""

    entry: Entry
    audience: frozenset[UUID]


def deliver(session: Session, postings: Sequence[Posting]) -> None:
    """Write entries and deliver them to each feed, as the last step of a transaction.

    A database sequence would assign numbers before the commit: 7 could become visible
    before 6, and a client that has read 7 would never read 6. Each mailbox has a counter
    row instead, which is locked until the commit, so that the positions of a feed follow
    the order of commits without gaps. The rows are locked in sorted order, to avoid
    deadlocks, and at the end, to keep the locks short.
    """
    if not postings:
        return
    connection, mail = session.connection(), group_by_reader(postings)
    connection.execute(INSERT_ENTRY, [get_values(posting.entry) for posting in postings])
    heads = {
        reader: advance_head(connection, reader, len(mail[reader]))
        for reader in sorted(mail)
    }
    rows = [
        {"focal_point_id": reader, "position": heads[reader] - back, "entry_id": entry_id}
        for reader, entry_ids in mail.items()
        for back, entry_id in enumerate(reversed(entry_ids))
    ]
    if rows:
        connection.execute(INSERT_DELIVERY, rows)


def group_by_reader(postings: Sequence[Posting]) -> Mapping[UUID, list[UUID]]:
    """Group the ids of entries by the focal points that receive them."""
    mail: dict[UUID, list[UUID]] = {}
    for posting in postings:
        for reader in posting.audience:
            mail.setdefault(reader, []).append(posting.entry.id)
    return mail


INSERT_ENTRY: Final = insert(Entry)
INSERT_DELIVERY: Final = insert(Delivery)
UPDATE_HEAD: Final = (
    update(Mailbox)
    .where(Mailbox.focal_point_id == bindparam("reader"))
    .values(head=Mailbox.head + bindparam("more"))
    .returning(Mailbox.head)
)


def advance_head(connection: Connection, reader: UUID, count: int) -> int:
    """Increase the head of a mailbox by a count and return the new head.

    The row remains locked until the transaction ends.
    """
    moved = connection.execute(UPDATE_HEAD, {"reader": reader, "more": count})
    head: int = moved.scalar_one()
    return head
