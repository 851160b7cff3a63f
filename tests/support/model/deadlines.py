"""Deadlines of a modelled case: the kind, the office that has to act, and the time left.

This module is written from LIFECYCLES.md, section 7, and from the independent copies of the
tables in tests/rules, never from the code. The person is in an emergency, so deadlines run
day and night. Only the deadline to confirm a deletion is counted in working days, by the
recipient's calendar. The model predicts when the confirmation is awaited and from which
office, but not the due time. If the confirmation is late, the office is only reminded.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tests.rules import test_case_table as of_case
from tests.rules import test_handover_table as of_handover
from tests.rules import test_limits as of_time
from tests.rules import test_referral_table as of_referral
from tests.support.model.case_values import (
    ALIVE,
    CASE_OPEN,
    DAY,
    FOR_SAFETY,
    HOLDS_FOR,
    HOUR,
    LEADERS,
    POST,
    STOPPED,
    THE_CASE,
    Clock,
    Handover,
    Model,
    Question,
    Record,
    Referral,
    has_part,
)

OF_STATES: Final = {
    "case": {state: row[1:] for state, row in of_case.cells(of_case.STATES).items()},
    "referral": of_referral.cells(of_referral.STATES),
    "handover": of_handover.cells(of_handover.STATES),
}
"""The kind of deadline in each state, and the side that has to act; both may be empty."""
PATIENCE: Final = 3
WEEK: Final = 7 * DAY
TWO_YEARS: Final = 731 * DAY
"""Minutes of two years, which contain one leap day if they begin before March 2028."""
PAUSED_BY: Final = {"ask": "decide_referral", "hold": "give_feedback"}
"""The deadline that each action pauses; `GO_ON` has the actions that resume it."""
GO_ON: Final = frozenset({"answer", "resume"})


def to_minutes(limit: str) -> int | None:
    """Return a time limit of LIFECYCLES.md in minutes, or None if it is in working days."""
    count, unit = limit.split(maxsplit=1)
    if unit == "months":
        return TWO_YEARS
    units = {"h": HOUR, "days": DAY}
    return int(count) * units[unit] if unit in units else None


LIMITS: Final = {kind: to_minutes(row[0]) for kind, row in of_time.ROWS.items()}
"""The length of each deadline in an emergency."""


# Start and stop.


def start_deadline(
    world: Model, of: Record, kind: str, whom: str | None, left: int | None = None
) -> Model:
    """Restart the deadline of a record, with `left` minutes or with its full time."""
    after = stop_deadline(world, of)
    length = LIMITS[kind] if left is None else max(left, 0)
    return replace(after, clocks=(*after.clocks, Clock(of, kind, whom, length, length)))


def stop_deadline(world: Model, of: Record) -> Model:
    """Stop the deadline of a record.

    If the office that missed the deadline can lead a case, each miss still counts.
    """
    clock = world.find_deadline(of)
    if clock is None:
        return world
    kept = tuple(one for one in world.clocks if one is not clock)
    blamed = [clock.office] * count_misses(clock, DAY) if clock.office in LEADERS else []
    return replace(world, clocks=kept, missed_by=limit_counts([*world.missed_by, *blamed]))


def limit_counts(names: list[str | None]) -> tuple[str, ...]:
    """Return the office of each missed deadline, at most `PATIENCE` times per office."""
    counts = {name: min(names.count(name), PATIENCE) for name in names if name}
    return tuple(sorted(name for name, count in counts.items() for _ in range(count)))


def count_misses(clock: Clock, least: int) -> int:
    """Return how many times a deadline was missed.

    The first miss is at the due time. The next two misses follow at intervals of the
    deadline's length, but of at least `least` minutes. Later misses follow weekly, or at
    the same intervals if these are longer than a week.
    """
    if clock.left is None or clock.length is None or clock.left > 0:
        return 0
    late, length = -clock.left, max(clock.length, least)
    if late < PATIENCE * length:
        return 1 + late // length
    return PATIENCE + (late - (PATIENCE - 1) * length) // max(length, WEEK)


def get_time_to_miss(clock: Clock, least: int) -> int | None:
    """Return the minutes until the next miss, or None for a deadline in working days."""
    if clock.left is None or clock.length is None:
        return None
    length = max(clock.length, least)
    if clock.reported < PATIENCE:
        return clock.left + clock.reported * length
    weeks = clock.reported - PATIENCE + 1
    return clock.left + (PATIENCE - 1) * length + weeks * max(length, WEEK)


def is_failing(world: Model, who: str) -> bool:
    """Return whether an office missed deadlines of the case three times or more."""
    mine = [clock for clock in world.clocks if clock.office == who]
    now = sum(count_misses(clock, DAY) for clock in mine)
    return world.missed_by.count(who) + now >= PATIENCE


# The case.


def start_case_deadline(world: Model, until: int | None = None) -> Model:
    """Start the deadline of the current state of the case, or stop it if there is none.

    If the case is not open, the deadlines of its questions are paused.
    """
    kind, side = OF_STATES["case"][world.state]
    if world.state not in CASE_OPEN:
        world = pause_questions(world)
    if not kind:
        return stop_deadline(world, THE_CASE)
    if kind == "monitor" and not world.visits:
        kind = "review_closure"
    whom = {"system": None, "submitter": POST}.get(side, world.holder)
    left = get_own_due_time(world, kind) if until is None else until
    return start_deadline(world, THE_CASE, kind, whom, left)


def get_own_due_time(world: Model, kind: str) -> int | None:
    """Return the minutes until a visit or a risk review is due.

    A visit is due at the planned time. A review is due when the assessment of the risk
    becomes too old, which depends on the level of the risk. Return None for any other
    deadline, or if the risk was never assessed.
    """
    if kind == "monitor":
        return world.visits[0]
    if kind == "review_risk" and world.risk is not None:
        age, level = world.risk
        return HOLDS_FOR[level] - age
    return None


def pause_deadlines(world: Model) -> Model:
    """Pause the deadlines that do not have to be met while the case is suspended."""
    for number, one in enumerate(world.referrals):
        if is_paused(world, one):
            left = get_time_left(world, ("referral", number))
            world = stop_deadline(world, ("referral", number))
            world = replace_referral(world, number, replace(one, paused_time=left))
    return pause_questions(world)


def resume_deadlines(world: Model) -> Model:
    """Resume all paused deadlines with the time that was left."""
    for number, one in enumerate(world.referrals):
        if one.state in ALIVE and one.paused_time is not None:
            kind, whom = get_deadline_of(world, one)
            world = start_deadline(world, ("referral", number), kind, whom, one.paused_time)
            world = replace_referral(world, number, replace(one, paused_time=None))
    return resume_questions(world)


def get_time_left(world: Model, of: Record) -> int | None:
    """Return the minutes until a record's deadline (0 if missed), or None without one."""
    left = world.get_time_left(of)
    return None if left is None else max(left, 0)


