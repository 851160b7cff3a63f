"""Calling on offices: something waits, sign in (LIFECYCLES.md, section 7; R53).

A feed is not read by a silent desk. What is queued here leaves if and only if the act that
called for it is committed; no word of the act goes with it.
"""

from collections.abc import Callable, Iterable
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
    _, contact = known
    return tell_by(work, lost, lambda one: is_same_post(one, contact), lost.id)


def call_anew(work: Writing, dropped: Outgoing) -> bool:
    """Call on an office by the contacts it has now, where one was shut; False: it has none.

    By the same channel; if it has no more of that by any other, though it be told twice.
    """
    instead_of = dropped.instead_of
    return tell_by(
        work, dropped, lambda one: Way(one.channel) == dropped.way, instead_of
    ) or tell_by(work, dropped, lambda _: True, instead_of)


def tell_by(
    work: Writing, gone: Outgoing, suits: Callable[[Contact], bool], instead_of: UUID | None
) -> bool:
    """Tell what one did not that went nowhere, by contacts that suit; False: none does."""
    tellings = queries.resting_on(work, gone.id)
    found = directory.lock_contacts(work, {one.focal_point_id for one in tellings})
    others = [(office, one) for office, one in found if suits(one)]
    for office, other in others:
        way = Way(other.channel)
        sent = queue(work, way, other.code, gone.urgency, instead_of=instead_of)
        for telling in tellings:
            if telling.focal_point_id == office:
                about = About(telling.why, telling.case_id, telling.record_id)
                keep(work, office, about, sent)
    return bool(others)


def is_same_post(other: Contact, contact: Contact) -> bool:
    """Say whether it is another way to the same duty post."""
    return other.label == contact.label and other.channel != contact.channel
