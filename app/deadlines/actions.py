"""Setting and stopping clocks: each record has at most one running."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from app.deadlines.limits import ClockKind
from app.deadlines.models import Clock
from app.kernel.work import Recorded, Writing


def restart(
    work: Writing,
    record: Recorded,
    kind: ClockKind,
    due_at: datetime,
    *,
    waits_on: UUID | None,
) -> None:
    """Stop what ran for this record and start what its new state waits for."""
    stop(work, record.id)
    clock = Clock(
        case_id=record.case_id,
        record_id=record.id,
        reference=record.reference,
        kind=kind,
        waits_on=waits_on,
        set_at=work.now,
        due_at=due_at,
    )
    work.session.add(clock)


def stop(work: Writing, record_id: UUID) -> None:
    """Stop the clock of a record: it was answered, or the question is moot."""
    work.session.flush()
    running = (Clock.record_id == record_id) & Clock.stopped_at.is_(None)
    work.session.execute(update(Clock).where(running).values(stopped_at=work.now))
