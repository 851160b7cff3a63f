"""Functions that create, pause, test and end webhooks (R62).

A message has no content, but it reveals the time of an event to an external system.
Therefore, a new webhook needs the approval of a second person, as a new key does.
"""

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.access.models import Approval
from app.administration.account_changes import (
    GuardedChange,
    ask_or_claim_approval,
    require_manager,
    require_may_change,
)
from app.directory import queries as directory_queries
from app.feed.queries import get_feed
from app.kernel.db import lock_name
from app.kernel.problems import Problem
from app.kernel.transactions import WriteTransaction
from app.webhooks import queries as webhook_queries
from app.webhooks.addresses import parse_target
from app.webhooks.models import Webhook, WebhookSecret
from app.webhooks.schemas import WebhookInput
from app.webhooks.signing import SECRET_BYTES, encode_secret

MAX_WEBHOOKS: Final = 5
"""The maximum number of webhooks of a focal point. Each may occupy a worker thread."""
PING_INTERVAL: Final = timedelta(seconds=30)
"""The minimum time between two test messages. An attempt takes up to ten seconds."""


class HostNotListed(Problem):
    """The operator of this service has not listed this host for webhooks."""

    status = 422


class TooManyWebhooks(Problem):
    """The focal point has the maximum number of webhooks."""

    status = 409


class WebhookEnded(Problem):
    """The webhook has ended and cannot be used again."""

    status = 409


class TooManyPings(Problem):
    """Too many test messages were requested; this one was not sent."""

    status = 429


@dataclass(frozen=True)
class MadeWebhook:
    """A webhook with its newest secret; `secret` is None if it was already shown."""

    row: Webhook
    secret: str | None

    @property
    def id(self) -> UUID:
        """The id of the webhook, by which a retried request finds the webhook."""
        return self.row.id


def create_webhook(
    tx: WriteTransaction, new: WebhookInput, approval: UUID | None
) -> MadeWebhook | Approval:
    """Create a webhook for a feed; without `approval`, request and return an approval.

    Raises RoleMissing (403), FocalPointUnknown or HostNotListed (422), or TooManyWebhooks
    or ApprovalUnusable (409).
    """
    require_manager(tx)
    of = directory_queries.get_by_code_or_422(tx, new.focal_point)
    require_may_change(tx, of.id, frozenset())
    if parse_target(new.url).origin not in tx.runtime.hosts:
        raise HostNotListed("Ask the operator to list it in SAFE_CONDUCT_WEBHOOK_HOSTS.")
    lock_name(tx.session, f"webhooks:{of.id}")
    if webhook_queries.count_open(tx, of.id) >= MAX_WEBHOOKS:
        raise TooManyWebhooks(
            f"A focal point may have at most {MAX_WEBHOOKS} webhooks. End one first."
        )
    body = new.model_dump(mode="json")
    matter = GuardedChange("webhook.open", "webhooks", of, frozenset(), body)
    if question := ask_or_claim_approval(tx, matter, approval):
        return question
    webhook = add_webhook(tx, of.id, new)
    record_event(tx, webhook, "webhook.created")
    return MadeWebhook(webhook, make_secret(tx, webhook))


def add_webhook(tx: WriteTransaction, focal_point_id: UUID, new: WebhookInput) -> Webhook:
    """Store a new webhook that starts at the present end of the feed."""
    _, head = get_feed(tx, focal_point_id)
    webhook = Webhook(
        id=tx.create_id(),
        focal_point_id=focal_point_id,
        label=new.label,
        url=new.url,
        opened_at=tx.now,
        stalled=False,
        position=head,
        delayed_to=head,
        due_at=tx.runtime.time(tx.session),
        failures=0,
    )
    tx.session.add(webhook)
    tx.session.flush()
    return webhook


def make_secret(tx: WriteTransaction, webhook: Webhook) -> str:
    """Store a new secret for the messages of a webhook, and return it encoded."""
    secret, one = secrets.token_bytes(SECRET_BYTES), tx.create_id()
    version, wrapped = tx.vault.wrap_secret(secret, *get_secret_place(one))
    row = WebhookSecret(
        id=one, webhook_id=webhook.id, version=version, wrapped=wrapped, made_at=tx.now
    )
    tx.session.add(row)
    return encode_secret(secret)


def get_secret_place(secret_id: UUID) -> tuple[str, str]:
    """Return the table and id to which the encryption of a secret is bound."""
    return WebhookSecret.__tablename__, str(secret_id)


