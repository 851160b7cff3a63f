"""Reading webhooks: whose they are, which are due, and what goes next."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from app.directory import queries as directory
from app.directory.models import FocalPoint
from app.feed.cursors import Feed
from app.feed.queries import reach
from app.kernel.actors import Role
from app.kernel.journal import Mailbox
from app.kernel.problems import NotFound
from app.kernel.work import Reading, Writing
from app.outbox.pacing import LONGEST_PAUSE
from app.webhooks.models import Webhook, WebhookSecret
from app.webhooks.schemas import Ping, Standing, WebhookOut


def office(work: Reading, code: str | None) -> FocalPoint:
    """Find a focal point whose webhooks are the caller's to see; None: its own.

    Raises NotFound (404).
    """
    if code is None:
        return directory.by_id(work, work.actor.focal_point_id)
    found = directory.find(work, code)
    if not is_mine(work, found.id):
        raise NotFound("There is no such focal point.")
    return found


def is_mine(work: Reading, focal_point_id: UUID) -> bool:
    """Say whether the webhooks of a focal point are the caller's to see."""
    mine = focal_point_id == work.actor.focal_point_id
    return mine or Role.ADMINISTRATOR in work.actor.roles


def listed(work: Reading, focal_point_id: UUID) -> Sequence[Webhook]:
    """List the webhooks of a focal point, oldest first."""
    of_them = Webhook.focal_point_id == focal_point_id
    return work.session.scalars(
        select(Webhook).where(of_them).order_by(Webhook.number)
    ).all()


def count_open(work: Reading, focal_point_id: UUID) -> int:
    """Count the webhooks of a focal point that have not ended."""
    of_them = (Webhook.focal_point_id == focal_point_id) & Webhook.ended_at.is_(None)
    return work.session.scalars(select(func.count(Webhook.id)).where(of_them)).one()


def find(work: Reading, webhook_id: UUID) -> Webhook:
    """Find a webhook that is the caller's to see, or raise NotFound (404)."""
    return seen(work, work.session.scalar(chosen(webhook_id)))


def lock(work: Writing, webhook_id: UUID) -> Webhook:
    """Find one and hold it, or raise NotFound (404)."""
    held = chosen(webhook_id).with_for_update(key_share=True)
    return seen(work, work.session.scalar(held))


def chosen(webhook_id: UUID) -> Select[Webhook]:
    """Select one, afresh."""
    one = select(Webhook).where(Webhook.id == webhook_id)
    return one.execution_options(populate_existing=True)


def seen(work: Reading, found: Webhook | None) -> Webhook:
    """Hand out what is the caller's to see, or raise NotFound (404)."""
    if found is None or not is_mine(work, found.focal_point_id):
        raise NotFound("There is no such webhook.")
    return found


def show_one(work: Reading, webhook: Webhook) -> WebhookOut:
    """Show one, with how far its feed has arrived."""
    [shown] = show(work, directory.by_id(work, webhook.focal_point_id), [webhook])
    return shown


def show(work: Reading, of: FocalPoint, found: Iterable[Webhook]) -> list[WebhookOut]:
    """Show webhooks of a focal point, with how far its feed has arrived at each."""
    feed, head = reach(work, of.id)
    return [spell(one, of.code, feed, head) for one in found]


def spell(webhook: Webhook, code: str, feed: Feed, head: int) -> WebhookOut:
    """Spell one, whose feed has come so far."""
    asked = webhook.pinged_at
    return WebhookOut(
        id=webhook.id,
        focal_point=code,
        label=webhook.label,
        url=webhook.url,
        standing=standing_of(webhook),
        opened_at=webhook.opened_at,
        next=feed.format_cursor(webhook.position),
        behind=head - webhook.position,
        delivered_at=webhook.delivered_at,
        failing_since=webhook.failing_since,
        trouble=webhook.trouble,
        ping=Ping(asked_at=asked, answer=webhook.ping_answer) if asked else None,
    )


