"""Sending what waits in the outbox, each way out for itself (R53).

Something is taken in hand in one transaction, sent outside of any, and settled in another:
whoever else works on the database waits for no server of somebody else's. Each way has its
own thread, so that one that hangs holds up no other, and each message its own time, so that
it hangs for no longer than that.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from app.kernel.actors import SYSTEM
from app.kernel.heartbeat import Part
from app.kernel.problems import Problem
from app.kernel.work import Ground, Reading, Writing, reading, writing
from app.outbox import actions, queries
from app.outbox.actions import Answer
from app.outbox.lifecycle import State
from app.outbox.models import Outgoing, Way
from app.outbox.pacing import Outcome
from app.worker.loop import Job

log = structlog.get_logger("safe_conduct.worker")
BATCH: Final = 200
PATIENCE: Final = 10.0
"""Seconds after which a look begins nothing more; it ends with what is in hand."""


class Fate(StrEnum):
    """What became of something in one look."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    POSTPONED = "postponed"
    DROPPED = "dropped"
    DEAD = "dead"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True)
class WayOut[L]:
    """How things leave by one way.

    `compose` words one for its recipient as it is now, None if it has none any more. `send`
    carries it out of the house, in less than `pacing.LONGEST_TRY`. `lost` does what is left
    to do for one that was given up, `dropped` for one that has no recipient any more; each
    says whether there was anything.
    """

    compose: Callable[[Reading, Outgoing], L | None]
    send: Callable[[L], Answer]
    lost: Callable[[Writing, Outgoing], bool]
    dropped: Callable[[Writing, Outgoing], bool]


@dataclass(frozen=True)
class Senders:
    """Every way out, and how long a recipient is left alone between two messages."""

    ways: Mapping[Way, WayOut[Any]]
    window: timedelta


@dataclass(frozen=True)
class InHand:
    """Something that is in hand: which one, and by which try."""

    id: UUID
    claim: UUID


@dataclass(frozen=True)
class Sent:
    """What one look came to: how often which fate."""

    fates: Mapping[Fate, int]

    def __getitem__(self, fate: Fate) -> int:
        """Count one fate."""
        return self.fates.get(fate, 0)

    @property
    def found(self) -> int:
        """How much there was to do."""
        return sum(self.fates.values())


def send_due(ground: Ground, senders: Senders) -> Sent:
    """Send what is due, a bounded lot of it.

    Anybody may do this at once with others: nothing is in two hands.
    """
    with ThreadPoolExecutor(len(senders.ways), "sending") as threads:
        looks = [threads.submit(empty, ground, senders, way) for way in senders.ways]
    return Sent(sum((look.result() for look in looks), Counter[Fate]()))


def sending(senders: Senders) -> Job:
    """Let a worker send what is due, again and again."""

    def send(ground: Ground) -> int:
        return send_due(ground, senders).found

    return Job(Part.NOTICES, send, BATCH)


def empty(ground: Ground, senders: Senders, way: Way) -> Counter[Fate]:
    """Send by one way until nothing is left to send now, or its time is over.

    What goes wrong with the database ends this look at this way, and no other.
    """
    fates, began = Counter[Fate](), time.monotonic()
    try:
        while fates.total() < BATCH and time.monotonic() - began < PATIENCE:
            fate = send_one(ground, senders, way)
            if fate is None:
                break
            fates[fate] += 1
    except (Problem, DBAPIError, LookupError, AssertionError) as fault:
        log.error("outgoing.failed", way=way, error=type(fault).__name__)  # noqa: TRY400 - a message may repeat what was written
    return fates


def send_one(ground: Ground, senders: Senders, way: Way) -> Fate | None:
    """Send one thing, if any is due by this way; says what became of it."""
    way_out = senders.ways[way]
    taken = take_in_hand(ground, senders, way)
    if not isinstance(taken, InHand):
        return taken
    began = time.monotonic()
    answer = attempt(ground, way_out, taken.id)
    fate = settle(ground, way_out, taken, answer)
    log.info(
        "outgoing.tried",
        outgoing=str(taken.id),
        way=way,
        fate=fate,
        code=answer and answer.code,
        ms=round((time.monotonic() - began) * 1000),
    )
    return fate


def take_in_hand(ground: Ground, senders: Senders, way: Way) -> InHand | Fate | None:
    """Take the next thing in hand; or say what became of it instead, None if none is due.

    Committed before a word goes out: should this process die, it is sent again after its
    window, and not before.
    """
    with writing(ground, SYSTEM) as work:
        outgoing = queries.lock_due(work, way, senders.window)
        if outgoing is None:
            return None
        if actions.must_wait(work, outgoing, senders.window):
            return Fate.POSTPONED
        if not actions.is_lost(outgoing):
            claim = actions.claim(work, outgoing, senders.window)
            return InHand(outgoing.id, claim)
        actions.give_up(work, outgoing)
        other_way = senders.ways[way].lost(work, outgoing)
    alarm(outgoing, other_way=other_way)
    return Fate.DEAD


def attempt(ground: Ground, way_out: WayOut[Any], outgoing_id: UUID) -> Answer | None:
    """Carry one out of the house; None: its recipient is not to be written to any more.

    Whatever goes wrong is an outcome, or one that nobody can word would hold up the others.
    Of a fault its name is kept alone: its text may have an address in it.
    """
    try:
        with reading(ground, SYSTEM) as work:
            letter = way_out.compose(work, queries.get(work, outgoing_id))
    except Exception as fault:  # noqa: BLE001 - nothing has left yet, so it is tried again
        return Answer(Outcome.REFUSED, type(fault).__name__)
    if letter is None:
        return None
    try:
        return way_out.send(letter)
    except Exception as fault:  # noqa: BLE001 - a sender that broke off may have sent it
        return Answer(Outcome.UNKNOWN, type(fault).__name__)


def settle(
    ground: Ground, way_out: WayOut[Any], taken: InHand, answer: Answer | None
) -> Fate:
    """Say what came of a try, unless another try has begun since."""
    with writing(ground, SYSTEM) as work:
        outgoing = queries.lock(work, taken.id)
        if outgoing.claim != taken.claim or outgoing.state != State.SENDING:
            return Fate.OVERTAKEN
        if answer is None:
            actions.drop(work, outgoing)
            if not way_out.dropped(work, outgoing):
                log.warning("outgoing.dropped", outgoing=str(taken.id), way=outgoing.way)
            return Fate.DROPPED
        if actions.settle(work, outgoing, answer):
            return Fate(answer.outcome)
        other_way = way_out.lost(work, outgoing)
    alarm(outgoing, other_way=other_way)
    return Fate.DEAD


def alarm(dead: Outgoing, *, other_way: bool) -> None:
    """Say that something did not get out, so that somebody looks; not what, nor to whom."""
    log.error(
        "outgoing.dead",
        outgoing=str(dead.id),
        way=dead.way,
        tries=dead.tries,
        code=dead.trouble,
        other_way=other_way,
    )
