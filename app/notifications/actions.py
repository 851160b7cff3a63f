"""Functions that notify offices, so that they sign in (LIFECYCLES.md, section 7; R53).

An office that does not act may also have stopped reading its feed. A notification is sent
only if the transaction that queued it commits. Its text does not contain the reason.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from app.deadlines.limits import Priority
from app.directory import contact_queries
from app.directory.models import Contact
from app.kernel.transactions import WriteTransaction
from app.notifications import queries as notifications_queries
from app.notifications.models import Notification
from app.outbox.actions import add_message
from app.outbox.models import MessageChannel, Outgoing


@dataclass(frozen=True)
class Reason:
    """The reason for a notification, which is stored as evidence and never sent."""

    why: str
    case_id: UUID | None
    record_id: UUID | None


def notify_offices(  # noqa: PLR0913 - the reason is passed by keyword
    tx: WriteTransaction,
    focal_points: Iterable[UUID],
    why: str,
    *,
    urgency: Priority = Priority.NORMAL,
    case_id: UUID | None = None,
    record_id: UUID | None = None,
) -> frozenset[UUID]:
    """Notify offices through all of their contacts; return the offices without a contact.

    `why` is an event type, such as `case.not_acknowledged`. In a time window,
    each contact receives only one message; the next message covers all later reasons in the
    window. Call this only once in a transaction. It locks contacts in the order of their
    codes, and a second call would break this order and could cause a deadlock.
    """
    reason = Reason(why, case_id, record_id)
    found = contact_queries.lock_contacts(tx, focal_points)
    for focal_point, contact in found:
        message = add_message(tx, MessageChannel(contact.channel), contact.code, urgency)
        record_notification(tx, focal_point, reason, message)
    silent = set(focal_points) - {focal_point for focal_point, _ in found}
    for focal_point in sorted(silent):
        record_notification(tx, focal_point, reason, None)
    return frozenset(silent)


def record_notification(
    tx: WriteTransaction, focal_point: UUID, reason: Reason, outgoing: Outgoing | None
) -> None:
    """Record that an office is notified; `outgoing` is None if there is no contact."""
    notification = Notification(
        id=tx.create_id(),
        at=tx.now,
        focal_point_id=focal_point,
        why=reason.why,
        case_id=reason.case_id,
        record_id=reason.record_id,
        outgoing_id=outgoing and outgoing.id,
    )
    tx.session.add(notification)


def send_by_other_channel(tx: WriteTransaction, lost: Outgoing) -> bool:
    """Queue a lost message again, for another channel of the same duty post (R53).

    Returns False if there is no other channel, or if the lost message replaced another one.
    """
    known = contact_queries.find_contact(tx, lost.recipient)
    if known is None or lost.instead_of is not None:
        return False
    _, contact = known
    return notify_matching(tx, lost, lambda other: is_same_post(other, contact), lost.id)


def notify_again(tx: WriteTransaction, dropped: Outgoing) -> bool:
    """Notify an office through its present contacts, after a contact was removed.

    Contacts of the same channel are used, or all contacts if there are none. Returns False
    if the office has no contact.
    """
    instead_of = dropped.instead_of
    return notify_matching(
        tx, dropped, lambda other: MessageChannel(other.channel) == dropped.way, instead_of
    ) or notify_matching(tx, dropped, lambda _: True, instead_of)


def notify_matching(
    tx: WriteTransaction,
    failed: Outgoing,
    fits: Callable[[Contact], bool],
    instead_of: UUID | None,
) -> bool:
    """Queue a message for each contact that `fits` accepts; return whether any was queued.

    The new messages cover the notifications of the failed message.
    """
    notifications = notifications_queries.list_served(tx, failed.id)
    offices = {one.focal_point_id for one in notifications}
    found = contact_queries.lock_contacts(tx, offices)
    others = [(office, other) for office, other in found if fits(other)]
    for office, other in others:
        way = MessageChannel(other.channel)
        message = add_message(tx, way, other.code, failed.urgency, instead_of=instead_of)
        for one in notifications:
            if one.focal_point_id == office:
                reason = Reason(one.why, one.case_id, one.record_id)
                record_notification(tx, office, reason, message)
    return bool(others)


def is_same_post(other: Contact, contact: Contact) -> bool:
    """Return whether a contact is another channel to the same duty post."""
    return other.label == contact.label and other.channel != contact.channel