def standing_of(webhook: Webhook) -> Standing:
    """Say whether it is sent anything."""
    if webhook.ended_at is not None:
        return Standing.ENDED
    if webhook.paused_at is None:
        return Standing.ACTIVE
    return Standing.STALLED if webhook.stalled else Standing.PAUSED


def secrets(work: Reading, webhook_id: UUID, now: datetime) -> Sequence[WebhookSecret]:
    """List what its messages are signed with now, by senders' time; the newest first."""
    ends = WebhookSecret.ends_at
    lasting = or_(ends.is_(None), ends > now)
    its = select(WebhookSecret).where(WebhookSecret.webhook_id == webhook_id, lasting)
    newest = its.order_by(WebhookSecret.made_at.desc(), WebhookSecret.id)
    return work.session.scalars(newest).all()


def secrets_to_try(work: Reading) -> Iterator[WebhookSecret]:
    """Find a secret that signs for each key-encryption key that any is wrapped with."""
    signs = WebhookSecret.ends_at.is_(None)
    versions = select(WebhookSecret.version).where(signs).distinct()
    for version in work.session.scalars(versions).all():
        one = select(WebhookSecret).where(signs, WebhookSecret.version == version).limit(1)
        yield work.session.scalars(one).one()


def waiting(now: datetime) -> ColumnElement[bool]:
    """Keep those that may be sent something now, and have it; of offices that are active.

    A test goes also to one that was paused: that is how it is found to be mended. What is
    due later than anything can be was put off by a clock that was wrong, and is due.
    """
    head = select(Mailbox.head).where(Mailbox.focal_point_id == Webhook.focal_point_id)
    news = Webhook.paused_at.is_(None) & (head.scalar_subquery() > Webhook.position)
    of_active = Webhook.focal_point_id.not_in(directory.closed())
    due_now = or_(Webhook.due_at <= now, Webhook.due_at > now + 2 * LONGEST_PAUSE)
    live = Webhook.ended_at.is_(None) & due_now
    return live & of_active & or_(news, Webhook.ping.is_not(None))


def due(session: Session, now: datetime) -> Sequence[UUID]:
    """Name the webhooks that something is to be sent to, the longest due first."""
    found = select(Webhook.id).where(waiting(now)).order_by(Webhook.due_at, Webhook.number)
    return session.scalars(found).all()


def lock_due(work: Writing, webhook_id: UUID) -> Webhook | None:
    """Hold one if something is still to be sent to it, and nobody else has it in hand."""
    held = chosen(webhook_id).where(waiting(work.now))
    return work.session.scalar(held.with_for_update(skip_locked=True, key_share=True))


def claimed(work: Writing, webhook_id: UUID, claim: UUID) -> Webhook | None:
    """Hold one that a try is still the last of; None: another has begun since."""
    held = chosen(webhook_id).where(Webhook.claim == claim)
    return work.session.scalar(held.with_for_update(key_share=True))


def open_ones(session: Session) -> Sequence[Webhook]:
    """List the webhooks that were not ended."""
    live = select(Webhook).where(Webhook.ended_at.is_(None))
    return session.scalars(live.order_by(Webhook.number)).all()


@dataclass(frozen=True)
class Counts:
    """How the webhooks stand: how many fail and since when, and how many stalled."""

    failing: int
    failing_since: datetime | None
    stalled: int


def counts(session: Session) -> Counts:
    """Count, for status and metrics."""
    live = Webhook.ended_at.is_(None)
    active = live & Webhook.paused_at.is_(None) & Webhook.failing_since.is_not(None)
    asked = select(func.count(), func.min(Webhook.failing_since)).where(active)
    failing, since = session.execute(asked).one()
    stalled = select(func.count()).where(
        live, Webhook.paused_at.is_not(None), Webhook.stalled
    )
    return Counts(failing, since, session.scalars(stalled).one())
