"""The job that sends the messages in the outbox, each channel independently (R53).

A message is sent between two transactions, one that claims it and one that stores the
outcome. Therefore, no transaction waits for an external server. Each channel has a thread,
and each message has a time limit, so that a slow message causes only a short delay.
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
from app.kernel.transactions import (
    ReadTransaction,
    Runtime,
    WriteTransaction,
    begin_read,
    begin_write,
)
from app.outbox import actions as outbox_actions
from app.outbox import queries as outbox_queries
from app.outbox.actions import Answer
from app.outbox.lifecycle import State
from app.outbox.models import MessageChannel, Outgoing
from app.outbox.pacing import Outcome
from app.worker.jobs import Job

log = structlog.get_logger("safe_conduct.worker")
BATCH: Final = 200
RUN_SECONDS: Final = 10.0
"""Seconds after which a run sends no further message."""


class SendOutcome(StrEnum):
    """The result for one message in a run of the job."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    POSTPONED = "postponed"
    DROPPED = "dropped"
    DEAD = "dead"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True)
class ChannelSender[L]:
    """The functions that send messages by one channel.

    `compose` writes the message for its recipient, or returns None if there is no longer a
    recipient. `send` sends it, in less than `pacing.LONGEST_TRY`. `handle_lost` handles a
    message that was given up; `handle_dropped` handles a message that has no recipient.
    Both return whether the office is notified in another way.
    """

    compose: Callable[[ReadTransaction, Outgoing], L | None]
    send: Callable[[L], Answer]
    handle_lost: Callable[[WriteTransaction, Outgoing], bool]
    handle_dropped: Callable[[WriteTransaction, Outgoing], bool]


@dataclass(frozen=True)
class Senders:
    """The senders of all channels, and the minimum time between messages to a recipient."""

    ways: Mapping[MessageChannel, ChannelSender[Any]]
    window: timedelta


@dataclass(frozen=True)
class ClaimedMessage:
    """A claimed message: its id and the id of the claim."""

    id: UUID
    claim: UUID


@dataclass(frozen=True)
class SendCounts:
    """The number of messages of one run, by result."""

    outcomes: Mapping[SendOutcome, int]

    def __getitem__(self, outcome: SendOutcome) -> int:
        """Return the number of messages with this outcome."""
        return self.outcomes.get(outcome, 0)

    @property
    def found(self) -> int:
        """The number of messages that the run handled."""
        return sum(self.outcomes.values())


def send_due(runtime: Runtime, senders: Senders) -> SendCounts:
    """Send the messages that are due, at most BATCH for each channel; return the counts."""
    with ThreadPoolExecutor(len(senders.ways), "sending") as threads:
        runs = [threads.submit(send_by_way, runtime, senders, way) for way in senders.ways]
    return SendCounts(sum((run.result() for run in runs), Counter[SendOutcome]()))


def create_send_job(senders: Senders) -> Job:
    """Return the job that sends the messages that are due."""
    return Job(Part.NOTICES, lambda runtime: send_due(runtime, senders).found, BATCH)


def send_by_way(
    runtime: Runtime, senders: Senders, way: MessageChannel
) -> Counter[SendOutcome]:
    """Send the due messages of a channel, within the limits of a run; return the counts.

    An error of the database or of the code ends the run and is logged.
    """
    counts, began = Counter[SendOutcome](), time.monotonic()
    try:
        while counts.total() < BATCH and time.monotonic() - began < RUN_SECONDS:
            outcome = send_one(runtime, senders, way)
            if outcome is None:
                break
            counts[outcome] += 1
    except (Problem, DBAPIError, LookupError, AssertionError) as error:
        log.error("outgoing.failed", way=way, error=type(error).__name__)  # noqa: TRY400 - the message may contain data
    return counts


