"""Queries for the messages of the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.kernel.statements import lock_rows
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.outbox.lifecycle import OPEN, State
from app.outbox.models import MessageChannel, Outgoing
from app.outbox.pacing import JOIN_LIMIT, MAX_AHEAD

DEAD_FOR: Final = timedelta(days=1)
"""The time for which a message that was given up counts as recently given up."""


@dataclass(frozen=True)
class WayCounts:
    """The counts of the messages of one channel.

    `waiting` is the number of messages that wait or are being sent. `oldest` is the time at
    which the first of them began to wait, or None if there are none. `given_up` is the
    number of messages that were given up within the last day.
    """

    waiting: int = 0
    oldest: datetime | None = None
    given_up: int = 0


@dataclass(frozen=True)
class OutboxCounts:
    """The counts of the outbox by channel, and the number of messages ever given up."""

    ways: Mapping[MessageChannel, WayCounts]
    dead: int

    @property
    def waiting(self) -> int:
        """The number of messages, in all channels, that wait or are being sent."""
        return sum(way.waiting for way in self.ways.values())


def count_messages(session: Session, now: datetime) -> OutboxCounts:
    """Count the messages of the outbox, for the metrics."""
    waits = (Outgoing.way, func.count(), func.min(Outgoing.queued_at))
    waiting = select(*waits).where(Outgoing.state.in_(OPEN)).group_by(Outgoing.way)
    ways = {way: WayCounts() for way in MessageChannel}
    for way, count, oldest in session.execute(waiting):
        ways[way] = WayCounts(count, oldest)
    recent = func.count().filter(Outgoing.ended_at > now - DEAD_FOR)
    given_up = select(Outgoing.way, recent, func.count())
    given_up = given_up.where(Outgoing.state == State.DEAD).group_by(Outgoing.way)
    dead = 0
    for way, count, total in session.execute(given_up):
        ways[way] = replace(ways[way], given_up=count)
        dead += total
    return OutboxCounts(ways, dead)


def lock_waiting(
    tx: WriteTransaction, way: MessageChannel, recipient: str
) -> Outgoing | None:
    """Lock and return the next waiting message to a recipient, or None if there is none.

    Because of the lock, no process sends the message during the transaction. Messages that
    have failed often (`JOIN_LIMIT`) are left out.
    """
    same = (Outgoing.way == way) & (Outgoing.recipient == recipient)
    joinable = (Outgoing.state == State.WAITING) & (Outgoing.weight < JOIN_LIMIT)
    waiting = select(Outgoing).where(same, joinable)
    first = waiting.order_by(Outgoing.due_at, Outgoing.number).limit(1)
    return tx.session.scalar(lock_rows(first))


def lock_due(
    tx: WriteTransaction, way: MessageChannel, window: timedelta
) -> Outgoing | None:
    """Lock and return the message of a channel that was due first, or None if none is due.

    Messages that another process has locked are skipped. Messages with an impossible due
    time are included, so that the time is corrected.
    """
    impossible = Outgoing.due_at > tx.now + MAX_AHEAD + window
    due = Outgoing.state.in_(OPEN) & or_(Outgoing.due_at <= tx.now, impossible)
    first = select(Outgoing).where(Outgoing.way == way, due)
    first = first.order_by(Outgoing.due_at, Outgoing.number).limit(1)
    statement = first.with_for_update(skip_locked=True, key_share=True)
    return tx.session.scalar(statement.execution_options(populate_existing=True))


def get(tx: ReadTransaction, outgoing_id: UUID) -> Outgoing:
    """Return the message of the outbox with this id."""
    return tx.session.scalars(select(Outgoing).where(Outgoing.id == outgoing_id)).one()


def lock(tx: WriteTransaction, outgoing_id: UUID) -> Outgoing:
    """Lock and return the message of the outbox with this id."""
    statement = select(Outgoing).where(Outgoing.id == outgoing_id)
    return tx.session.scalars(lock_rows(statement)).one()


def get_last_sent_time(tx: ReadTransaction, outgoing: Outgoing) -> datetime | None:
    """Return the last time at which the recipient may have been sent a message, or None."""
    same = (Outgoing.way == outgoing.way) & (Outgoing.recipient == outgoing.recipient)
    possible = Outgoing.left_at <= tx.now + MAX_AHEAD
    return tx.session.scalar(select(func.max(Outgoing.left_at)).where(same, possible))
