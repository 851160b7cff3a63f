"""A reserve of disk space that is larger than the disk, so that writes are refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.kernel.free_space import FreeSpace, Place
from tests.support.world import World

RESERVED: Final = (503, "disk-space-reserved")
ALL_OF_IT: Final = 2**62
"""More bytes than a file system has."""


@contextmanager
def simulate_reserve(
    world: World, *files: Path, reserve: int = ALL_OF_IT
) -> Iterator[None]:
    """Reserve disk space while the block runs, by default on the database's disk.

    By default, the reserve is larger than any disk.
    """
    [path] = files or [Path(str(world.database.engine.url.database))]
    space = FreeSpace({Place.DATABASE: path}, reserve=reserve)
    world.app.state.runtime = replace(world.runtime, free_space=space)
    try:
        yield
    finally:
        world.app.state.runtime = world.runtime
