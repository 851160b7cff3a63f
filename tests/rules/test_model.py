"""The mechanism of LIFECYCLES.md has no dead end in the states that the model reaches.

The model is explored breadth first, from an empty draft, a full draft and a case with a new
lead. A step is an action of a party, or time that passes. In every open state that is
reached, an office holds the case, a deadline of the case is running, and some office can
change the state. If no office ever acts, the case still ends or reaches the desk.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.support.effort import choose_number
from tests.support.model.actions import GROUPS
from tests.support.model.case_values import (
    ACTORS,
    ALIVE,
    BY_DESK,
    CASE_OPEN,
    GONE,
    HOLDS,
    KZ,
    OK,
    OVERSIGHT,
    POST,
    SHELTER,
    THE_CASE,
    Consent,
    Model,
    Record,
    Referral,
)
from tests.support.model.deadlines import get_time_to_miss, start_case_deadline
from tests.support.model.missed_deadlines import get_shortest_repeat, run_worker, wait
from tests.support.model.predictions import Act, compute_outcome

BARE = start_case_deadline(Model())
WHOLE = start_case_deadline(
    Model(
        consents=tuple(Consent(kind, POST) for kind in ("refer", "services", "lead_ngo")),
        risk=(0, "low"),
    )
)
DEPTH, FROM_LEAD = choose_number(5, night=6), choose_number(3, night=4)
"""The numbers of steps to explore, from a draft and from a case with a lead."""
ENDED = {"closed", "void", "erased"}
ASKED = {"sent", "received", "info_requested"}
FEW: dict[str, set[Any]] = {
    "consent.record": {"refer"},
    "safeguards.write": {"lead", "shelter"},
    "risk.assess": {"low"},
    "handover.offer": {"SANA_SEZIM"},
    "case.assign": {"KZ_LEAD"},
    "lead.take_over": {"SANA_SEZIM"},
    "lead.record_lead_consent": {BY_DESK},
    "time.pass": set(),
}
"""The targets to try for actions that have many similar targets; stories try the others."""


def list_acts(world: Model) -> Iterator[Act]:
    """Yield the actions to try in a state."""
    for group in GROUPS:
        for action, target, poor in group(world):
            chosen = target in FEW[action] if action in FEW else True
            if chosen and not poor and is_no_repetition(world, action, target):
                yield action, target, poor


def is_no_repetition(world: Model, action: str, target: Any) -> bool:
    """Return whether an action is new, and not a repetition such as a second question."""
    match action:
        case "referral.open":
            plain = Referral(SHELTER, "SHELTER", frozenset({"needs"}))
            return target[0] == plain and not world.referrals
        case "consent.record":
            return Consent(target, POST) not in world.consents
        case "question.ask":
            return not world.questions
        case "risk.assess":
            return not world.risk_is_current
        case _:
            return True


def list_outcomes(world: Model) -> Iterator[tuple[str, Model]]:
    """Yield each possible action, or passing of time, with the state that follows."""
    parties = [name for name, one in ACTORS.items() if world.get_parts(one.focal_point)]
    for action, target, poor in list_acts(world):
        for name in parties[:1] if action.startswith("time.") else parties:
            verdict, after = compute_outcome(world, ACTORS[name], (action, target, poor))
            if verdict in {OK, GONE} and after != world:
                yield action, after


def list_next_states(world: Model) -> Iterator[Model]:
    """Yield the states that follow an action of a party."""
    return (
        after for action, after in list_outcomes(world) if not action.startswith("time.")
    )


@cache
def find_reachable(start: Model, depth: int) -> frozenset[Model]:
    """Return every state that can be reached with at most `depth` steps."""
    found, edge = {start}, {start}
    for _ in range(depth):
        edge = {after for world in edge for _, after in list_outcomes(world)} - found
        found |= edge
    return frozenset(found)


def build_led_case() -> Model:
    """Return a case with a lead, which was submitted from a full draft."""
    world = WHOLE
    for who, action in ((POST, "submit"), (KZ, "acknowledge"), (KZ, "accept_lead")):
        verdict, world = compute_outcome(
            world, ACTORS[who], (f"case.{action}", None, False)
        )
        assert verdict == OK
    return world


@pytest.fixture(
    params=[
        pytest.param((BARE, DEPTH), id="bare"),
        pytest.param((WHOLE, DEPTH), id="whole", marks=pytest.mark.slow),
        pytest.param((build_led_case(), FROM_LEAD), id="taken on", marks=pytest.mark.slow),
    ]
)
def worlds(request: pytest.FixtureRequest) -> frozenset[Model]:
    """Return the states reached from an empty draft, a full draft or a case with a lead."""
    return find_reachable(*request.param)


def test_the_end_is_reached(worlds: frozenset[Model]) -> None:
    assert {world.state for world in worlds} >= {"closed", "erased"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "start", [(WHOLE, DEPTH), (build_led_case(), FROM_LEAD)], ids=["whole", "taken on"]
)
def test_help_and_a_new_lead_are_reached(start: tuple[Model, int]) -> None:
    worlds = find_reachable(*start)

    assert {world.state for world in worlds} >= {"assisting", "suspended", "monitoring"}
    assert {one.state for world in worlds for one in world.handovers} >= {"effective"}


def test_every_open_case_has_one_owner_and_an_exit(worlds: frozenset[Model]) -> None:
    for world in worlds:
        if world.state in ENDED:
            continue
        owner = POST if world.state == "draft" else world.holder
        assert owner is not None, world
        assert any(after.state != world.state for after in list_next_states(world)), world


def test_a_case_has_at_most_one_of_each_that_holds_it(worlds: frozenset[Model]) -> None:
    for world in worlds:
        holding = [relation for relation, _ in world.parties if relation in HOLDS]
        assert len(holding) <= 1, world


def test_nothing_is_open_in_a_case_that_ended(worlds: frozenset[Model]) -> None:
    for world in worlds:
        if world.state in ENDED:
            assert not [one for one in world.referrals if one.state in {"draft", *ALIVE}]
            assert not [one for one in world.handovers if one.state == "offered"]


def test_nothing_sealed_and_nobody_but_oversight_is_left_once_erased(
    worlds: frozenset[Model],
) -> None:
    erased = [world for world in worlds if world.state == "erased"]

    assert erased
    for world in erased:
        seeing = {
            one.focal_point for one in ACTORS.values() if world.get_parts(one.focal_point)
        }
        assert not world.sealed
        assert seeing == {OVERSIGHT}


def test_every_open_referral_has_an_exit(worlds: frozenset[Model]) -> None:
    for world in worlds:
        still = {
            n: one.state for n, one in enumerate(world.referrals) if one.state in ALIVE
        }
        for after in list_next_states(world) if still else ():
            still = {n: s for n, s in still.items() if after.referrals[n].state == s}
            if not still:
                break
        assert not still, world


def list_waiting(world: Model) -> Iterator[Record]:
    """Yield the records that wait for an action, including the case until it is erased."""
    if world.state != "erased":
        yield THE_CASE
    for number, one in enumerate(world.referrals):
        undeleted = one.is_sent and not one.has_left and one.state != "completed"
        if one.state in {"draft", *ALIVE} or undeleted:
            yield ("referral", number)
    for number, offer in enumerate(world.handovers):
        if offer.state == "offered":
            yield ("handover", number)
    for number, question in enumerate(world.questions):
        if not question.is_answered and world.state in CASE_OPEN:
            yield ("question", number)


def list_paused(world: Model) -> Iterator[Record]:
    """Yield the referrals and questions whose deadline is paused in a suspended case."""
    if world.state == "suspended":
        for number, one in enumerate(world.referrals):
            if one.paused_time is not None:
                yield ("referral", number)
        for number, question in enumerate(world.questions):
            if question.paused_time is not None:
                yield ("question", number)


def test_a_clock_runs_for_all_that_is_open_and_for_nothing_else(
    worlds: frozenset[Model],
) -> None:
    for world in worlds:
        running, still = {clock.record for clock in world.clocks}, set(list_paused(world))
        assert running | still == set(list_waiting(world)), world
        assert not running & still, world
        assert len(running) == len(world.clocks), world


def test_every_clock_waits_on_who_has_a_part_and_none_on_who_has_not(
    worlds: frozenset[Model],
) -> None:
    for world in worlds:
        for clock in world.clocks:
            if clock.kind == "erase":
                assert clock.office is None, world
            else:
                assert clock.office, world
                assert world.get_parts(clock.office), world


def get_next_wait(world: Model) -> int | None:
    """Return the minutes until the next missed deadline, or None if no deadline runs."""
    waits = [get_time_to_miss(clock, get_shortest_repeat(clock)) for clock in world.clocks]
    return min((wait for wait in waits if wait is not None), default=None)


def test_nothing_is_told_before_its_time(worlds: frozenset[Model]) -> None:
    for world in map(run_worker, worlds):
        minutes = get_next_wait(world)
        if minutes is not None:
            assert minutes > 0, world
            assert len(wait(world, minutes - 1).missed_deadlines) == len(
                world.missed_deadlines
            )


def is_over(world: Model) -> bool:
    """Return whether the case is erased, or is at the desk and has no open requests."""
    pending = [one for one in world.referrals if one.state in {"draft", *ASKED}]
    offered = [one for one in world.handovers if one.state == "offered"]
    desk = world.find_party("desk", "escalation_desk") is not None
    return world.state == "erased" or (desk and not pending and not offered)


def let_deadlines_pass(world: Model, known: set[Model]) -> Model:
    """Let deadlines pass until the case is over or in `known`, at most `LONG_ENOUGH` times.

    Return the last state, and add the states before an end to `known`. Raises
    AssertionError if no deadline runs, or if none or too many are missed at one moment.
    """
    met = set[Model]()
    for _ in range(LONG_ENOUGH):
        if is_over(world) or world in known:
            known |= met
            break
        met.add(world)
        minutes = get_next_wait(world)
        assert minutes is not None, world
        after = wait(world, minutes)
        new_misses = after.missed_deadlines[len(world.missed_deadlines) :]
        assert 0 < len(new_misses) <= 2 * (len(world.clocks) + 1), world
        world = after
    return world


LONG_ENOUGH = 60


def test_if_nobody_ever_answers_all_ends_or_is_with_the_desk(
    worlds: frozenset[Model],
) -> None:
    known = set[Model]()
    for world in worlds:
        end = let_deadlines_pass(world, known)
        assert is_over(end) or end in known, world
