"""Queries for webhooks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from app.directory import queries as directory_queries
from app.directory.models import FocalPoint
from app.feed.cursors import Feed
from app.feed.queries import get_feed
from app.kernel.actors import Role
from app.kernel.journal import Mailbox
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.outbox.pacing import LONGEST_PAUSE
from app.webhooks.models import Webhook, WebhookSecret
from app.webhooks.schemas import Ping, WebhookOut, WebhookState


def get_office(tx: ReadTransaction, code: str | None) -> FocalPoint:
    """Return an office whose webhooks the caller may see, by default the caller's own.

    Raises NotFound (404) if there is no such office, or if the caller may not see them.
    """
    if code is None:
        return directory_queries.by_id(tx, tx.actor.focal_point_id)
    found = directory_queries.get_by_code(tx, code)
    if not may_see(tx, found.id):
        raise NotFound("There is no such focal point.")
    return found


def may_see(tx: ReadTransaction, focal_point_id: UUID) -> bool:
    """Return whether the caller may see the webhooks of a focal point."""
    is_own = focal_point_id == tx.actor.focal_point_id
    return is_own or Role.ADMINISTRATOR in tx.actor.roles


def list_webhooks(tx: ReadTransaction, focal_point_id: UUID) -> Sequence[Webhook]:
    """List the webhooks of a focal point, oldest first."""
    of_them = Webhook.focal_point_id == focal_point_id
    return tx.session.scalars(select(Webhook).where(of_them).order_by(Webhook.number)).all()


def count_open(tx: ReadTransaction, focal_point_id: UUID) -> int:
    """Count the webhooks of a focal point that have not ended."""
    of_them = (Webhook.focal_point_id == focal_point_id) & Webhook.ended_at.is_(None)
    return tx.session.scalars(select(func.count(Webhook.id)).where(of_them)).one()


def get_webhook(tx: ReadTransaction, webhook_id: UUID) -> Webhook:
    """Return a webhook that the caller may see, or raise NotFound (404)."""
    return require_visible(tx, tx.session.scalar(select_webhook(webhook_id)))


def lock_webhook(tx: WriteTransaction, webhook_id: UUID) -> Webhook:
    """Lock and return a webhook that the caller may see, or raise NotFound (404)."""
    held = select_webhook(webhook_id).with_for_update(key_share=True)
    return require_visible(tx, tx.session.scalar(held))


def select_webhook(webhook_id: UUID) -> Select[Webhook]:
    """Return a query for a webhook that also refreshes an object that is loaded already."""
    one = select(Webhook).where(Webhook.id == webhook_id)
    return one.execution_options(populate_existing=True)


def require_visible(tx: ReadTransaction, found: Webhook | None) -> Webhook:
    """Return the webhook if the caller may see it, or raise NotFound (404)."""
    if found is None or not may_see(tx, found.focal_point_id):
        raise NotFound("There is no such webhook.")
    return found


def show_webhook(tx: ReadTransaction, webhook: Webhook) -> WebhookOut:
    """Return a webhook as the API shows it."""
    office = directory_queries.by_id(tx, webhook.focal_point_id)
    return show_webhooks(tx, office, [webhook])[0]


def show_webhooks(
    tx: ReadTransaction, of: FocalPoint, found: Iterable[Webhook]
) -> list[WebhookOut]:
    """Return webhooks as the API shows them, with positions in the feed of their office."""
    feed, head = get_feed(tx, of.id)
    return [describe_webhook(one, of.code, feed, head) for one in found]


def describe_webhook(webhook: Webhook, code: str, feed: Feed, head: int) -> WebhookOut:
    """Return a webhook as the API shows it; `head` is the newest position of its feed."""
    asked = webhook.pinged_at
    return WebhookOut(
        id=webhook.id,
        focal_point=code,
        label=webhook.label,
        url=webhook.url,
        state=get_state(webhook),
        opened_at=webhook.opened_at,
        cursor=feed.format_cursor(webhook.position),
        undelivered=head - webhook.position,
        delivered_at=webhook.delivered_at,
        failing_since=webhook.failing_since,
        last_error=webhook.trouble,
        ping=Ping(asked_at=asked, answer=webhook.ping_answer) if asked else None,
    )


def get_state(webhook: Webhook) -> WebhookState:
    """Return whether a webhook is active, paused, stalled or ended."""
    if webhook.ended_at is not None:
        return WebhookState.ENDED
    if webhook.paused_at is None:
        return WebhookState.ACTIVE
    return WebhookState.STALLED if webhook.stalled else WebhookState.PAUSED


def list_secrets(
    tx: ReadTransaction, webhook_id: UUID, now: datetime
) -> Sequence[WebhookSecret]:
    """List the secrets that sign messages at the time `now`, newest first."""
    ends = WebhookSecret.ends_at
    lasting = or_(ends.is_(None), ends > now)
    its = select(WebhookSecret).where(WebhookSecret.webhook_id == webhook_id, lasting)
    newest = its.order_by(WebhookSecret.made_at.desc(), WebhookSecret.id)
    return tx.session.scalars(newest).all()


def is_due(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition for webhooks to which a message may be sent now.

    A test message is also sent to a paused webhook, to find out whether it works again. A
    webhook is also due if a wrong clock set its due time further away than any pause.
    """
    head = select(Mailbox.head).where(Mailbox.focal_point_id == Webhook.focal_point_id)
    news = Webhook.paused_at.is_(None) & (head.scalar_subquery() > Webhook.position)
    of_active = Webhook.focal_point_id.not_in(directory_queries.select_closed())
    due_now = or_(Webhook.due_at <= now, Webhook.due_at > now + 2 * LONGEST_PAUSE)
    live = Webhook.ended_at.is_(None) & due_now
    return live & of_active & or_(news, Webhook.ping.is_not(None))


