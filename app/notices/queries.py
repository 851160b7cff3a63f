"""What was told to whom, and what a notice says when it goes."""

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
    """That an office was called on: how, when, and what came of it; never where.

    `sent_at` is when a server took the message: nobody knows whether it was read. Without
    a `state` there was nobody to call on.
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
    """List who was called on about a case, or about these records, oldest first.

    It judges not who may know: whoever shows it does.
    """
    about: list[ColumnElement[bool]] = [Telling.record_id.in_(set(record_ids))]
    if case_id is not None:
        about.append(Telling.case_id == case_id)
    mine = select(Telling, Outgoing).where(or_(*about)).order_by(Telling.number)
    rows = mine.outerjoin(Outgoing, Telling.outgoing_id == Outgoing.id)
    return [spell(telling, sent) for telling, sent in work.session.execute(rows)]


def spell(telling: Telling, sent: Outgoing | None) -> Told:
    """Put together what was to be told and what came of it."""
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
    """List what one message was to tell."""
    mine = select(Telling).where(Telling.outgoing_id == outgoing_id)
    return list(work.session.scalars(mine.order_by(Telling.number)))


def compose(work: Reading, outgoing: Outgoing, sign_in: str | None) -> Letter | None:
    """Word a notice for its contact as it is now; None: nobody is to be called on there."""
    found = directory.contact(work, outgoing.recipient)
    if found is None or not found[1].active or Way(found[1].channel) != outgoing.way:
        return None
    contact = found[1]
    return letter(outgoing.id, contact.address, contact.language, sign_in)
