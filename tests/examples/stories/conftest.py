"""The fixture of the stories. A story has 8 to 30 dated steps, and each case has an end."""

from collections.abc import Generator, Iterator

import pytest

from tests.support.stories import Story
from tests.support.world import World

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record that a story failed, so that its end is not checked."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def story(world: World, request: pytest.FixtureRequest) -> Iterator[Story]:
    """Yield a story that begins at noon UTC on 1 June 2026; check it if the test passes."""
    new_story = Story(world)
    yield new_story
    if not request.node.stash.get(FAILED, False):
        new_story.check()
