"""Setting and stopping clocks: each record has at most one running."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.deadlines import breaches, queries
from app.deadlines.limits import ClockKind
from app.deadlines.models import Clock, Firing
from app.deadlines.terms import Term
from app.kernel.recall import change
from app.kernel.statements import any_of
from app.kernel.work import Recorded, Writing

RUNS: Final = update(Clock).where(Clock.stopped_at.is_(None))
RUN_FOR: Final = RUNS.where(Clock.record_id.in_(any_of("records")))
RUN_IN: Final = RUNS.where(Clock.case_id == bindparam("case"))
OF_KINDS: Final = RUN_IN.where(Clock.kind.in_(any_of("kinds")))
STOPPED: Final[dict[str, Any]] = {"stopped_at": bindparam("now")}
FOLLOWED: Final[dict[str, Any]] = {"record_id": bindparam("record")}
STOP, FOLLOW = RUN_FOR.values(STOPPED), RUN_FOR.values(FOLLOWED)
STOP_CASE, STOP_KINDS = RUN_IN.values(STOPPED), OF_KINDS.values(STOPPED)
SOON: Final = RUNS.where(Clock.kind.in_(any_of("kinds")), Clock.due_at < bindparam("until"))
GRANTED: Final[dict[str, Any]] = {"due_at": bindparam("until"), "fires_at": None}
GRANT: Final = SOON.values(GRANTED).returning(Clock.number)


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
    start(work, record, kind, due_at, waits_on=waits_on)


def start(
    work: Writing,
    record: Recorded,
    kind: ClockKind,
    due_at: datetime,
    *,
    waits_on: UUID | None,
) -> None:
    """Start a clock for a record that has none.

    What is late already is due at once: a silence counts from when somebody was waited for.
    """
    clock = Clock(
        case_id=record.case_id,
        record_id=record.id,
        reference=record.reference,
        kind=kind,
        waits_on=waits_on,
        set_at=work.now,
        due_at=max(due_at, work.now),
    )
    work.session.add(clock)


def stop(work: Writing, record_id: UUID) -> None:
    """Stop the clock of a record: it was answered, or the question is moot."""
    stop_all(work, [record_id])


def stop_all(work: Writing, record_ids: Iterable[UUID]) -> None:
    """Stop the clocks of some records."""
    if records := list(record_ids):
        change(work.session, STOP, {"records": records, "now": work.now})


def stop_kinds(work: Writing, case_id: UUID, *kinds: ClockKind) -> None:
    """Stop whatever of some kinds runs in a case."""
    of_kinds = {"case": case_id, "kinds": kinds, "now": work.now}
    change(work.session, STOP_KINDS, of_kinds)


def stop_case(work: Writing, case_id: UUID) -> None:
    """Stop whatever runs in a case: nothing of it is left to do."""
    change(work.session, STOP_CASE, {"case": case_id, "now": work.now})


def go_on(
    work: Writing, record: Recorded, kind: ClockKind, fresh: Term, *, waits_on: UUID | None
) -> None:
    """Start a clock again with the time that was left when it was paused, else afresh."""
    left = queries.resumed(work, record.id, kind, fresh)
    restart(work, record, kind, left or fresh.until(work.now), waits_on=waits_on)


def pass_on(work: Writing, record_ids: Iterable[UUID], waits_on: UUID | None) -> None:
    """Let what runs for these records wait for somebody else, until the same moment.

    In whichever country: the person has waited since the clock began, and a calendar with
    more holidays is no reason to wait longer. What ran out is due in a day.
    """
    for clock in queries.running(work, record_ids).values():
        give(work, clock, waits_on)


def reassign(work: Writing, record_id: UUID, waits_on: UUID | None) -> None:
    """Let what runs for a record wait for somebody else, and change nothing else.

    For one who must not learn that another is waited for now (ADR 43): what was let pass
    before counts on.
    """
    for clock in queries.running(work, [record_id]).values():
        clock.waits_on = waits_on


def follow(work: Writing, record_ids: Iterable[UUID], record_id: UUID) -> None:
    """Let what runs for one of these records run on for the one that takes its place.

    It is the same clock: until the same moment, with every silence that was counted.
    """
    if records := list(record_ids):
        change(work.session, FOLLOW, {"records": records, "record": record_id})


def pass_on_kind(
    work: Writing, case_id: UUID, kind: ClockKind, waits_on: UUID | None
) -> None:
    """Let what runs of one kind in a case wait for somebody else, like `pass_on`."""
    for clock in queries.running_in(work, case_id, kind):
        give(work, clock, waits_on)


def give(work: Writing, clock: Clock, whom: UUID | None) -> None:
    """Let one clock wait for somebody else, who has let nothing pass yet.

    By a clock that ran out it would be called silent for what it was never asked, and a
    lead could lose the case for it: that one is stopped, and goes on with its own length as
    if it had begun later.
    """
    if clock.waits_on == whom:
        return
    until = breaches.until_for_another(work, clock)
    later = until - clock.due_at
    if not later:
        clock.waits_on = whom
        return
    new = Clock(
        case_id=clock.case_id,
        record_id=clock.record_id,
        reference=clock.reference,
        kind=clock.kind,
        waits_on=whom,
        set_at=clock.set_at + later,
        due_at=until,
    )
    stop(work, clock.record_id)
    work.session.add(new)


def grant(work: Writing, kinds: Iterable[ClockKind], until: datetime) -> int:
    """Let no clock of some kinds run out before a moment; says how many would have."""
    soon = {"kinds": list(kinds), "until": until}
    return len(work.session.scalars(GRANT, soon).all())


def fired(work: Writing, clock: Clock, again_at: datetime) -> None:
    """Keep that a clock ran out once more, and when it is to be looked at again.

    Written once for each time, whoever looks: a second writer breaks on the key, and its
    work is undone with it (R55).
    """
    firing = Firing(
        clock_number=clock.number,
        generation=breaches.times_fired(work, clock) + 1,
        case_id=clock.case_id,
        record_id=clock.record_id,
        kind=clock.kind,
        waits_on=clock.waits_on,
        at=work.now,
    )
    work.session.add(firing)
    clock.fires_at, clock.failures = again_at, 0


def put_off(session: Session, due: breaches.Due, now: datetime) -> int:
    """Look at a clock later that could not be fired, ever later; says how often it failed.

    One that nobody can fire must not keep the others waiting. 0: it was stopped, or another
    has fired it or put it off since it was read, and it is left as it is.
    """
    clock = session.get_one(Clock, due.number, populate_existing=True, with_for_update=True)
    if clock.stopped_at is not None or clock.fires_at != due.fires_at:
        return 0
    clock.failures += 1
    clock.fires_at = now + min(FIRST_WAIT * 2 ** min(clock.failures, 20), LONGEST_WAIT)
    return clock.failures


def run_out(session: Session, reference: str, now: datetime) -> None:
    """Let all that waits in a case be due now: for a story, or a drill.

    As if the time had gone by: each clock began earlier by as much as was left of it. A
    person who travels arrives when the travel plan says all the same.
    """
    of_case = select(Clock.case_id).where(Clock.reference == reference)
    running = Clock.stopped_at.is_(None) & Clock.case_id.in_(of_case)
    for clock in session.scalars(select(Clock).where(running)):
        left = (clock.fires_at or clock.due_at) - now
        clock.set_at, clock.due_at = clock.set_at - left, clock.due_at - left
        clock.fires_at = None


FIRST_WAIT: Final = timedelta(seconds=2)
LONGEST_WAIT: Final = timedelta(minutes=15)
