"""Calling on offices: something waits, sign in (LIFECYCLES.md, section 7; R53).

A feed is not read by a silent desk. What is queued here leaves if and only if the act that
called for it is committed; no word of the act goes with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.deadlines.limits import Priority
from app.directory import queries as directory
from app.directory.models import Contact
from app.kernel.work import Writing
from app.notices import queries
from app.notices.models import Telling
from app.outbox.actions import queue
from app.outbox.models import Outgoing, Way


@dataclass(frozen=True)
class About:
    """What an office is called on about: kept as evidence, and never sent."""

    why: str
    case_id: UUID | None
    record_id: UUID | None


def tell(  # noqa: PLR0913 - what it is about, each by its name
    work: Writing,
    focal_points: Iterable[UUID],
    why: str,
    *,
    urgency: Priority = Priority.NORMAL,
    case_id: UUID | None = None,
    record_id: UUID | None = None,
) -> frozenset[UUID]:
    """Call on offices by every contact they have; says which of them have none.

    `why` is an event of the journal, such as `case.not_acknowledged`. Each contact is sent
    one message in a window; the next one is for all that came up in it. Call it once in a
    unit of work: contacts are held in the order of their codes.
    """
    about = About(why, case_id, record_id)
    found = directory.lock_contacts(work, focal_points)
    for focal_point, contact in found:
        sent = queue(work, Way(contact.channel), contact.code, urgency)
        keep(work, focal_point, about, sent)
    silent = set(focal_points) - {focal_point for focal_point, _ in found}
    for focal_point in sorted(silent):
        keep(work, focal_point, about, None)
    return frozenset(silent)


def keep(work: Writing, focal_point: UUID, about: About, outgoing: Outgoing | None) -> None:
    """Keep that an office was to be called on, and by what."""
    telling = Telling(
        id=work.new_id(),
        at=work.now,
        focal_point_id=focal_point,
        why=about.why,
        case_id=about.case_id,
        record_id=about.record_id,
        outgoing_id=outgoing and outgoing.id,
    )
    work.session.add(telling)


def fall_back(work: Writing, lost: Outgoing) -> bool:
    """Call on the same duty post by its other channel, once; False: there is none (R53).

    A message that goes instead of another is not followed by a third.
    """
    known = directory.contact(work, lost.recipient)
    if known is None or lost.instead_of is not None:
        return False
    focal_point, contact = known
    ours = [one for _, one in directory.lock_contacts(work, [focal_point])]
    others = [one for one in ours if is_same_post(one, contact)]
    tellings = queries.resting_on(work, lost.id)
    for other in others:
        way = Way(other.channel)
        sent = queue(work, way, other.code, lost.urgency, instead_of=lost.id)
        for telling in tellings:
            about = About(telling.why, telling.case_id, telling.record_id)
            keep(work, focal_point, about, sent)
    return bool(others)


def is_same_post(other: Contact, contact: Contact) -> bool:
    """Say whether it is another way to the same duty post."""
    return other.label == contact.label and other.channel != contact.channel
