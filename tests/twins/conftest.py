"""The fixture for the stage that all seeds share."""

from collections.abc import Iterator

import pytest

from tests.twins.many_seeds import open_stage
from tests.twins.play import Stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Yield a stage on SQLite. `make twins` also plays on PostgreSQL."""
    with open_stage("sqlite") as one:
        yield one
