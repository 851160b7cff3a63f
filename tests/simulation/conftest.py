"""The fixture for the stage that all seeds share."""

from collections.abc import Iterator

import pytest

from tests.simulation.cast import Stage, build_stage


@pytest.fixture(scope="session")
def made() -> Iterator[Stage]:
    with build_stage() as one:
        yield one
