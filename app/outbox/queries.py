"""Reading what is to leave."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.kernel.work import Reading, Writing
from app.outbox.lifecycle import OPEN, State
from app.outbox.models import Outgoing, Way
from app.outbox.pacing import AHEAD, JOINED

DEAD_FOR: Final = timedelta(days=1)
"""How long something that was given up counts as lately given up."""


@dataclass(frozen=True)
class WayCounts:
    """How one way out stands.

    `oldest` is since when something may leave, and has not; `given_up` is how many were
    given up within the last day.
    """

    waiting: int = 0
    oldest: datetime | None = None
    given_up: int = 0


@dataclass(frozen=True)
class Counts:
    """How the outbox stands, by way; and what is dead, ever."""

    ways: Mapping[Way, WayCounts]
    dead: int

    @property
    def waiting(self) -> int:
        """How many wait or are being sent, by any way."""
        return sum(way.waiting for way in self.ways.values())


def counts(session: Session, now: datetime) -> Counts:
    """Count, for status and metrics; what is dead was given up at any time."""
    waits = (Outgoing.way, func.count(), func.min(Outgoing.queued_at))
    waiting = select(*waits).where(Outgoing.state.in_(OPEN)).group_by(Outgoing.way)
    ways = {way: WayCounts() for way in Way}
    for way, count, oldest in session.execute(waiting):
        ways[way] = WayCounts(count, oldest)
    lately = func.count().filter(Outgoing.ended_at > now - DEAD_FOR)
    lost = select(Outgoing.way, lately, func.count()).where(Outgoing.state == State.DEAD)
    dead = 0
    for way, given_up, ever in session.execute(lost.group_by(Outgoing.way)):
        ways[way] = replace(ways[way], given_up=given_up)
        dead += ever
    return Counts(ways, dead)


def lock_waiting(work: Writing, way: Way, recipient: str) -> Outgoing | None:
    """Find what waits to go to this recipient anyway, and hold it: nobody sends it now.

    Not what has failed so often that it may soon be given up: what joined it would be, too.
    """
    mine = (Outgoing.way == way) & (Outgoing.recipient == recipient)
    hopeful = (Outgoing.state == State.WAITING) & (Outgoing.weight < JOINED)
    waiting = select(Outgoing).where(mine, hopeful)
    first = waiting.order_by(Outgoing.due_at, Outgoing.number).limit(1)
    held = first.with_for_update(key_share=True)
    return work.session.scalar(held.execution_options(populate_existing=True))


def lock_due(work: Writing, way: Way, window: timedelta) -> Outgoing | None:
    """Find what may be tried now and nobody else has in hand; the longest due first.

    Also what is due later than anything can be: it is judged anew when that may go.
    """
    never = Outgoing.due_at > work.now + AHEAD + window
    due = Outgoing.state.in_(OPEN) & or_(Outgoing.due_at <= work.now, never)
    first = select(Outgoing).where(Outgoing.way == way, due)
    first = first.order_by(Outgoing.due_at, Outgoing.number).limit(1)
    held = first.with_for_update(skip_locked=True, key_share=True)
    return work.session.scalar(held.execution_options(populate_existing=True))


def get(work: Reading, outgoing_id: UUID) -> Outgoing:
    """Find something that is to leave."""
    return work.session.scalars(select(Outgoing).where(Outgoing.id == outgoing_id)).one()


def lock(work: Writing, outgoing_id: UUID) -> Outgoing:
    """Hold something that is to leave."""
    held = select(Outgoing).where(Outgoing.id == outgoing_id)
    held = held.with_for_update(key_share=True)
    return work.session.scalars(held.execution_options(populate_existing=True)).one()


def last_left(work: Reading, outgoing: Outgoing) -> datetime | None:
    """Say when the same recipient was last sent anything, or may have been."""
    same = (Outgoing.way == outgoing.way) & (Outgoing.recipient == outgoing.recipient)
    can_be = Outgoing.left_at <= work.now + AHEAD
    return work.session.scalar(select(func.max(Outgoing.left_at)).where(same, can_be))
