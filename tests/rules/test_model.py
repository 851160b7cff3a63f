"""The mechanism that LIFECYCLES.md describes has no dead end, explored to some depth.

Breadth first, in the model alone: everything anybody can do from a new draft. Whatever can
be reached, somebody owns it and somebody can move it on.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.acts import GROUPS
from tests.mechanism import (
    ACTORS,
    ALIVE,
    HOLDS,
    OVERSIGHT,
    POST,
    SHELTER,
    Consent,
    Model,
    Referral,
)
from tests.model import GONE, OK, Act, predict

DEPTH = 6
BARE = Model()
WHOLE = Model(
    consents=tuple(Consent(kind, POST) for kind in ("refer", "services", "lead_ngo")),
    risk=(0, "low"),
)
ENDED = {"closed", "void", "erased"}
FEW: dict[str, set[Any]] = {
    "consent.record": {"refer"},
    "safeguards.write": {"lead", "shelter"},
    "risk.assess": {"low"},
    "time.pass": {192},
    "handover.offer": {"SANA_SEZIM"},
    "case.assign": {"KZ_LEAD"},
}
"""Of acts that differ only in whom they name, some; stories try the rest."""


def acts(world: Model) -> Iterator[Act]:
    """List what is tried in a state."""
    for group in GROUPS:
        for action, target, poor in group(world):
            chosen = target in FEW[action] if action in FEW else True
            is_first = action != "referral.open" or is_plain(world, *target)
            if chosen and is_first and not poor:
                yield action, target, poor


def is_plain(world: Model, one: Referral, _: bool) -> bool:
    """Whether a referral is the first, to the shelter, with the needs alone."""
    return one == Referral(SHELTER, "SHELTER", frozenset({"needs"})) and not world.referrals


@cache
def next_of(world: Model) -> dict[str, Model]:
    """What becomes of a state, by who does what; time goes by for nobody."""
    return {
        f"{name} {action} {target}": after
        for action, target, poor in acts(world)
        for name, actor in ACTORS.items()
        if world.parts(actor.focal_point)
        for verdict, after in [predict(world, actor, (action, target, poor))]
        if verdict in {OK, GONE} and after != world
    }


@cache
def reached(start: Model) -> frozenset[Model]:
    """Everything that can be reached from a state in so many acts."""
    found, edge = {start}, {start}
    for _ in range(DEPTH):
        edge = {after for world in edge for after in next_of(world).values()} - found
        found |= edge
    return frozenset(found)


@pytest.fixture(
    params=[
        pytest.param(BARE, id="bare"),
        pytest.param(WHOLE, id="whole", marks=pytest.mark.slow),
    ]
)
def worlds(request: pytest.FixtureRequest) -> frozenset[Model]:
    """Explore from a draft that says nothing yet, and from one that says everything."""
    return reached(request.param)


def test_much_is_reached(worlds: frozenset[Model]) -> None:
    assert {world.state for world in worlds} >= {"submitted", "under_review", "erased"}


@pytest.mark.slow
def test_help_and_a_new_lead_are_reached_from_a_whole_draft() -> None:
    worlds = reached(WHOLE)

    assert {world.state for world in worlds} >= {"assisting", "suspended", "monitoring"}
    assert {one.state for world in worlds for one in world.handovers} >= {"effective"}


def test_every_open_case_has_one_owner_and_an_exit(worlds: frozenset[Model]) -> None:
    for world in worlds:
        if world.state in ENDED:
            continue
        owner = POST if world.state == "draft" else world.holder
        exits = [act for act, after in next_of(world).items() if after.state != world.state]
        assert owner is not None, world
        assert exits, world


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
            one.focal_point for one in ACTORS.values() if world.parts(one.focal_point)
        }
        assert not world.sealed
        assert seeing == {OVERSIGHT}


def test_every_open_referral_has_an_exit(worlds: frozenset[Model]) -> None:
    for world in worlds:
        exits = next_of(world) if any(one.state in ALIVE for one in world.referrals) else {}
        for number, one in enumerate(world.referrals):
            if one.state in ALIVE:
                moved = [after.referrals[number].state for after in exits.values()]
                assert set(moved) - {one.state}, world
