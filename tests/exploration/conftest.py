"""The stage that all explorations in a process share; it is restored after each test."""

from collections.abc import Iterator

import pytest

from tests.exploration.stage import Stage, build_stage


@pytest.fixture(scope="session")
def built() -> Iterator[Stage]:
    with build_stage() as stage:
        yield stage


@pytest.fixture
def stage(built: Stage) -> Iterator[Stage]:
    yield built
    built.restore(built.beginning)
