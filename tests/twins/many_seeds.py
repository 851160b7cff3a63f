"""Play many seeds on several cores, and add up the results."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import structlog

from app.main import create_app
from app.runtime import build_runtime
from tests.databases.failpoints.copies import copies_of
from tests.databases.failpoints.sweeping import Ids
from tests.support.databases import SERVER, clear, make_copies, make_home, start_server
from tests.support.raw_requests import open_wire
from tests.support.world import KEYS, PUBLIC
from tests.twins.cast import build_cast
from tests.twins.cells import CELLS
from tests.twins.play import Result, Stage, play_seed

SHARE: Final = 25
"""Number of seeds that a process plays on one stage."""
LEAST: Final = 20
"""The minimum number of times that each secret happens before each relation."""
ERROR: Final = 40
"""The level of log lines that are printed."""


@contextmanager
def open_stage(database: str) -> Iterator[Stage]:
    """Yield a stage on a new database."""
    home = make_home()
    app = create_app(build_runtime("sqlite:///never-opened.db", KEYS), public_url=PUBLIC)
    ids = Ids()
    try:
        with (
            make_copies(database, home) as copy,
            copy() as url,
            open_wire(url, app, ids) as wire,
            copies_of(wire.world.database.engine, home) as copies,
        ):
            yield Stage(build_cast(wire, ids), copies)
    finally:
        clear(home)


def play_some(database: str, seeds: Sequence[int]) -> list[Result]:
    """Play seeds one after another, all on the same stage, without log lines."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(ERROR))
    with open_stage(database) as stage:
        return [play_seed(stage, seed) for seed in seeds]


def play_all(database: str, seeds: Sequence[int], cores: int) -> Iterator[Result]:
    """Play seeds on several cores, and yield the results."""
    shares = [seeds[at : at + SHARE] for at in range(0, len(seeds), SHARE)]
    play = partial(play_some, database)
    with (
        open_server(database),
        ProcessPoolExecutor(cores, get_context("spawn")) as pool,
    ):
        for done in as_completed([pool.submit(play, share) for share in shares]):
            yield from done.result()


@contextmanager
def open_server(database: str) -> Iterator[None]:
    """Start a PostgreSQL server that all processes share, if it is needed."""
    if database == "sqlite" or SERVER in os.environ:
        yield
        return
    home: Path = make_home()
    os.environ[SERVER] = start_server(home / "postgresql")
    try:
        yield
    finally:
        del os.environ[SERVER]
        clear(home)


def count_cells(results: Sequence[Result]) -> Counter[tuple[str, str]]:
    """Return how often each secret happened before each relation."""
    counts = Counter[tuple[str, str]](dict.fromkeys(map(get_key, CELLS), 0))
    counts.update(get_key(cell) for one in results for cell in one.plan.cells)
    return counts


def get_key(cell: Any) -> tuple[str, str]:
    return cell.relation, cell.secret


def describe_counts(counts: Counter[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each relation, with how often each secret happened before it."""
    for relation in dict.fromkeys(relation for relation, _ in counts):
        found = (f"{secret} {n}" for (who, secret), n in counts.items() if who == relation)
        yield f"{relation}: {', '.join(found)}"


def sum_results(results: Sequence[Result], seconds: float) -> dict[str, Any]:
    """Return the totals of all seeds."""
    counts = count_cells(results)
    return {
        "seeds": len(results),
        "first_seed": min(one.plan.seed for one in results),
        "last_seed": max(one.plan.seed for one in results),
        "failed": sorted(one.plan.seed for one in results if one.difference),
        "answers": sum(one.answers for one in results),
        "accepted": sum(one.accepted for one in results),
        "least": min(counts.values()),
        "seconds": round(seconds, 1),
        "counts": {f"{who}: {what}": n for (who, what), n in counts.items()},
    }