def send_one(runtime: Runtime, senders: Senders, way: MessageChannel) -> SendOutcome | None:
    """Send one due message of a channel; return the result, or None if none is due."""
    way_out = senders.ways[way]
    claimed = claim_next(runtime, senders, way)
    if not isinstance(claimed, ClaimedMessage):
        return claimed
    began = time.monotonic()
    answer = send_claimed(runtime, way_out, claimed.id)
    outcome = store_outcome(runtime, way_out, claimed, answer)
    log.info(
        "outgoing.tried",
        outgoing=str(claimed.id),
        way=way,
        fate=outcome,
        code=answer and answer.code,
        ms=round((time.monotonic() - began) * 1000),
    )
    return outcome


def claim_next(
    runtime: Runtime, senders: Senders, way: MessageChannel
) -> ClaimedMessage | SendOutcome | None:
    """Claim the next message that is due, or return None if there is none.

    If the message has to wait or is given up, return POSTPONED or DEAD instead. If
    the process dies after the claim, the message is due again only when the claim ends.
    """
    with begin_write(runtime, SYSTEM) as tx:
        outgoing = outbox_queries.lock_due(tx, way, senders.window)
        if outgoing is None:
            return None
        if outbox_actions.apply_window(tx, outgoing, senders.window):
            return SendOutcome.POSTPONED
        if not outbox_actions.add_unknown_outcome(outgoing):
            claim = outbox_actions.claim(tx, outgoing, senders.window)
            return ClaimedMessage(outgoing.id, claim)
        outbox_actions.set_dead(tx, outgoing)
        other_way = senders.ways[way].handle_lost(tx, outgoing)
    log_dead(outgoing, other_way=other_way)
    return SendOutcome.DEAD


def send_claimed(
    runtime: Runtime, way_out: ChannelSender[Any], outgoing_id: UUID
) -> Answer | None:
    """Send one message and return the outcome, or None if it no longer has a recipient.

    Every exception counts as an outcome, so that no message blocks the others. Only the
    name of the exception's class is kept, because the text may contain an address.
    """
    try:
        with begin_read(runtime, SYSTEM) as tx:
            message = way_out.compose(tx, outbox_queries.get(tx, outgoing_id))
    except Exception as error:  # noqa: BLE001 - nothing was sent, so it is tried again
        return Answer(Outcome.REFUSED, type(error).__name__)
    if message is None:
        return None
    try:
        return way_out.send(message)
    except Exception as error:  # noqa: BLE001 - it may have been sent before the error
        return Answer(Outcome.UNKNOWN, type(error).__name__)


def store_outcome(
    runtime: Runtime,
    way_out: ChannelSender[Any],
    claimed: ClaimedMessage,
    answer: Answer | None,
) -> SendOutcome:
    """Store the outcome of an attempt, and return the result for the message.

    Nothing is stored if another attempt has begun or ended in the meantime. `answer` is
    None if the message no longer has a recipient.
    """
    with begin_write(runtime, SYSTEM) as tx:
        outgoing = outbox_queries.lock(tx, claimed.id)
        if outgoing.claim != claimed.claim or outgoing.state != State.SENDING:
            return SendOutcome.OVERTAKEN
        if answer is None:
            outbox_actions.drop(tx, outgoing)
            if not way_out.handle_dropped(tx, outgoing):
                log.warning("outgoing.dropped", outgoing=str(claimed.id), way=outgoing.way)
            return SendOutcome.DROPPED
        if outbox_actions.store_outcome(tx, outgoing, answer):
            return SendOutcome(answer.outcome)
        other_way = way_out.handle_lost(tx, outgoing)
    log_dead(outgoing, other_way=other_way)
    return SendOutcome.DEAD


def log_dead(dead: Outgoing, *, other_way: bool) -> None:
    """Log that a message was given up. The log shows no content and no recipient."""
    log.error(
        "outgoing.dead",
        outgoing=str(dead.id),
        way=dead.way,
        tries=dead.tries,
        code=dead.trouble,
        other_way=other_way,
    )
