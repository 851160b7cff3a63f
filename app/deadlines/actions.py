"""Setting and stopping clocks: each record has at most one running."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from app.deadlines import queries
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
    stop_all(work, [record_id])


def stop_all(work: Writing, record_ids: Iterable[UUID]) -> None:
    """Stop the clocks of some records."""
    work.session.flush()
    running = Clock.record_id.in_(list(record_ids)) & Clock.stopped_at.is_(None)
    work.session.execute(update(Clock).where(running).values(stopped_at=work.now))


def stop_kinds(work: Writing, case_id: UUID, *kinds: ClockKind) -> None:
    """Stop whatever of some kinds runs in a case."""
    work.session.flush()
    running = Clock.kind.in_(kinds) & Clock.stopped_at.is_(None)
    ended = update(Clock).where(Clock.case_id == case_id, running)
    work.session.execute(ended.values(stopped_at=work.now))


def stop_case(work: Writing, case_id: UUID) -> None:
    """Stop whatever runs in a case: nothing of it is left to do."""
    work.session.flush()
    running = (Clock.case_id == case_id) & Clock.stopped_at.is_(None)
    work.session.execute(update(Clock).where(running).values(stopped_at=work.now))


def go_on(
    work: Writing,
    record: Recorded,
    kind: ClockKind,
    fresh: datetime,
    *,
    waits_on: UUID | None,
) -> None:
    """Start a clock again with the time that was left when it was paused, else afresh."""
    left = queries.time_left(work, record.id, kind)
    until = fresh if left is None else work.now + left
    restart(work, record, kind, until, waits_on=waits_on)


def pass_on(work: Writing, record_ids: Iterable[UUID], waits_on: UUID | None) -> None:
    """Let what runs for these records wait for somebody else, until the same time."""
    work.session.flush()
    running = Clock.record_id.in_(list(record_ids)) & Clock.stopped_at.is_(None)
    work.session.execute(update(Clock).where(running).values(waits_on=waits_on))
