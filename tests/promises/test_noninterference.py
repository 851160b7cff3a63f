"""What somebody may not read changes nothing of what they are answered (R11, R12)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import zip_longest
from random import Random
from typing import Any

import pytest

from tests.databases import Copy
from tests.serving import report, times
from tests.twins import Twin, ids_of
from tests.wire import wired
from tests.world import World

pytestmark = [pytest.mark.slow, pytest.mark.soak]
SCRIPTS = times(2, soak=200)
STEPS = 200


def twins(copy: Copy, seed: int, stack: ExitStack) -> tuple[Twin, Twin]:
    """Open two worlds with the same seed."""
    made = []
    for side in range(2):
        url = stack.enter_context(copy())
        world = World(url, ids=partial(ids_of, Random(seed)))
        stack.callback(world.closes)
        wire = stack.enter_context(wired(world))
        made.append(Twin(world, wire, side, Random(seed)))
    return made[0], made[1]


def alike(
    number: int, one: Iterator[tuple[str, Any]], other: Iterator[tuple[str, Any]]
) -> Iterator[str]:
    """See that both went the same way, and say what was answered."""
    for here, there in zip_longest(one, other):
        assert here == there, (number, here, there)
        yield str(here[1][0]) if isinstance(here[1], tuple) else "worker"


@pytest.mark.parametrize("seed", range(SCRIPTS))
def test_what_is_hidden_changes_nothing_that_is_seen(copy: Copy, seed: int) -> None:
    heard = Counter[str]()
    with ExitStack() as stack:
        one, other = twins(copy, seed, stack)
        one.begins()
        other.begins()
        for number in range(STEPS):
            heard.update(alike(number, one.step(), other.step()))
        heard.update(alike(STEPS, one.sweeps(), other.sweeps()))
        assert one.authors == other.authors
        assert one.known == other.known

    report("answers alike", heard.elements())
    assert heard["200"] > STEPS
    assert len(one.authors) > STEPS // 4
