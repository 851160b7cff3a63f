"""Functions that start and stop deadlines. A record has at most one running deadline."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.deadlines import missed_deadlines
from app.deadlines import queries as deadline_queries
from app.deadlines.durations import Term
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock, Firing
from app.kernel.protected_rows import raise_altered
from app.kernel.recall import may_have_rows, write_rows
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import Recorded, WriteTransaction

OF_KINDS: Final = Clock.kind.in_(make_list_parameter("kinds"))
UPDATE_RUNNING: Final = update(Clock).where(Clock.stopped_at.is_(None))
UPDATE_OF_RECORDS: Final = UPDATE_RUNNING.where(
    Clock.record_id.in_(make_list_parameter("records"))
)
UPDATE_IN_CASE: Final = UPDATE_RUNNING.where(Clock.case_id == bindparam("case"))
UPDATE_KINDS_IN_CASE: Final = UPDATE_IN_CASE.where(OF_KINDS)
STOPPED: Final[dict[str, Any]] = {"stopped_at": bindparam("now")}
STOP: Final = UPDATE_OF_RECORDS.values(STOPPED)
STOP_CASE, STOP_KINDS = UPDATE_IN_CASE.values(STOPPED), UPDATE_KINDS_IN_CASE.values(STOPPED)
UPDATE_BEFORE: Final = UPDATE_RUNNING.where(
    OF_KINDS, bindparam("until") > missed_deadlines.HANDLED_AT
)
PAUSED: Final[dict[str, Any]] = {"fires_at": bindparam("until")}
PAUSE: Final = UPDATE_BEFORE.values(PAUSED).returning(Clock.number)


def restart(
    tx: WriteTransaction,
    record: Recorded,
    kind: DeadlineKind,
    due_at: datetime,
    *,
    waits_on: UUID | None,
) -> None:
    """Stop the deadline of a record, and start a deadline for the record's new state."""
    stop(tx, record.id)
    start(tx, record, kind, due_at, waits_on=waits_on)


def start(
    tx: WriteTransaction,
    record: Recorded,
    kind: DeadlineKind,
    due_at: datetime,
    *,
    waits_on: UUID | None,
) -> None:
    """Start a deadline for a record that has none.

    If the due time has already passed, the deadline is due now, because an office cannot be
    late before it is asked.
    """
    clock = Clock(
        case_id=record.case_id,
        record_id=record.id,
        reference=record.reference,
        kind=kind,
        waits_on=waits_on,
        set_at=tx.now,
        due_at=max(due_at, tx.now),
    )
    tx.session.add(clock)
    tx.kept_alive.add(clock)


def stop(tx: WriteTransaction, record_id: UUID) -> None:
    """Stop the running deadline of a record, if any."""
    stop_all(tx, [record_id])


def stop_all(tx: WriteTransaction, record_ids: Iterable[UUID]) -> None:
    """Stop the running deadlines of the given records."""
    if records := [one for one in record_ids if may_be_running(tx, one)]:
        write_rows(tx.session, STOP, {"records": records, "now": tx.now})


def may_be_running(tx: WriteTransaction, record_id: UUID) -> bool:
    """Return whether a record may have a running deadline.

    A record that this transaction created has none, unless the transaction started one.
    """
    return may_have_rows(tx, Clock, record_id, lambda clock: clock.record_id == record_id)


def stop_kinds(tx: WriteTransaction, case_id: UUID, *kinds: DeadlineKind) -> None:
    """Stop the running deadlines of the given kinds in a case."""
    of_kinds = {"case": case_id, "kinds": kinds, "now": tx.now}
    write_rows(tx.session, STOP_KINDS, of_kinds)


def stop_case(tx: WriteTransaction, case_id: UUID) -> None:
    """Stop every running deadline in a case."""
    write_rows(tx.session, STOP_CASE, {"case": case_id, "now": tx.now})


def resume(
    tx: WriteTransaction,
    record: Recorded,
    kind: DeadlineKind,
    fresh: Term,
    *,
    waits_on: UUID | None,
) -> None:
    """Resume a paused deadline with its remaining time, or start it with its full time."""
    left = deadline_queries.compute_resumed_due(tx, record.id, kind, fresh)
    restart(tx, record, kind, left or fresh.compute_end(tx.now), waits_on=waits_on)


def hand_over(
    tx: WriteTransaction, record_ids: Iterable[UUID], waits_on: UUID | None
) -> None:
    """Hand the deadlines of the given records to another office, with the same due time.

    The due time stays the same even if the new office has a different calendar, because the
    person has waited since the deadline started. A missed deadline becomes due in a day.
    """
    for clock in deadline_queries.find_running(tx, record_ids).values():
        hand_over_clock(tx, clock, waits_on)


