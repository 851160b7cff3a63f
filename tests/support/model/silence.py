"""The passing of time and the effects of missed deadlines in a modelled case.

Written from LIFECYCLES.md, sections 4 and 7, docs/adr/0019 and the independent copy of the
table of missed deadlines, never from the code.
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
    Model,
    Silence,
    is_in,
)
from tests.support.model.clocks import (
    hand_on,
    is_failing,
    silences,
    step,
    wait_until,
    wind_case,
    wind_handover,
)
from tests.support.model.moves import (
    NEVER,
    admit,
    discard,
    erase,
    route,
    settle,
    without,
)

WHEN_SILENT: Final = {
    tuple(row.split(":")[0].split()): row.split()[2]
    for row in of_silence.TABLE.strip().splitlines()
}
"""The effect of each missed deadline."""
TWICE: Final = "expire_at_second"
ROUNDS: Final = 10
"""Runs of the worker at one moment after which nothing may be due."""


def effect_of(clock: Clock) -> str:
    """Return the effect of a missed deadline."""
    return WHEN_SILENT[clock.of[0], clock.kind]


def least(clock: Clock) -> int:
    """Return the shortest time in minutes until a miss counts again."""
    return HOUR if effect_of(clock) == TWICE else DAY


def pass_time(world: Model, minutes: int) -> Model:
    """Move the time on without the worker."""
    clocks = tuple(
        clock if clock.left is None else replace(clock, left=clock.left - minutes)
        for clock in world.clocks
    )
    visits = tuple(visit - minutes for visit in world.visits)
    age, level = world.risk or (0, "")
    risk = world.risk and (min(age + minutes, NEVER), level)
    gone = tuple(replace(one, now=one.now and not minutes) for one in world.silences)
    return replace(world, clocks=clocks, visits=visits, risk=risk, silences=gone)


def look(world: Model) -> Model:
    """Run the worker until nothing is due, the longest overdue deadline first."""
    for times in count():
        due = [clock for clock in world.clocks if is_due(clock)]
        if not due:
            return world
        assert times < ROUNDS, world
        for clock in sorted(due, key=lambda clock: clock.left or 0):
            if clock in world.clocks:
                world = fire(world, clock)
    raise AssertionError


def is_due(clock: Clock) -> bool:
    """Return whether the worker has to handle a deadline now."""
    wait = wait_until(clock, least(clock))
    return wait is not None and wait <= 0


def wait(world: Model, minutes: int) -> Model:
    """Move the time on, and run the worker."""
    return look(pass_time(world, minutes))


def moments(world: Model) -> Iterator[int]:
    """Yield the minutes until just before the next miss, until it, and beyond two."""
    waits = [wait_until(clock, least(clock)) for clock in world.clocks]
    ahead = sorted({wait for wait in waits if wait is not None and wait > 0})
    if ahead:
        yield from {ahead[0] - 1, ahead[0]} - {0}
        yield (ahead[1] if len(ahead) > 1 else 2 * ahead[0]) + 1


# Effects of missed deadlines.


def fire(world: Model, clock: Clock) -> Model:
    """Record a missed deadline with its audience, and apply its effect."""
    times = silences(clock, least(clock))
    led = world.who("lead", "former_lead") is not None
    silence = Silence(clock.of, clock.kind, times, hearers(world, clock), led)
    clocks = (replace(one, heard=times) if one is clock else one for one in world.clocks)
    kept = replace(world, clocks=tuple(clocks), silences=(*world.silences, silence))
    effect = effect_of(clock)
    if effect == "reroute" and world.who("desk") is not None:
        effect = "remind"  # no other office is left
    if effect == TWICE:
        effect = "expire" if times > 1 else "remind"
    return EFFECTS[effect](kept, clock)


def hearers(world: Model, clock: Clock) -> frozenset[str]:
    """Return the audience of a missed deadline; for a lead's, not the submitter (R12)."""
    about, number = clock.of
    if effect_of(clock) in {"drop", "erase"}:
        return frozenset()
    match about:
        case "referral":
            one = world.referrals[number]
            both = {world.holder, one.to} if is_in(one) else {world.holder}
        case "handover":
            both = {world.handovers[number].to, world.who("lead")}
        case "question":
            both = {POST, world.holder}
        case _:
            hidden = {"former_lead", *({"submitter"} if world.state in LED else ())}
            both = {who for relation, who in world.parties if relation not in hidden}
    return frozenset(one for one in both if one)


def reroute(world: Model, _: Clock) -> Model:
    """Offer the case to the next office."""
    left = without(replace(world, state="submitted"), "candidate", "desk")
    return wind_case(hand_on(route(left)))


def expire(world: Model, clock: Clock) -> Model:
    """Expire a referral or a handover that was not decided."""
    about, number = clock.of
    if about == "handover":
        ended = replace(world.handovers[number], state="expired")
        return wind_handover(world, number, ended)
    return settle(step(world, number, replace(world.referrals[number], state="expired")))


def remind(world: Model, clock: Clock) -> Model:
    """Admit the desk beside a lead that missed its deadlines three times."""
    lead = world.who("lead")
    if lead is None or clock.whom != lead or not is_failing(world, lead):
        return world
    return admit(world, "escalation_desk", DESK)


def drop(world: Model, clock: Clock) -> Model:
    """Discard a draft that nobody finished."""
    if clock.of == THE_CASE:
        return wind_case(discard(replace(world, state="void")))
    _, number = clock.of
    return step(world, number, replace(world.referrals[number], state="revoked"))


EFFECTS: Final[dict[str, Callable[[Model, Clock], Model]]] = {
    "reroute": reroute,
    "expire": expire,
    "remind": remind,
    "drop": drop,
    "erase": lambda world, _: wind_case(erase(replace(world, state="erased"))),
}
