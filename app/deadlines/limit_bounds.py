"""The limits that a country or an agreement may set, and their bounds; pure functions."""

from enum import StrEnum
from typing import Final

from app.deadlines.limits import (
    LIMITS,
    DeadlineKind,
    Limit,
    Priority,
    TimeUnit,
    get_default_limit,
)


class LimitPriority(StrEnum):
    """The priority for which a limit is set; `any` if the priority makes no difference."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    NORMAL = "normal"
    ANY = "any"


FIXED: Final = {
    DeadlineKind.REVIEW_RISK: (
        "this limit is the time for which an assessment is valid (G03)"
    ),
    DeadlineKind.CONFIRM_ARRIVAL: "an arrival has to be confirmed on the same day (D06)",
    DeadlineKind.MONITOR: "the lead plans the visits (D08)",
    DeadlineKind.ASSESS_INTERESTS: "a child without a guardian must not wait longer (G02)",
    DeadlineKind.CONSENT_ENDS: "each consent has its own end",
    DeadlineKind.DECIDE_EMERGENCY_ACCESS: "an emergency cannot wait (R15)",
    DeadlineKind.EMERGENCY_ACCESS_ENDS: "emergency access must not last longer (R15)",
    DeadlineKind.INFORM_PERSON: (
        "the person has to be told of emergency access within a day (BR05)"
    ),
}
"""Deadlines whose limit cannot be set, with the reason."""
MAX_MULTIPLE: Final = 5
"""The maximum limit as a multiple of the default. The number has no external source."""


def list_priorities(kind: DeadlineKind) -> tuple[LimitPriority, ...]:
    """List the priorities for which a limit can be set: all of them, or only `any`."""
    if len(set(LIMITS[kind])) == 1:
        return (LimitPriority.ANY,)
    return tuple(LimitPriority(priority) for priority in Priority)


def get_limit_priority(kind: DeadlineKind, priority: Priority | None) -> LimitPriority:
    """Return the priority under which the limit of a deadline is looked up."""
    if list_priorities(kind) == (LimitPriority.ANY,):
        return LimitPriority.ANY
    return LimitPriority(priority or Priority.NORMAL)


def get_usual_limit(kind: DeadlineKind, priority: LimitPriority) -> Limit:
    """Return the default limit of a deadline."""
    return get_default_limit(
        kind, None if priority == LimitPriority.ANY else Priority(priority)
    )


def find_fault(kind: DeadlineKind, priority: LimitPriority, limit: Limit) -> str | None:
    """Return a text that says what is wrong with a limit, or None if it is within bounds.

    If the default limit of an emergency or urgent case runs day and night, the limit must
    also run day and night (LIFECYCLES.md, section 7).
    """
    before = get_usual_limit(kind, priority)
    if (
        before.runs_on
        and priority not in {LimitPriority.NORMAL, LimitPriority.ANY}
        and not limit.runs_on
    ):
        return "must run day and night: hours or days"
    if kind == DeadlineKind.ERASE and limit.unit != TimeUnit.MONTHS:
        return "must be months, because retention is counted in months"
    if limit.approximate_hours > MAX_MULTIPLE * before.approximate_hours:
        return f"must be at most {MAX_MULTIPLE} times the default: {format_limit(before)}"
    return None


def format_limit(limit: Limit) -> str:
    """Format a limit as text, such as "3 working days"."""
    unit = limit.unit.replace("_", " ")
    return f"{limit.count} {unit if limit.count > 1 else unit.removesuffix('s')}"
