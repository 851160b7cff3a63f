"""Pushing feeds to their receivers, each in a thread of its own (R53).

A receiver that hangs or is dead holds up its own feed and no other.
"""

import time
from datetime import timedelta
from threading import Lock, Thread
from typing import Final
from uuid import UUID

import structlog

from app.kernel.actors import SYSTEM
from app.kernel.heartbeat import Part
from app.kernel.trouble import described
from app.kernel.work import Ground, writing
from app.outbox.actions import Answer
from app.outbox.pacing import Outcome
from app.webhooks import carrying, queries
from app.webhooks.carrying import Parcel
from app.worker.courier import Courier
from app.worker.loop import Job

log = structlog.get_logger("safe_conduct.worker")
AT_ONCE: Final = 64
"""Receivers that are called at the same time."""
PATIENCE: Final = 10.0
"""Seconds after which a thread begins nothing more: others may have waited."""


def due(ground: Ground) -> list[UUID]:
    """Name the webhooks that something is to be sent to now."""
    with ground.database.reading() as session:
        return list(queries.due(session, ground.time(session)))


def push(
    ground: Ground, courier: Courier, webhook_id: UUID, longest: timedelta = timedelta()
) -> int:
    """Send what waits for one receiver, until a try fails; says how many arrived.

    New events are delayed at random, by `longest` at most.
    """
    arrived, began = 0, time.monotonic()
    while time.monotonic() - began < PATIENCE:
        with writing(ground, SYSTEM) as work:
            parcel = carrying.take(work, webhook_id, longest)
        if parcel is None:
            break
        answer = carry(ground, courier, parcel)
        with writing(ground, SYSTEM) as work:
            goes_on = carrying.settle(work, parcel, answer)
        say = log.info if answer.outcome == Outcome.DELIVERED else log.warning
        say("webhook.tried", webhook=str(webhook_id), code=answer.code)
        if not goes_on:
            break
        arrived += 1
    return arrived


def carry(ground: Ground, courier: Courier, parcel: Parcel) -> Answer:
    """Carry a message to a host that the operator lists, now as when it was opened.

    Whatever goes wrong is a try that failed: of a fault its name is kept alone.
    """
    if parcel.target.origin not in ground.hosts:
        return Answer(Outcome.REFUSED, "host_not_listed")
    try:
        return courier.carry(parcel)
    except Exception as fault:  # noqa: BLE001 - see above
        return Answer(Outcome.REFUSED, type(fault).__name__)


class Pusher:
    """Begins a thread for each receiver that something waits for."""

    def __init__(self, courier: Courier, longest: timedelta = timedelta()) -> None:
        self._courier, self._longest = courier, longest
        self._turn = Lock()
        self._busy = set[UUID]()

    def look(self, ground: Ground) -> int:
        """Begin what is due and not in hand here; says for how many.

        In hand is what has a thread: where none is to be had, the next look begins it.
        """
        with self._turn:
            room = AT_ONCE - len(self._busy)
            begun = [one for one in due(ground) if one not in self._busy][:room]
            for one in begun:
                Thread(
                    target=self._push, args=(ground, one), name="webhook", daemon=True
                ).start()
                self._busy.add(one)
        return len(begun)

    def _push(self, ground: Ground, webhook_id: UUID) -> None:
        """Send; what fails with the database is tried again by the next look."""
        try:
            push(ground, self._courier, webhook_id, self._longest)
        except Exception as error:  # noqa: BLE001 - nobody above would hear of it
            told = described(error.__cause__ or error)
            log.error("webhook.failed", webhook=str(webhook_id), **told)  # noqa: TRY400 - a message may repeat what was written
        finally:
            with self._turn:
                self._busy.discard(webhook_id)


def pushing(courier: Courier, longest: timedelta) -> Job:
    """Let a worker push, again and again; `longest` is the longest delay of new events."""
    return Job(Part.WEBHOOKS, Pusher(courier, longest).look, AT_ONCE)