def reassign(tx: WriteTransaction, record_id: UUID, waits_on: UUID | None) -> None:
    """Change only the office of a deadline, so that recipients notice nothing (ADR 43)."""
    for clock in deadline_queries.find_running(tx, [record_id]).values():
        clock.waits_on = waits_on


def move_to_record(
    tx: WriteTransaction, record_ids: Iterable[UUID], record_id: UUID
) -> None:
    """Move a running deadline from the earlier records to the record that replaces them."""
    for clock in deadline_queries.find_running(tx, record_ids).values():
        clock.record_id = record_id


def hand_over_kind(
    tx: WriteTransaction, case_id: UUID, kind: DeadlineKind, waits_on: UUID | None
) -> None:
    """Hand the deadlines of one kind in a case to another office, as `hand_over` does."""
    for clock in deadline_queries.list_running_of_kind(tx, case_id, kind):
        hand_over_clock(tx, clock, waits_on)


def hand_over_clock(tx: WriteTransaction, clock: Clock, office: UUID | None) -> None:
    """Replace a deadline with one of another office.

    The old one remains in the figures of its office, which must not show why it lost the
    task (ADR 72). A missed deadline is replaced by one of the same length that is due in a
    day. Otherwise, the new office would be late from the start, and a lead could lose the
    case.
    """
    if clock.waits_on == office:
        return
    due_at = missed_deadlines.compute_due_for_successor(tx, clock)
    set_at = clock.set_at + (due_at - clock.due_at)
    new = restart_clock(tx, clock, due_at)
    new.waits_on, new.set_at = office, set_at


def restart_clock(tx: WriteTransaction, clock: Clock, due_at: datetime) -> Clock:
    """Replace a deadline with a new deadline, so that the count of misses starts again.

    Raises NotAuthentic if the deadline was altered outside the service, because the new one
    would have its values.
    """
    if clock.is_altered:
        raise_altered(clock)
    new = Clock(
        case_id=clock.case_id,
        record_id=clock.record_id,
        reference=clock.reference,
        kind=clock.kind,
        waits_on=clock.waits_on,
        set_at=tx.now,
        due_at=due_at,
    )
    stop(tx, clock.record_id)
    tx.session.add(new)
    tx.kept_alive.add(new)
    return new


def pause_deadlines(
    tx: WriteTransaction, kinds: Iterable[DeadlineKind], until: datetime
) -> int:
    """Pause the deadlines of the given kinds in all cases, and return their number.

    The worker handles these deadlines at `until`. Deadlines that it handles later anyway
    are left out. The due times are not changed, because the MACs cover them.
    """
    soon = {"kinds": list(kinds), "until": until}
    return len(tx.session.scalars(PAUSE, soon).all())


def record_firing(tx: WriteTransaction, clock: Clock, again_at: datetime) -> None:
    """Record that a deadline was missed once more, and when the worker checks it again."""
    firing = Firing(
        clock_number=clock.number,
        generation=missed_deadlines.find_next_generation(tx, clock),
        case_id=clock.case_id,
        record_id=clock.record_id,
        kind=clock.kind,
        waits_on=clock.waits_on,
        at=tx.now,
    )
    tx.session.add(firing)
    clock.fires_at, clock.failures = again_at, 0


def retry_later(session: Session, due: missed_deadlines.DueClock, now: datetime) -> int:
    """Postpone a deadline whose handling failed, and return the number of its failures.

    The delay grows with each failure, so that such a deadline does not delay the others. If
    the deadline was stopped, handled or postponed since it was read, nothing changes, and
    the result is 0.
    """
    clock = session.get_one(Clock, due.number, populate_existing=True, with_for_update=True)
    if clock.stopped_at is not None or clock.fires_at != due.fires_at:
        return 0
    clock.failures += 1
    clock.fires_at = now + min(FIRST_WAIT * 2 ** min(clock.failures, 20), LONGEST_WAIT)
    return clock.failures


def expire_all(session: Session, reference: str, now: datetime) -> None:
    """Make every running deadline of a case due now, for a demonstration or a drill.

    Each deadline is brought forward by its remaining time. The start of a retention stays,
    because only the retention that started last counts. The planned arrival of a person
    who is travelling is not changed.
    """
    of_case = select(Clock.case_id).where(Clock.reference == reference)
    running = Clock.stopped_at.is_(None) & Clock.case_id.in_(of_case)
    for clock in session.scalars(select(Clock).where(running)):
        left = (clock.fires_at or clock.due_at) - now
        clock.due_at -= left
        if clock.kind != DeadlineKind.ERASE:
            clock.set_at -= left
        clock.fires_at = None


FIRST_WAIT: Final = timedelta(seconds=2)
LONGEST_WAIT: Final = timedelta(minutes=15)
