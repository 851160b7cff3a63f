"""Carrying a feed to its receivers: what goes next, and what came of it (R53).

One event at a time, and the next one once it arrived: so they arrive in order, however
often a try fails, and at least once, whoever dies in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.feed.queries import reach
from app.kernel.work import Reading, Writing
from app.notices.actions import tell as call_on
from app.outbox.actions import CODE, Answer, luck
from app.outbox.pacing import LONGEST_TRY, Outcome, is_over, pause
from app.webhooks import queries
from app.webhooks.actions import place_of, tell
from app.webhooks.addresses import Target, read_target
from app.webhooks.models import Webhook
from app.webhooks.schemas import MessageData, MessageType, WebhookMessage
from app.webhooks.signing import headers

STALLS_AFTER: Final = timedelta(days=1)
"""So long nothing arrived, of as many tries as a notice has: somebody has to look, and
nothing more is tried. A worker that was away for a day has tried nothing meanwhile."""
ID_DIGITS: Final = 32
GONE: Final = "410"
"""What a receiver says that wants no more (Standard Webhooks)."""


@dataclass(frozen=True)
class Parcel:
    """A message on its way: by which try, to where, and how far the feed is then."""

    id: UUID
    webhook: UUID
    claim: UUID
    target: Target
    headers: Mapping[str, str]
    body: bytes
    upto: int | None
    """None: it is a test."""


def take(
    work: Writing, webhook_id: UUID, longest: timedelta = timedelta()
) -> Parcel | None:
    """Take the next message of a webhook in hand; None: there is none to send now.

    Committed before a word goes out: should this process die, it is sent anew, and not
    before the try is over. `longest`: the longest delay of new events.
    """
    webhook = queries.lock_due(work, webhook_id)
    if webhook is None or put_off(work, webhook, longest):
        return None
    webhook.claim, webhook.due_at = work.new_id(), work.now + LONGEST_TRY
    name, upto, message = written(work, webhook)
    body = message.spelled()
    secrets = [
        work.vault.bring_out(one.version, one.wrapped, *place_of(one.id))
        for one in queries.secrets(work, webhook.id, work.now)
    ]
    return Parcel(
        id=name,
        webhook=webhook.id,
        claim=webhook.claim,
        target=read_target(webhook.url),
        headers=headers(secrets, str(name), work.now, body),
        body=body,
        upto=upto,
    )


def put_off(work: Writing, webhook: Webhook, longest: timedelta) -> bool:
    """Delay new events at random, once; return whether they are delayed by this call.

    An event that two offices hear is sent to both. A host that receives for both could
    tell by the time that they share a case. What is sent again is not delayed.
    """
    is_delayed_already = webhook.position < webhook.delayed_to
    if webhook.ping is not None or is_delayed_already or not longest:
        return False
    _, webhook.delayed_to = reach(work, webhook.focal_point_id)
    webhook.due_at = work.now + longest * luck(work)
    return True


def written(work: Reading, webhook: Webhook) -> tuple[UUID, int | None, WebhookMessage]:
    """Word the next message; says by which id, and how far the feed is once it arrived.

    It has nothing in common with a message to another webhook: no id of an event, no time
    of one. Two receivers of one host cannot tell that they hear of the same case.
    """
    feed, _ = reach(work, webhook.focal_point_id)
    now = work.now.replace(microsecond=0)
    if webhook.ping is not None:
        data = MessageData(next=feed.format_cursor(webhook.position))
        told = WebhookMessage(type=MessageType.PING, timestamp=now, data=data)
        return webhook.ping, None, told
    upto = webhook.position + 1
    data = MessageData(next=feed.format_cursor(upto))
    told = WebhookMessage(type=MessageType.EVENT, timestamp=now, data=data)
    return make_message_id(work, webhook, feed.epoch, upto), upto, told


def make_message_id(work: Reading, webhook: Webhook, epoch: str, position: int) -> UUID:
    """Return the id of the message about a position of a feed, the same at each try.

    It is keyed, so that nobody can compute it, and looks like the random id of a ping.
    """
    parts = ("webhook message", str(webhook.id), epoch, str(position))
    digest = work.vault.fingerprint(*(part.encode() for part in parts))
    return UUID(hex=digest[:ID_DIGITS], version=4)


def settle(work: Writing, parcel: Parcel, answer: Answer) -> bool:
    """Say what came of a try; False: the next message has to wait.

    Of one that another try overtook nothing is kept, and of a test nothing where another
    was asked for meanwhile: that one goes next.
    """
    webhook = queries.claimed(work, parcel.webhook, parcel.claim)
    if webhook is None:
        return False
    webhook.claim, webhook.due_at = None, work.now
    if parcel.upto is None:
        if webhook.ping == parcel.id:
            webhook.ping, webhook.ping_answer = None, answer.code[:CODE]
        return True
    if answer.outcome == Outcome.DELIVERED:
        webhook.position, webhook.delivered_at = parcel.upto, work.now
        webhook.failures, webhook.failing_since, webhook.trouble = 0, None, None
        return True
    failed(work, webhook, answer.code[:CODE])
    return False


def failed(work: Writing, webhook: Webhook, code: str) -> None:
    """Put the next try off, ever longer; after a day of failures, until somebody looks.

    A test that was asked for meanwhile goes at once.
    """
    since = min(webhook.failing_since or work.now, work.now)
    webhook.failures += 1
    webhook.failing_since, webhook.trouble = since, code
    if webhook.ping is None:
        webhook.due_at = work.now + pause(webhook.failures, luck(work))
    is_dead = work.now - since >= STALLS_AFTER and is_over(webhook.failures)
    if webhook.paused_at is None and (code == GONE or is_dead):
        stall(work, webhook)


def stall(work: Writing, webhook: Webhook) -> None:
    """Send nothing any more, and call on its office: it may believe that all is well."""
    webhook.paused_at, webhook.stalled = work.now, True
    tell(work, webhook, "webhook.stalled")
    call_on(work, [webhook.focal_point_id], "webhook.stalled")
