"""Fixtures of the sweeps: one world for all requests of a module."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.databases.failpoints.copies import Copies, copies_of
from tests.databases.failpoints.sweeping import Ids
from tests.support.databases import Copy
from tests.support.full_world import Stage
from tests.support.moved_cases import add_agreements
from tests.support.operation_calls import Hunt, open_hunt
from tests.support.raw_requests import Wire, open_wire
from tests.support.world import World

type Scene = tuple[World, Ids, Copies]


@pytest.fixture(scope="module")
def hunt(copy: Copy, app: FastAPI) -> Iterator[Hunt]:
    """Yield a world with one record of each kind, in which operations can be called."""
    with copy() as url, open_hunt(url, app) as begun:
        yield begun


@pytest.fixture(scope="module")
def wire(hunt: Hunt) -> Wire:
    """Return the connection to the service of `hunt`."""
    return hunt.wire


@pytest.fixture(scope="module")
def stage(hunt: Hunt) -> Stage:
    """Return the people of the world, with the ids that each of them can see."""
    return hunt.stage


@pytest.fixture(scope="module")
def scene(
    copy: Copy, app: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """Yield a database with agreements that let a case be handed over across borders.

    Each test can restore its first state, which is named `begun`.
    """
    ids, folder = Ids(), tmp_path_factory.mktemp("scene")
    with copy() as url, open_wire(url, app, ids) as wire:
        add_agreements(wire.world)
        with copies_of(wire.world.database.engine, folder) as copies:
            copies.keep("begun")
            yield wire.world, ids, copies