def list_due(session: Session, now: datetime) -> Sequence[UUID]:
    """List the ids of the webhooks that are due, ordered by due time."""
    found = select(Webhook.id).where(is_due(now)).order_by(Webhook.due_at, Webhook.number)
    return session.scalars(found).all()


def lock_due(tx: WriteTransaction, webhook_id: UUID) -> Webhook | None:
    """Lock and return a webhook, or None if it is not due or another sender has locked it.

    A webhook that was altered outside the service counts as ended, and is not returned.
    """
    held = select_webhook(webhook_id).where(is_due(tx.now))
    found = tx.session.scalar(held.with_for_update(skip_locked=True, key_share=True))
    return None if found is None or found.ended_at is not None else found


def lock_claimed(tx: WriteTransaction, webhook_id: UUID, claim: UUID) -> Webhook | None:
    """Lock and return a webhook, or return None if this claim is no longer valid."""
    held = select_webhook(webhook_id).where(Webhook.claim == claim)
    return tx.session.scalar(held.with_for_update(key_share=True))


def list_open(session: Session) -> Sequence[Webhook]:
    """List the webhooks that have not ended and were not altered outside the service."""
    live = select(Webhook).where(Webhook.ended_at.is_(None))
    found = session.scalars(live.order_by(Webhook.number))
    return [one for one in found if one.ended_at is None]


@dataclass(frozen=True)
class Failing:
    """Codes of the offices whose webhooks fail, each with the time since when, or stalled.

    A stalled webhook gets nothing.
    """

    failing: Sequence[tuple[str, datetime]]
    stalled: Sequence[str]


def list_failing(session: Session) -> Failing:
    """List the webhooks that fail or are stalled, for status and metrics."""
    is_failing = Webhook.paused_at.is_(None) & Webhook.failing_since.is_not(None)
    is_stalled = Webhook.paused_at.is_not(None) & Webhook.stalled
    columns = select(FocalPoint.code, Webhook.failing_since, is_stalled)
    joined = columns.join(FocalPoint, FocalPoint.id == Webhook.focal_point_id)
    live = joined.where(Webhook.ended_at.is_(None), is_failing | is_stalled)
    rows = session.execute(live.order_by(Webhook.number)).all()
    return Failing(
        failing=[(code, since) for code, since, stalled in rows if since and not stalled],
        stalled=[code for code, _, stalled in rows if stalled],
    )
