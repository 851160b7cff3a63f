"""The stage that all seeds share."""

from collections.abc import Iterator

import pytest

from tests.simulation.cast import Stage, stage


@pytest.fixture(scope="session")
def made() -> Iterator[Stage]:
    with stage() as one:
        yield one
