"""What tests begin with is kept for those like it, and none finds what another did."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import patch

import pytest

from tests.support import staging
from tests.support.world import NOON, Json, Someone, World, done

pytestmark = pytest.mark.slow  # the inner loop would leave out all but one of the five
MADE = Counter[str]()


@dataclass
class Scene:
    """What a test begins with."""

    world: World
    lead: Someone
    case: Json


@pytest.fixture(scope="module", autouse=True)
def at_once() -> Iterator[None]:
    """Keep also what takes no time to bring about."""
    with patch.object(staging, "LONG", 0):
        yield


@pytest.fixture
def scene(world: World, officer: Someone, lead: Someone) -> Scene:
    """A case that somebody leads, a day later."""
    MADE[world.database.engine.dialect.name] += 1
    case = officer.submits()
    lead.leads(case)
    world.waits_for(days=1)
    return Scene(world, lead, case)


@pytest.fixture
def asked(scene: Scene) -> Callable[[], Json]:
    """Ask for the case: what cannot be written down."""
    return lambda: scene.lead.sees(scene.case)


@pytest.mark.parametrize("turn", range(5))
def test_each_finds_what_it_begins_with_and_nothing_of_another(
    turn: int, scene: Scene, world: World, lead: Someone, officer: Someone
) -> None:
    begun, now = lead.sees(scene.case), world.now
    theirs = done(officer.get("/cases"))["items"]

    lead.refers(scene.case, "KZ_SHELTER_KOGERSHIN")
    officer.submits(external_reference=f"turn-{turn}")
    world.waits_for(days=3)
    scene.case["code"] = "gone"

    assert now == NOON + timedelta(days=1)
    assert (scene.world, scene.lead, lead.world) == (world, lead, world)
    assert [case["code"] for case in theirs] == [begun["code"]]
    assert begun["state"] == "referring"


@pytest.mark.parametrize("turn", range(4))
def test_what_cannot_be_written_down_is_brought_about_anew(
    turn: int, asked: Callable[[], Json]
) -> None:
    assert asked()["state"] == "referring", turn


def test_it_was_brought_about_once_for_these_and_anew_for_each_of_those(
    scene: Scene, world: World
) -> None:
    assert scene.world is world
    assert MADE[world.database.engine.dialect.name] == 1 + 4
