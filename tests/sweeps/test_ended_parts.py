"""An office cannot tell for which cause its part in a case ended (ADR 20, docs/returns.md).

A consulate, the recipient of a return and a shelter are compared with themselves: each of
them reads everything that it can after one cause, and after another one.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.support.ended_parts import CAUSES, USUAL, build_case, play_ending
from tests.sweeps.conftest import Scene

pytestmark = pytest.mark.slow
type Play = Callable[[str, str], dict[str, Any]]
PARTS = [(who, why) for who, causes in CAUSES.items() for why in causes if why != USUAL]


@pytest.fixture(scope="module")
def play(scene: Scene) -> Play:
    """Return a function that ends the part of an office by a cause, from one first state.

    It returns what the office reads afterwards.
    """
    world, ids, copies = scene
    made = build_case(world, ids)
    copies.keep("helped")
    now = world.now

    @cache
    def play(office: str, cause: str) -> dict[str, Any]:
        copies.back("helped")
        world.now = now
        return dict(play_ending(made, office, cause))

    return play


@pytest.mark.partly
@pytest.mark.parametrize(("office", "cause"), PARTS)
def test_every_cause_of_an_ending_looks_alike_to_the_office_whose_part_ends(
    play: Play, office: str, cause: str
) -> None:
    usual, other = play(office, USUAL), play(office, cause)

    found = sorted(
        at for at in usual.keys() | other.keys() if usual.get(at) != other.get(at)
    )
    differ = [(at, usual.get(at), other.get(at)) for at in found]
    assert not differ, "\n".join(f"{at}:\n  {a}\n  {b}" for at, a, b in differ)
    assert len(usual) > 60
    state = usual["ended get_referral"]
    assert '"state":"withdrawn"' in state[2]
