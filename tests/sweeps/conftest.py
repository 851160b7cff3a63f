"""One world for all that a module sends."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.support.databases import Copy
from tests.support.full_world import Stage
from tests.support.operation_calls import Hunt, hunting
from tests.support.raw_requests import Wire


@pytest.fixture(scope="module")
def hunt(copy: Copy, app: FastAPI) -> Iterator[Hunt]:
    """Open a world with one of everything, and be ready to ask for anything."""
    with copy() as url, hunting(url, app) as begun:
        yield begun


@pytest.fixture(scope="module")
def wire(hunt: Hunt) -> Wire:
    """Speak to the service of that world."""
    return hunt.wire


@pytest.fixture(scope="module")
def stage(hunt: Hunt) -> Stage:
    """Name the people of that world, and what they see."""
    return hunt.stage
