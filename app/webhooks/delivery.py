"""Delivery of a feed to a receiver: the next message and its outcome (R53).

Events are sent one at a time, each only after the previous one has arrived. Events
therefore arrive in order and at least once, even if an attempt fails or a process is
killed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.feed.queries import get_feed
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.notifications.actions import notify_offices as call_on
from app.outbox.actions import MAX_CODE_LENGTH, Answer, get_jitter
from app.outbox.pacing import LONGEST_TRY, Outcome, compute_pause, is_given_up
from app.webhooks import queries as webhook_queries
from app.webhooks.actions import get_secret_place, record_event
from app.webhooks.addresses import Target, parse_target
from app.webhooks.models import Webhook
from app.webhooks.schemas import MessageData, MessageType, WebhookMessage
from app.webhooks.signing import build_headers

STALL_AFTER: Final = timedelta(days=1)
"""The time of failures after which a webhook is stalled, if `GIVE_UP_WEIGHT` attempts have
failed as well. Time alone is not enough, because a stopped worker makes no attempts."""
ID_DIGITS: Final = 32
GONE: Final = "410"
"""The status with which a receiver refuses all further messages (Standard Webhooks)."""


@dataclass(frozen=True)
class OutgoingMessage:
    """A message to a webhook's receiver, with the ids of the message and the attempt."""

    id: UUID
    webhook: UUID
    claim: UUID
    target: Target
    headers: Mapping[str, str]
    body: bytes
    upto: int | None
    """The feed position after the message, or None for a test message."""


def claim_message(
    tx: WriteTransaction, webhook_id: UUID, longest: timedelta = timedelta()
) -> OutgoingMessage | None:
    """Claim the next message of a webhook, or return None if no message is due.

    The caller must commit before it sends the message. If the process is killed, the
    message is sent again, but not before the time for the attempt is over. New events are
    delayed by at most `longest`.
    """
    webhook = webhook_queries.lock_due(tx, webhook_id)
    if webhook is None or schedule_delay(tx, webhook, longest):
        return None
    webhook.claim, webhook.due_at = tx.create_id(), tx.now + LONGEST_TRY
    name, upto, message = build_message(tx, webhook)
    body = message.encode()
    secrets = [
        tx.vault.unwrap_secret(one.version, one.wrapped, *get_secret_place(one.id))
        for one in webhook_queries.list_secrets(tx, webhook.id, tx.now)
    ]
    return OutgoingMessage(
        id=name,
        webhook=webhook.id,
        claim=webhook.claim,
        target=parse_target(webhook.url),
        headers=build_headers(secrets, str(name), tx.now, body),
        body=body,
        upto=upto,
    )


def schedule_delay(tx: WriteTransaction, webhook: Webhook, longest: timedelta) -> bool:
    """Delay a webhook's new events once, by a random time; return whether a delay began.

    An event for two offices is sent to both. Without the delay, a host that receives
    messages for both offices could infer from the time that the offices share a case.
    Repeated messages are not delayed.
    """
    is_delayed_already = webhook.position < webhook.delayed_to
    if webhook.ping is not None or is_delayed_already or not longest:
        return False
    _, webhook.delayed_to = get_feed(tx, webhook.focal_point_id)
    webhook.due_at = tx.now + longest * get_jitter(tx)
    return True


def build_message(
    tx: ReadTransaction, webhook: Webhook
) -> tuple[UUID, int | None, WebhookMessage]:
    """Return the next message, with its id and the feed position after it.

    The message contains neither the id nor the time of an event, so it has nothing in
    common with a message to another webhook. Two receivers on one host therefore cannot
    tell that their messages are about the same case.
    """
    feed, _ = get_feed(tx, webhook.focal_point_id)
    now = tx.now.replace(microsecond=0)
    if webhook.ping is not None:
        data = MessageData(cursor=feed.format_cursor(webhook.position))
        told = WebhookMessage(type=MessageType.PING, timestamp=now, data=data)
        return webhook.ping, None, told
    upto = webhook.position + 1
    data = MessageData(cursor=feed.format_cursor(upto))
    told = WebhookMessage(type=MessageType.EVENT, timestamp=now, data=data)
    return make_message_id(tx, webhook, feed.epoch, upto), upto, told


def make_message_id(
    tx: ReadTransaction, webhook: Webhook, epoch: str, position: int
) -> UUID:
    """Return the id of the message for a feed position.

    The id is the same for each attempt, unless the oldest key is retired meanwhile (ADR
    84). It is a keyed digest, so that no receiver can compute it, and it has the form of a
    random UUID, like the id of a test message.
    """
    parts = ("webhook message", str(webhook.id), epoch, str(position))
    digest = tx.vault.compute_lasting_fingerprint(*(part.encode() for part in parts))
    return UUID(hex=digest[:ID_DIGITS], version=4)


def record_outcome(tx: WriteTransaction, parcel: OutgoingMessage, answer: Answer) -> bool:
    """Record the outcome of an attempt; return whether the next message may be sent now.

    Nothing is recorded if another attempt or a replay has begun since. If another test
    message was requested meanwhile, the result of this test message is not recorded.
    """
    webhook = webhook_queries.lock_claimed(tx, parcel.webhook, parcel.claim)
    if webhook is None:
        return False
    webhook.claim, webhook.due_at = None, tx.now
    if parcel.upto is None:
        if webhook.ping == parcel.id:
            webhook.ping, webhook.ping_answer = None, answer.code[:MAX_CODE_LENGTH]
        return True
    if answer.outcome == Outcome.DELIVERED:
        webhook.position, webhook.delivered_at = parcel.upto, tx.now
        webhook.failures, webhook.failing_since, webhook.trouble = 0, None, None
        return True
    record_failure(tx, webhook, answer.code[:MAX_CODE_LENGTH])
    return False


def record_failure(tx: WriteTransaction, webhook: Webhook, code: str) -> None:
    """Postpone the next attempt, longer each time, and pause a webhook that keeps failing.

    A webhook is paused as stalled if it has failed for a day and in `GIVE_UP_WEIGHT`
    attempts, or if the receiver reports that it no longer exists. If a test was requested
    meanwhile, the next attempt is not postponed.
    """
    since = min(webhook.failing_since or tx.now, tx.now)
    webhook.failures += 1
    webhook.failing_since, webhook.trouble = since, code
    if webhook.ping is None:
        webhook.due_at = tx.now + compute_pause(webhook.failures, get_jitter(tx))
    is_dead = tx.now - since >= STALL_AFTER and is_given_up(webhook.failures)
    if webhook.paused_at is None and (code == GONE or is_dead):
        pause_as_stalled(tx, webhook)


def pause_as_stalled(tx: WriteTransaction, webhook: Webhook) -> None:
    """Pause a webhook as stalled, and notify its office that the webhook is paused."""
    webhook.paused_at, webhook.stalled = tx.now, True
    record_event(tx, webhook, "webhook.stalled")
    call_on(tx, [webhook.focal_point_id], "webhook.stalled")
