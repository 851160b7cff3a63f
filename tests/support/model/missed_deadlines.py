"""The passing of time in a modelled case, and the effects of missed deadlines.

This module is written from LIFECYCLES.md, sections 4 and 7, docs/adr/0019 and the
independent copy of the table of missed deadlines, never from the code.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Final

from tests.rules import test_lateness as of_silence
from tests.support.model.case_values import (
    DAY,
    DESK,
    HOUR,
    LED,
    POST,
    THE_CASE,
    Clock,
    MissedDeadline,
    Model,
    has_part,
)
from tests.support.model.deadlines import (
    count_misses,
    get_time_to_miss,
    hand_over_deadlines,
    is_failing,
    start_case_deadline,
    update_handover,
    update_referral,
)
from tests.support.model.effects import (
    NEVER,
    add_party,
    apply_automatic_steps,
    discard_draft,
    erase_case,
    offer_case,
    remove_parties,
)

WHEN_SILENT: Final = {
    tuple(row.split(":")[0].split()): row.split()[2]
    for row in of_silence.TABLE.strip().splitlines()
}
"""The effect of each missed deadline."""
TWICE: Final = "expire_at_second"
ROUNDS: Final = 10
"""Number of runs of the worker after which no deadline may be due."""


def get_effect(clock: Clock) -> str:
    """Return the effect that missing a deadline has."""
    return WHEN_SILENT[clock.record[0], clock.kind]


def get_shortest_repeat(clock: Clock) -> int:
    """Return the shortest time in minutes between two misses of the same deadline."""
    return HOUR if get_effect(clock) == TWICE else DAY


def advance(world: Model, minutes: int) -> Model:
    """Advance the time without running the worker."""
    clocks = tuple(
        clock if clock.left is None else replace(clock, left=clock.left - minutes)
        for clock in world.clocks
    )
    visits = tuple(visit - minutes for visit in world.visits)
    age, level = world.risk or (0, "")
    risk = world.risk and (min(age + minutes, NEVER), level)
    gone = tuple(
        replace(one, is_now=one.is_now and not minutes) for one in world.missed_deadlines
    )
    return replace(world, clocks=clocks, visits=visits, risk=risk, missed_deadlines=gone)


def run_worker(world: Model) -> Model:
    """Run the worker, most overdue deadline first, until no deadline is due."""
    for times in count():
        due = [clock for clock in world.clocks if is_due(clock)]
        if not due:
            return world
        assert times < ROUNDS, world
        for clock in sorted(due, key=lambda clock: clock.left or 0):
            if clock in world.clocks:
                world = handle_miss(world, clock)
    raise AssertionError


def is_due(clock: Clock) -> bool:
    """Return whether the worker has to handle a deadline now."""
    wait = get_time_to_miss(clock, get_shortest_repeat(clock))
    return wait is not None and wait <= 0


def wait(world: Model, minutes: int) -> Model:
    """Advance the time, and run the worker."""
    return run_worker(advance(world, minutes))


def list_moments(world: Model) -> Iterator[int]:
    """Yield the minutes until each moment to test around the next missed deadline.

    The moments are a minute before the next miss, that miss, and a minute after the next
    miss of another deadline. If no other deadline has a next miss, the third moment is a
    minute after twice the time to the next miss. Without a next miss, nothing is yielded.
    """
    waits = [get_time_to_miss(clock, get_shortest_repeat(clock)) for clock in world.clocks]
    ahead = sorted({wait for wait in waits if wait is not None and wait > 0})
    if ahead:
        yield from {ahead[0] - 1, ahead[0]} - {0}
        yield (ahead[1] if len(ahead) > 1 else 2 * ahead[0]) + 1


# Effects of missed deadlines.


def handle_miss(world: Model, clock: Clock) -> Model:
    """Record a missed deadline with its audience, and apply its effect."""
    times = count_misses(clock, get_shortest_repeat(clock))
    led = world.find_party("lead", "former_lead") is not None
    silence = MissedDeadline(
        clock.record, clock.kind, times, get_audience(world, clock), led
    )
    clocks = (replace(one, reported=times) if one is clock else one for one in world.clocks)
    kept = replace(
        world, clocks=tuple(clocks), missed_deadlines=(*world.missed_deadlines, silence)
    )
    effect = get_effect(clock)
    if effect == "reroute" and world.find_party("desk") is not None:
        effect = "remind"  # no other office is left
    if effect == TWICE:
        effect = "expire" if times > 1 else "remind"
    return EFFECTS[effect](kept, clock)


def get_audience(world: Model, clock: Clock) -> frozenset[str]:
    """Return the audience of a missed deadline.

    The audience is empty if the effect is to discard a draft or to erase the case. If the
    case has a lead, the submitter does not receive the missed deadlines of the case itself
    (R12).
    """
    about, number = clock.record
    if get_effect(clock) in {"drop", "erase"}:
        return frozenset()
    match about:
        case "referral":
            one = world.referrals[number]
            both = {world.holder, one.to} if has_part(one) else {world.holder}
        case "handover":
            both = {world.handovers[number].to, world.find_party("lead")}
        case "question":
            both = {POST, world.holder}
        case _:
            hidden = {"former_lead", *({"submitter"} if world.state in LED else ())}
            both = {who for relation, who in world.parties if relation not in hidden}
    return frozenset(one for one in both if one)


def escalate_case(world: Model, _: Clock) -> Model:
    """Take the case from its candidate or desk, and offer it to the next office."""
    left = remove_parties(replace(world, state="submitted"), "candidate", "desk")
    return start_case_deadline(hand_over_deadlines(offer_case(left)))


def expire_record(world: Model, clock: Clock) -> Model:
    """Expire a referral or a handover because a deadline was missed."""
    about, number = clock.record
    if about == "handover":
        ended = replace(world.handovers[number], state="expired")
        return update_handover(world, number, ended)
    return apply_automatic_steps(
        update_referral(world, number, replace(world.referrals[number], state="expired"))
    )


def add_desk(world: Model, clock: Clock) -> Model:
    """Make the desk a party if the lead missed this deadline, and three or more in all."""
    lead = world.find_party("lead")
    if lead is None or clock.office != lead or not is_failing(world, lead):
        return world
    return add_party(world, "escalation_desk", DESK)


def discard_unfinished(world: Model, clock: Clock) -> Model:
    """Discard the draft of a case or of a referral that was not finished in time."""
    if clock.record == THE_CASE:
        return start_case_deadline(discard_draft(replace(world, state="void")))
    _, number = clock.record
    return update_referral(world, number, replace(world.referrals[number], state="revoked"))


EFFECTS: Final[dict[str, Callable[[Model, Clock], Model]]] = {
    "reroute": escalate_case,
    "expire": expire_record,
    "remind": add_desk,
    "drop": discard_unfinished,
    "erase": lambda world, _: start_case_deadline(
        erase_case(replace(world, state="erased"))
    ),
}
