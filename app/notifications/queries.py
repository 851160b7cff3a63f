"""Queries for notifications, and the function that builds a message for a contact."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from app.directory import contact_queries
from app.kernel.transactions import ReadTransaction
from app.notifications.models import Notification
from app.notifications.words import NotificationMessage, write_message
from app.outbox.lifecycle import FAILED, State
from app.outbox.models import MessageChannel, Outgoing


@dataclass(frozen=True)
class NotificationView:
    """A notification to an office: its channel, times and state, but not its address.

    `sent_at` is the time at which a server accepted the message; it is not known whether
    the message was read. `failed_at` is the time at which the message was given up or
    dropped; its repetitions were queued at the same time. `state` is None if the office had
    no contact.
    """

    focal_point_id: UUID
    case_id: UUID | None
    record_id: UUID | None
    why: str
    way: MessageChannel | None
    queued_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None
    state: State | None


def list_notifications(
    tx: ReadTransaction, *, case_id: UUID | None = None, record_ids: Iterable[UUID] = ()
) -> list[NotificationView]:
    """List the notifications about a case or about the given records, oldest first.

    The caller has to check whether the reader may see the notifications.
    """
    about: list[ColumnElement[bool]] = [Notification.record_id.in_(set(record_ids))]
    if case_id is not None:
        about.append(Notification.case_id == case_id)
    found = select(Notification, Outgoing).where(or_(*about)).order_by(Notification.number)
    rows = found.outerjoin(Outgoing, Notification.outgoing_id == Outgoing.id)
    return [build_view(*row) for row in tx.session.execute(rows)]


def build_view(notification: Notification, message: Outgoing | None) -> NotificationView:
    """Build the view of a notification and of its message, if it has one."""
    return NotificationView(
        focal_point_id=notification.focal_point_id,
        case_id=notification.case_id,
        record_id=notification.record_id,
        why=notification.why,
        way=message.way if message else None,
        queued_at=notification.at,
        sent_at=message.ended_at if message and message.state == State.SENT else None,
        failed_at=message.ended_at if message and message.state in FAILED else None,
        state=message.state if message else None,
    )


def list_served(tx: ReadTransaction, outgoing_id: UUID) -> list[Notification]:
    """List the notifications that are sent as one message."""
    found = select(Notification).where(Notification.outgoing_id == outgoing_id)
    return list(tx.session.scalars(found.order_by(Notification.number)))


def build_message(
    tx: ReadTransaction, outgoing: Outgoing, sign_in: str | None
) -> NotificationMessage | None:
    """Return the message for a contact, or None if the contact is no longer in use.

    A contact is in use if it is active, still has the channel of the message, and neither
    the contact nor its office was altered outside the service. `sign_in` is the sign-in
    address, or None to leave it out.
    """
    found = contact_queries.find_contact(tx, outgoing.recipient)
    if (
        found is None
        or not found[1].active
        or MessageChannel(found[1].channel) != outgoing.way
    ):
        return None
    contact = found[1]
    return write_message(outgoing.id, contact.address, contact.language, sign_in)