def lock_open(tx: WriteTransaction, webhook_id: UUID) -> Webhook:
    """Lock a webhook for a change, or raise WebhookEnded (409) if it has ended.

    Raises RoleMissing (403) or NotFound (404) if the caller may not change or see it.
    """
    require_manager(tx)
    webhook = webhook_queries.lock_webhook(tx, webhook_id)
    require_may_change(tx, webhook.focal_point_id, frozenset())
    if webhook.ended_at is not None:
        raise WebhookEnded("Open another webhook.")
    return webhook


def rotate_secret(
    tx: WriteTransaction, webhook_id: UUID, overlap_hours: int
) -> MadeWebhook:
    """Create a new secret. Earlier secrets expire after at most `overlap_hours`.

    Secrets expire by the clock of the database, which the sender of messages uses too.
    """
    webhook, now = lock_open(tx, webhook_id), tx.runtime.time(tx.session)
    over = now + timedelta(hours=overlap_hours)
    for old in webhook_queries.list_secrets(tx, webhook.id, now):
        old.ends_at = min(old.ends_at or over, over)
    record_event(tx, webhook, "webhook.secret_rotated")
    return MadeWebhook(webhook, make_secret(tx, webhook))


def pause_webhook(tx: WriteTransaction, webhook_id: UUID) -> Webhook:
    """Pause a webhook. Raises the errors of `lock_open`."""
    webhook = lock_open(tx, webhook_id)
    if webhook.paused_at is None:
        webhook.paused_at = tx.now
        record_event(tx, webhook, "webhook.paused")
    return webhook


def resume_webhook(tx: WriteTransaction, webhook_id: UUID) -> Webhook:
    """Resume a webhook at its last position. Raises the errors of `lock_open`."""
    webhook = lock_open(tx, webhook_id)
    if webhook.paused_at is not None:
        webhook.paused_at, webhook.stalled = None, False
        webhook.failures, webhook.failing_since = 0, None
        schedule_now(tx, webhook)
        record_event(tx, webhook, "webhook.resumed")
    return webhook


def end_webhook(tx: WriteTransaction, webhook_id: UUID) -> Webhook:
    """Permanently end a webhook and its secrets. Raises the errors of `lock_open`."""
    webhook, now = lock_open(tx, webhook_id), tx.runtime.time(tx.session)
    webhook.ended_at = tx.now
    for secret in webhook_queries.list_secrets(tx, webhook.id, now):
        secret.ends_at = now
    record_event(tx, webhook, "webhook.ended")
    return webhook


def replay_events(tx: WriteTransaction, webhook_id: UUID, after: str | None) -> Webhook:
    """Reset a webhook to a cursor, or to the start of the feed, to send its events again.

    The result of an attempt that is under way is ignored, because the position has changed.
    """
    webhook = lock_open(tx, webhook_id)
    feed, head = get_feed(tx, webhook.focal_point_id)
    webhook.position = feed.read_cursor(after, head) if after is not None else 0
    webhook.claim = None
    schedule_now(tx, webhook)
    record_event(tx, webhook, "webhook.replayed")
    return webhook


def request_ping(tx: WriteTransaction, webhook_id: UUID) -> Webhook:
    """Make the next message to a webhook a test message, or raise TooManyPings (429)."""
    webhook = lock_open(tx, webhook_id)
    check_ping_interval(webhook, tx.now)
    webhook.ping, webhook.ping_answer = tx.create_id(), None
    webhook.pinged_at = tx.now
    webhook.delayed_to = min(webhook.delayed_to, webhook.position)
    schedule_now(tx, webhook)
    return webhook


def check_ping_interval(webhook: Webhook, now: datetime) -> None:
    """Raise TooManyPings (429) if a test message was requested too recently.

    The limit is shared by all accounts. The time of the last request may lie in the future,
    because the clocks of two servers may differ.
    """
    if webhook.pinged_at is None:
        return
    wait = PING_INTERVAL - abs(now - webhook.pinged_at)
    if wait > timedelta():
        raise TooManyPings(
            f"This webhook was tested less than {PING_INTERVAL.seconds} seconds ago. See "
            "`ping.answer` of the webhook for the result, or test it again later.",
            wait=math.ceil(wait.total_seconds()),
        )


def schedule_now(tx: WriteTransaction, webhook: Webhook) -> None:
    """Make a webhook due now, unless an attempt is under way."""
    if webhook.claim is None:
        webhook.due_at = tx.runtime.time(tx.session)


def record_event(tx: WriteTransaction, webhook: Webhook, event: str, **facts: Any) -> None:
    """Record an event about a webhook for its focal point and for oversight."""
    audience = frozenset({webhook.focal_point_id}) | directory_queries.list_overseers(tx)
    tx.record(event, webhook, audience, facts)
