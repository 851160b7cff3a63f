"""The job that sends feeds to webhooks, in a thread for each webhook (R53)."""

import time
from datetime import timedelta
from threading import Lock, Thread
from typing import Final
from uuid import UUID

import structlog

from app.kernel.actors import SYSTEM
from app.kernel.database_errors import describe_error
from app.kernel.heartbeat import Part
from app.kernel.transactions import Runtime, begin_write
from app.outbox.actions import Answer
from app.outbox.pacing import Outcome
from app.webhooks import delivery
from app.webhooks import queries as webhook_queries
from app.webhooks.delivery import OutgoingMessage
from app.worker.courier import Courier
from app.worker.jobs import Job

log = structlog.get_logger("safe_conduct.worker")
MAX_THREADS: Final = 64
"""The maximum number of receivers that are called at the same time."""
RUN_SECONDS: Final = 10.0
"""Seconds after which a thread sends no more messages, so that other webhooks get one."""


def find_due(runtime: Runtime) -> list[UUID]:
    """Return the ids of the webhooks that have a message to send now."""
    with runtime.database.begin_read() as session:
        return list(webhook_queries.list_due(session, runtime.time(session)))


def push(
    runtime: Runtime, courier: Courier, webhook_id: UUID, max_delay: timedelta = timedelta()
) -> int:
    """Send messages of one webhook until sending an event fails; return the number sent.

    The run also ends if no message is due, if another attempt has begun, and after
    RUN_SECONDS. A test message counts as sent, even if its attempt fails. New events are
    delayed by a random time of at most `max_delay`.
    """
    arrived, began = 0, time.monotonic()
    while time.monotonic() - began < RUN_SECONDS:
        with begin_write(runtime, SYSTEM) as tx:
            parcel = delivery.claim_message(tx, webhook_id, max_delay)
        if parcel is None:
            break
        answer = send_parcel(runtime, courier, parcel)
        with begin_write(runtime, SYSTEM) as tx:
            goes_on = delivery.record_outcome(tx, parcel, answer)
        say = log.info if answer.outcome == Outcome.DELIVERED else log.warning
        say("webhook.tried", webhook=str(webhook_id), code=answer.code)
        if not goes_on:
            break
        arrived += 1
    return arrived


def send_parcel(runtime: Runtime, courier: Courier, parcel: OutgoingMessage) -> Answer:
    """Send a message if the operator still lists its host; return the outcome.

    Every exception counts as a failed attempt; only the name of its class is kept.
    """
    if parcel.target.origin not in runtime.hosts:
        return Answer(Outcome.REFUSED, "host_not_listed")
    try:
        return courier.send(parcel)
    except Exception as error:  # noqa: BLE001 - see the docstring
        return Answer(Outcome.REFUSED, type(error).__name__)


class Pusher:
    """The state of the webhook job, which starts a thread for each webhook that is due."""

    def __init__(self, courier: Courier, max_delay: timedelta = timedelta()) -> None:
        self._courier, self._max_delay = courier, max_delay
        self._turn = Lock()
        self._busy = set[UUID]()

    def start_due(self, runtime: Runtime) -> int:
        """Start threads for due webhooks, up to MAX_THREADS in all; return their number."""
        with self._turn:
            room = MAX_THREADS - len(self._busy)
            started = [id_ for id_ in find_due(runtime) if id_ not in self._busy][:room]
            for id_ in started:
                arguments = (runtime, id_)
                Thread(
                    target=self._push, args=arguments, name="webhook", daemon=True
                ).start()
                self._busy.add(id_)
        return len(started)

    def _push(self, runtime: Runtime, webhook_id: UUID) -> None:
        """Send the messages of one webhook. An error is logged, and a later run retries."""
        try:
            push(runtime, self._courier, webhook_id, self._max_delay)
        except Exception as error:  # noqa: BLE001 - the thread has no caller
            details = describe_error(error.__cause__ or error)
            log.error("webhook.failed", webhook=str(webhook_id), **details)  # noqa: TRY400 - the message may contain data
        finally:
            with self._turn:
                self._busy.discard(webhook_id)


def create_webhook_job(courier: Courier, max_delay: timedelta) -> Job:
    """Return the job that sends events to webhooks, each delayed by up to `max_delay`."""
    return Job(Part.WEBHOOKS, Pusher(courier, max_delay).start_due, MAX_THREADS)
