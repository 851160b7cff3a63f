"""The journal: every change once, and one mailbox for each focal point that may know."""

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
from app.kernel.statements import values_of


class Entry(Base):
    """One change: what happened to which record, by whom. Never rewritten.

    Without an account the system did it. Facts are codes and ids: no personal data.
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
    """How many entries one focal point has been sent."""

    __tablename__ = "mailbox"

    focal_point_id: Mapped[UUID] = mapped_column(primary_key=True)
    head: Mapped[int] = mapped_column(Counter, default=0)


class Delivery(Base):
    """An entry, at its place in one focal point's feed."""

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
    """That a focal point's cursor passed a position, and when (evidence, rank 3).

    Apart from the mailbox, whose row writers queue for.
    """

    __tablename__ = "retrieval"

    focal_point_id: Mapped[UUID] = mapped_column(
        ForeignKey(Mailbox.focal_point_id), primary_key=True
    )
    upto: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class Epoch(Base):
    """Which database this is: one row, renewed when a backup is restored.

    Positions of another epoch mean nothing here, even where the numbers fit.
    """

    __tablename__ = "epoch"

    value: Mapped[str] = mapped_column(primary_key=True)


def new_epoch() -> str:
    """Make up a name for a database that was restored."""
    return secrets.token_hex(4)


def renew_epoch(session: Session, epoch: str) -> None:
    """Name this database anew, so that cursors of before its restoration are refused.

    As the owner: the service itself may only read the name.
    """
    session.execute(update(Epoch).values(value=epoch))


def was_told(session: Session, case_id: UUID, event: str, since: datetime) -> bool:
    """Say whether something happened in a case since then."""
    said = exists().where(Entry.case_id == case_id, Entry.type == event, Entry.at >= since)
    return bool(session.scalar(select(said)))


def was_recorded(session: Session, case_id: UUID, record_id: UUID, event: str) -> bool:
    """Return whether something was ever recorded about one record of a case."""
    of_record = (Entry.case_id == case_id) & (Entry.record_id == record_id)
    said = exists().where(of_record, Entry.type == event)
    return bool(session.scalar(select(said)))


def knows_a_case(session: Session) -> bool:
    """Say whether this database ever had a case."""
    said = exists().where(Entry.reference.startswith("cases/"))
    return bool(session.scalar(select(said)))


@dataclass(frozen=True)
class Posting:
    """An entry on its way to those who may know."""

    entry: Entry
    audience: frozenset[UUID]


def deliver(session: Session, postings: Sequence[Posting]) -> None:
    """Write entries and their places in each feed, as the last act of a transaction.

    A sequence hands out numbers before commit: 7 can be published before 6, and a poller
    standing at 7 never sees 6. A counter row is locked until commit, so in each feed the
    order of positions is the order of commits, without a gap. The rows are locked in sorted
    order, or two writers would wait for each other; and last, so that they wait briefly.
    """
    if not postings:
        return
    connection, mail = session.connection(), by_reader(postings)
    connection.execute(ENTERED, [values_of(posting.entry) for posting in postings])
    heads = {
        reader: advance(connection, reader, len(mail[reader])) for reader in sorted(mail)
    }
    rows = [
        {"focal_point_id": reader, "position": heads[reader] - back, "entry_id": entry_id}
        for reader, entry_ids in mail.items()
        for back, entry_id in enumerate(reversed(entry_ids))
    ]
    if rows:
        connection.execute(DELIVERED, rows)


def by_reader(postings: Sequence[Posting]) -> Mapping[UUID, list[UUID]]:
    """Sort entries into the mailboxes they go to."""
    mail: dict[UUID, list[UUID]] = {}
    for posting in postings:
        for reader in posting.audience:
            mail.setdefault(reader, []).append(posting.entry.id)
    return mail


ENTERED: Final = insert(Entry)
DELIVERED: Final = insert(Delivery)
ADVANCE: Final = (
    update(Mailbox)
    .where(Mailbox.focal_point_id == bindparam("reader"))
    .values(head=Mailbox.head + bindparam("more"))
    .returning(Mailbox.head)
)


def advance(connection: Connection, reader: UUID, count: int) -> int:
    """Move a mailbox's head and hold the row until commit."""
    moved = connection.execute(ADVANCE, {"reader": reader, "more": count})
    head: int = moved.scalar_one()
    return head
