"""Effects of a changed priority on the running deadlines of a case.

If the new limit is shorter, it counts from now, so that no office misses a deadline
retroactively. A deadline that is not due yet changes only if it becomes earlier. If the new
limit is longer, it counts from the time at which the office got the task, so that no time
is gained by changing the priority back and forth. Earlier misses still count.

Four kinds of deadlines do not change. The first are deadlines whose date an office chose.
The second are deadlines of the submitter once a lead has taken the case. The submitter then
reads the old summary, and a changed deadline would reveal the new priority (R12). The third
are deadlines of an office that reads the summary in a snapshot of the case, and of the
holder for such a recipient (ADR 43). The fourth are missed deadlines that the worker has
not handled yet.
"""

from typing import Final

from sqlalchemy import select

from app.deadlines.actions import restart_clock
from app.deadlines.durations import DeadlineCase, is_for_submitter
from app.deadlines.limit_bounds import LimitPriority, list_priorities
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.deadlines.queries import find_wait_start, get_term
from app.kernel.transactions import RecordIdentity, WriteTransaction

PRIORITY_KINDS: Final = frozenset(
    kind for kind in DeadlineKind if LimitPriority.ANY not in list_priorities(kind)
)
CHOSEN_DATES: Final = frozenset({DeadlineKind.REVIEW})
"""Deadlines whose date an office chose, so that they do not depend on the priority."""


def update_for_priority(tx: WriteTransaction, about: DeadlineCase) -> None:
    """Update the running deadlines of a case for its new priority."""
    runs = (Clock.case_id == about.id) & Clock.stopped_at.is_(None)
    found = select(Clock).where(runs, Clock.kind.in_(PRIORITY_KINDS - CHOSEN_DATES))
    for clock in tx.session.scalars(found.order_by(Clock.number)).all():
        if about.is_handed_on and is_for_submitter(clock.kind, about, clock.waits_on):
            continue
        if about.get_summary_snapshot(clock.waits_on):
            continue
        if clock.waits_on == about.holder and about.get_recipient_snapshot(clock.record_id):
            continue
        moved = move_deadline(tx, clock, about)
        if moved is not None and moved.record_id != about.id:
            record_due_change(tx, moved)


def record_due_change(tx: WriteTransaction, clock: Clock) -> None:
    """Record the event that a deadline has a new due time, for the office that must act."""
    noun = clock.reference.partition("/")[0].removesuffix("s")
    about = RecordIdentity(clock.record_id, clock.case_id, clock.reference)
    audience = frozenset({clock.waits_on} if clock.waits_on else set())
    facts = {"deadline": clock.kind}
    tx.record(f"{noun}.due_changed", about, audience, facts, by_system=True)


def move_deadline(tx: WriteTransaction, clock: Clock, about: DeadlineCase) -> Clock | None:
    """Apply a new limit to a deadline; return the deadline, or None if it is unchanged."""
    length = get_term(tx, clock.kind, about, waits_on=clock.waits_on)
    was, is_late = clock.due_at, clock.due_at <= tx.now
    ends = length.compute_end(find_wait_start(tx, clock))
    whole = length.compute_end(tx.now)
    if is_late and (clock.fires_at is None or clock.failures):
        return None
    if ends >= was:
        clock.due_at, clock.fires_at = ends, None if ends > tx.now else clock.fires_at
        return clock if ends > was else None
    sooner = whole if is_late else min(was, whole)
    return None if sooner == was else restart_clock(tx, clock, sooner)
