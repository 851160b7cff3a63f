"""What another priority does to the clocks that run in a case already.

What has to be done sooner gets all the new time from now on, if that is sooner: nobody is
late by a deadline that it never had, and what was let pass before counts as it did. What
may be done later ends as if it had been so from the start: no change of mind and back
pushes anything. Whoever is waited for elsewhere than in the case itself is told.

Not who handed the case on: to it the notice is as it was, and another time to answer a
question would tell that it is not (R12). Nor the holder whose answer a State body awaits
that may not know who holds the case: its deadline stays as it was (ADR 43).
"""

from datetime import datetime
from typing import Final

from sqlalchemy import select

from app.deadlines.actions import stop
from app.deadlines.bounds import Haste, hastes
from app.deadlines.limits import ClockKind
from app.deadlines.models import Clock
from app.deadlines.queries import began_at, term
from app.deadlines.terms import Concerned, waits_on_submitter
from app.kernel.work import Named, Writing

HURRIED: Final = frozenset(kind for kind in ClockKind if Haste.ANY not in hastes(kind))
BY_HAND: Final = frozenset({ClockKind.REVIEW})
"""A review is when somebody said, whatever the priority."""


def rewind(work: Writing, about: Concerned) -> None:
    """Let what runs in a case end as its priority says now.

    One that ran out, and that nobody looked at yet, is left to the worker.
    """
    runs = (Clock.case_id == about.id) & Clock.stopped_at.is_(None)
    found = select(Clock).where(runs, Clock.kind.in_(HURRIED - BY_HAND))
    for clock in work.session.scalars(found.order_by(Clock.number)).all():
        if about.is_handed_on and waits_on_submitter(clock.kind, about, clock.waits_on):
            continue
        if clock.waits_on == about.holder and about.snapshot_behind(clock.record_id):
            continue
        moved = moved_by(work, clock, about)
        if moved is not None and moved.record_id != about.id:
            tell(work, moved)


def tell(work: Writing, clock: Clock) -> None:
    """Tell whoever is waited for that it has another time, and not by whom.

    The case itself says by its own event that its priority changed.
    """
    noun = clock.reference.partition("/")[0].removesuffix("s")
    about = Named(clock.record_id, clock.case_id, clock.reference)
    whom = frozenset({clock.waits_on} if clock.waits_on else set())
    facts = {"clock": clock.kind}
    work.record(f"{noun}.due_changed", about, whom, facts, by_system=True)


def moved_by(work: Writing, clock: Clock, about: Concerned) -> Clock | None:
    """Move one clock, if it moves: put off as it is, or begun anew for what is sooner."""
    length = term(work, clock.kind, about, waits_on=clock.waits_on)
    was, is_late = clock.due_at, clock.due_at <= work.now
    ends, whole = length.until(began_at(work, clock)), length.until(work.now)
    if is_late and clock.fires_at is None:
        return None
    if ends >= was:
        clock.due_at, clock.fires_at = ends, None if ends > work.now else clock.fires_at
        return clock if ends > was else None
    sooner = whole if is_late else min(was, whole)
    return None if sooner == was else begun_anew(work, clock, sooner)


def begun_anew(work: Writing, clock: Clock, due_at: datetime) -> Clock:
    """Stop a clock and start another for the same, so that its silences count by it."""
    new = Clock(
        case_id=clock.case_id,
        record_id=clock.record_id,
        reference=clock.reference,
        kind=clock.kind,
        waits_on=clock.waits_on,
        set_at=work.now,
        due_at=due_at,
    )
    stop(work, clock.record_id)
    work.session.add(new)
    return new
