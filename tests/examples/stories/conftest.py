"""Each story has 8 to 30 dated steps, and each of its cases an end."""

from collections.abc import Iterator

import pytest

from tests.support.stories import Story, tell
from tests.support.world import World


@pytest.fixture
def story(world: World) -> Iterator[Story]:
    """Begin a story at noon UTC on 1 June 2026."""
    yield from tell(world)
