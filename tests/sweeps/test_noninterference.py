"""Data that an account may not read changes no response to the account (R11, R12)."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import zip_longest
from random import Random
from typing import Any

import pytest
from fastapi import FastAPI

from app.main import create_app
from tests.support.databases import Copy, draw_id
from tests.support.effort import Run, choose_number
from tests.support.in_thread import run_in_thread
from tests.support.raw_requests import Wire
from tests.support.servers import report
from tests.support.twin_worlds import Twin
from tests.support.world import PUBLIC, World

pytestmark = [pytest.mark.slow, pytest.mark.soak]
SCRIPTS = choose_number(1, night=200)
STEPS = choose_number(60, sample=12, night=200)
type Apps = tuple[FastAPI, FastAPI]


@pytest.fixture(scope="module")
def apps(app: FastAPI) -> Apps:
    """Return an application for each of the two worlds, which all tests reuse."""
    return app, create_app(app.state.runtime, public_url=PUBLIC)


@pytest.fixture
def pair(request: pytest.FixtureRequest, copies: Callable[[str], Copy]) -> list[Copy]:
    """Return two databases, one on SQLite and one on PostgreSQL if both are tested."""
    kinds = request.config.option.databases
    return [copies(kinds[0]), copies(kinds[-1])]


def open_twins(
    pair: list[Copy], apps: Apps, seed: int, stack: ExitStack
) -> tuple[Twin, Twin]:
    """Open two worlds with the same seed. The seed also decides which copy is first."""
    made, there = [], pair if seed % 2 else pair[::-1]
    for side, (app, copy) in enumerate(zip(apps, there, strict=True)):
        url, loop = stack.enter_context(copy()), stack.enter_context(run_in_thread())
        world = World(url, app, loop, partial(draw_id, Random(seed)))
        stack.callback(world.close)
        made.append(Twin(world, Wire(world, loop), side, Random(seed)))
    return made[0], made[1]


def compare_runs(
    number: int, one: Iterator[tuple[str, Any]], other: Iterator[tuple[str, Any]]
) -> Iterator[str]:
    """Compare two runs; yield each response's status, or `worker` for other steps."""
    for first, second in zip_longest(one, other):
        assert first == second, (number, first, second)
        yield str(first[1][0]) if isinstance(first[1], tuple) else "worker"


@pytest.mark.parametrize("script", range(SCRIPTS))
def test_what_is_hidden_changes_nothing_that_is_seen(
    pair: list[Copy], apps: Apps, script: int
) -> None:
    seed, statuses = SCRIPTS * Run.seed + script, Counter[str]()
    with ExitStack() as stack:
        one, other = open_twins(pair, apps, seed, stack)
        one.begin()
        other.begin()
        for number in range(STEPS):
            statuses.update(compare_runs(number, one.run_step(), other.run_step()))
        statuses.update(compare_runs(STEPS, one.read_everything(), other.read_everything()))
        assert one.authors == other.authors
        assert one.known == other.known

    report("answers alike", statuses.elements())
    assert statuses["200"] > STEPS
    assert len(one.authors) > STEPS // 8