# Referrals.


def replace_referral(world: Model, number: int, one: Referral) -> Model:
    """Return the model with a referral replaced."""
    several = (*world.referrals[:number], one, *world.referrals[number + 1 :])
    return replace(world, referrals=several)


def get_deadline_of(world: Model, one: Referral) -> tuple[str, str | None]:
    """Return the kind of a referral's deadline, and the office that has to act."""
    kind, side = OF_STATES["referral"][one.state]
    return kind, one.to if side == "recipient" else world.holder


def is_paused(world: Model, one: Referral) -> bool:
    """Return whether a referral is paused because the case is suspended.

    Referrals for safety continue while the case is suspended.
    """
    may_wait = one.state in ALIVE and one.service not in FOR_SAFETY
    return world.state == "suspended" and may_wait


def update_referral(world: Model, number: int, one: Referral, name: str = "") -> Model:
    """Replace a referral after an action, and start, pause or stop its deadline."""
    of, before = ("referral", number), world.referrals[number]
    left = (
        before.paused_time if before.paused_time is not None else get_time_left(world, of)
    )
    if name in PAUSED_BY:
        ran = OF_STATES["referral"][before.state][0] == PAUSED_BY[name]
        one = replace(one, saved_time=left if ran else None)
    kind, whom = get_deadline_of(world, one)
    until = {"hold": DAY}.get(name, one.saved_time if name in GO_ON else None)
    past = one.is_past or one.state in STOPPED
    one = replace(
        one,
        paused_time=None,
        saved_time=None if name in GO_ON else one.saved_time,
        is_past=past,
    )
    if not kind or (
        OF_STATES["referral"][one.state][1] == "recipient" and not has_part(one)
    ):
        return replace_referral(stop_deadline(world, of), number, one)
    if is_paused(world, one):
        still = LIMITS[kind] if until is None else until
        return replace_referral(
            stop_deadline(world, of), number, replace(one, paused_time=still)
        )
    return start_deadline(replace_referral(world, number, one), of, kind, whom, until)


def hand_over_deadlines(world: Model) -> Model:
    """Restart the deadlines of referrals that the holder has to meet, with full length.

    This is done when the case has a new holder.
    """
    for number, one in enumerate(world.referrals):
        if OF_STATES["referral"][one.state][1] == "sender":
            world = update_referral(world, number, one)
    return world


# Handovers and questions.


def update_handover(world: Model, number: int, one: Handover) -> Model:
    """Replace a handover after an action, and start or stop its deadline."""
    several = (*world.handovers[:number], one, *world.handovers[number + 1 :])
    after, of = replace(world, handovers=several), ("handover", number)
    kind, _ = OF_STATES["handover"][one.state]
    return start_deadline(after, of, kind, one.to) if kind else stop_deadline(after, of)


def update_question(world: Model, number: int, one: Question) -> Model:
    """Replace a question, and start or stop its deadline."""
    several = (*world.questions[:number], replace(one, paused_time=None))
    after = replace(world, questions=(*several, *world.questions[number + 1 :]))
    of = ("question", number)
    return (
        stop_deadline(after, of)
        if one.is_answered
        else start_deadline(after, of, "answer", POST, one.paused_time)
    )


def pause_questions(world: Model) -> Model:
    """Pause the deadlines of all questions."""
    for number, one in list_unanswered(world, lambda clock: clock is not None):
        of = ("question", number)
        still = replace(one, paused_time=get_time_left(world, of))
        several = (*world.questions[:number], still, *world.questions[number + 1 :])
        world = replace(stop_deadline(world, of), questions=several)
    return world


def resume_questions(world: Model) -> Model:
    """Resume the deadlines of all paused questions."""
    for number, one in list_unanswered(world, lambda clock: clock is None):
        world = update_question(world, number, one)
    return world


def list_unanswered(
    world: Model, only: Callable[[Clock | None], bool]
) -> list[tuple[int, Question]]:
    """List the unanswered questions whose deadline satisfies a condition."""
    numbered = enumerate(world.questions)
    some = [(number, one) for number, one in numbered if not one.is_answered]
    return [found for found in some if only(world.find_deadline(("question", found[0])))]
