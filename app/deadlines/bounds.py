"""Which limits a country or an agreement may set, and within which bounds: pure."""

from enum import StrEnum
from typing import Final

from app.deadlines.limits import LIMITS, ClockKind, Limit, Priority, Unit, default


class Haste(StrEnum):
    """For which priority a limit is set; `any`: the priority makes no difference."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    NORMAL = "normal"
    ANY = "any"


FIXED: Final = {
    ClockKind.REVIEW_RISK: "it follows from how long an assessment holds (G03)",
    ClockKind.CONFIRM_ARRIVAL: "an arrival is confirmed the same day (D06)",
    ClockKind.MONITOR: "whoever leads plans the visits (D08)",
    ClockKind.ASSESS_INTERESTS: "a child without a guardian waits no longer (G02)",
    ClockKind.CONSENT_ENDS: "a consent says itself when it ends",
    ClockKind.DECIDE_READING: "an emergency does not wait (R15)",
    ClockKind.READING_ENDS: "nobody reads in an emergency for longer (R15)",
    ClockKind.TELL_PERSON: "a person hears within a day that somebody read (BR05)",
}
"""Clocks that nobody sets, and why."""
TIMES: Final = 5
"""How many times as long as the default a limit may be: our own number."""


def hastes(kind: ClockKind) -> tuple[Haste, ...]:
    """List for which priorities a clock is set: each alone, or all in one."""
    if len(set(LIMITS[kind])) == 1:
        return (Haste.ANY,)
    return tuple(Haste(priority) for priority in Priority)


def haste_of(kind: ClockKind, priority: Priority | None) -> Haste:
    """Say under which priority a limit is looked up."""
    if hastes(kind) == (Haste.ANY,):
        return Haste.ANY
    return Haste(priority or Priority.NORMAL)


def usual(kind: ClockKind, haste: Haste) -> Limit:
    """Say what counts where nothing was set."""
    return default(kind, None if haste == Haste.ANY else Priority(haste))


def fault_of(kind: ClockKind, haste: Haste, limit: Limit) -> str | None:
    """Say what a limit must be that it is not; None: it may be set.

    What is urgent runs day and night (LIFECYCLES.md, section 7): an emergency that waited
    for Monday would be none.
    """
    before = usual(kind, haste)
    if before.runs_on and haste not in {Haste.NORMAL, Haste.ANY} and not limit.runs_on:
        return "must run day and night: hours or days"
    if kind == ClockKind.ERASE and limit.unit != Unit.MONTHS:
        return "must be months, for a closed case is kept that long"
    if limit.about > TIMES * before.about:
        return f"must not make it longer than {TIMES} times the default: {spell(before)}"
    return None


def spell(limit: Limit) -> str:
    """Spell a limit as people say it."""
    unit = limit.unit.replace("_", " ")
    return f"{limit.count} {unit if limit.count > 1 else unit.removesuffix('s')}"
