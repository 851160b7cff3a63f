"""Which offices were notified, and the text of a notification when it is sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from app.directory import queries as directory
from app.kernel.work import Reading
from app.notices.models import Telling
from app.notices.words import Letter, letter
from app.outbox.lifecycle import State
from app.outbox.models import Outgoing, Way


@dataclass(frozen=True)
class Told:
    """A notification of an office: how, when, and its state; never the address.

    `sent_at` is when a server took the message; whether it was read is unknown. `state` is
    None if the office had no contact.
    """

    focal_point_id: UUID
    case_id: UUID | None
    record_id: UUID | None
    why: str
    way: Way | None
    queued_at: datetime
    sent_at: datetime | None
    state: State | None


def told(
    work: Reading, *, case_id: UUID | None = None, record_ids: Iterable[UUID] = ()
) -> list[Told]:
    """List the notifications about a case, or about these records, oldest first.

    The caller has to check who may see them.
    """
    about: list[ColumnElement[bool]] = [Telling.record_id.in_(set(record_ids))]
    if case_id is not None:
        about.append(Telling.case_id == case_id)
    tellings = select(Telling, Outgoing).where(or_(*about)).order_by(Telling.number)
    rows = tellings.outerjoin(Outgoing, Telling.outgoing_id == Outgoing.id)
    return [spell(telling, sent) for telling, sent in work.session.execute(rows)]


def spell(telling: Telling, sent: Outgoing | None) -> Told:
    """Build the view of a notification and its message."""
    return Told(
        focal_point_id=telling.focal_point_id,
        case_id=telling.case_id,
        record_id=telling.record_id,
        why=telling.why,
        way=sent.way if sent else None,
        queued_at=telling.at,
        sent_at=sent.ended_at if sent and sent.state == State.SENT else None,
        state=sent.state if sent else None,
    )


def resting_on(work: Reading, outgoing_id: UUID) -> list[Telling]:
    """List the notifications that one message serves."""
    tellings = select(Telling).where(Telling.outgoing_id == outgoing_id)
    return list(work.session.scalars(tellings.order_by(Telling.number)))


def compose(work: Reading, outgoing: Outgoing, sign_in: str | None) -> Letter | None:
    """Return the message for a contact, or None if the contact is no longer in use."""
    found = directory.contact(work, outgoing.recipient)
    if found is None or not found[1].active or Way(found[1].channel) != outgoing.way:
        return None
    contact = found[1]
    return letter(outgoing.id, contact.address, contact.language, sign_in)
