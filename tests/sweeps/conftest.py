"""Fixtures of the sweeps: one world for all requests of a module."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.support.databases import Copy
from tests.support.full_world import Stage
from tests.support.operation_calls import Hunt, open_hunt
from tests.support.raw_requests import Wire


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
