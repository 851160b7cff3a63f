"""The selection of the tests that a run of each effort includes.

- `fast`: only SQLite, no slow tests, and one cell of each sweep.
- `sample`: on SQLite a share of the cells of each sweep and all other tests, except those
  marked `whole` or `race`; on PostgreSQL the tests of tests/databases and the tests that
  postgresql.txt lists.
- `all`: all tests, but on PostgreSQL only a share of the cells of a sweep marked `partly`,
  and no tests of pages of the console, which read and write through the API only.
- `night`: all tests.

A sweep is a test with many cells, each of which could find the same kind of fault: a test
marked `sweep`, or a test of tests/sweeps with parameters. In a sample, one cell of each
test of tests/api and tests/processes is run. The seed of the run decides which cells a
sample runs, so that each commit runs different ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.support import slow_list
from tests.support.effort import Effort, Run, is_sample

SHARE: Final = 12
"""A sample runs one of this many cells of a marked sweep."""
PART: Final = 8
"""On PostgreSQL, test-all runs one of this many cells of a sweep marked `partly`.

If this number does not divide the cells, the seed decides whether one more cell runs.
"""
ON_POSTGRESQL: Final = Path(__file__).with_name("postgresql.txt")
"""The list of tests that together issue every SQL statement of tests/api on PostgreSQL."""
DATABASES: Final = "tests/databases/"
API: Final = "tests/api/"
PAGES: Final = ("tests/console/", "tests/sweeps/test_console_")
"""The tests of pages of the console, which SQLite alone runs unless it is night."""
SWEEPS: Final = "tests/sweeps/"
ONE_CELL: Final = (API, "tests/processes/")
"""Folders in which a sample runs one cell of each test that has parameters."""

type Cells = list[pytest.Item]


def select(items: list[pytest.Item]) -> set[pytest.Item]:
    """Return the tests that this run skips."""
    if Run.effort is Effort.ALL:
        out = {one for one in items if is_postgresql(one) and is_of_pages(one)}
        partly = [one for one in items if one not in out and is_partly_run(one)]
        return out | set(find_repeated_cells(partly))
    if not is_sample():
        return set()
    if Run.effort is Effort.FAST:
        slow = slow_list.list_slow()
        return set(find_repeated_cells(items)) | {
            one for one in items if is_slow(one, slow)
        }
    listed = frozenset(list_tests())
    out = {one for one in items if is_postgresql(one) and not is_due(one, listed)}
    out |= {one for one in items if one.get_closest_marker("whole")}
    out |= {one for one in items if is_race_on_sqlite(one)}
    rest = [one for one in items if one not in out and one.nodeid not in listed]
    return out | set(find_repeated_cells(rest))


def is_partly_run(item: pytest.Item) -> bool:
    """Return whether the effort `all` runs only a share of the sweep of this test."""
    return is_postgresql(item) and item.get_closest_marker("partly") is not None


def is_of_pages(item: pytest.Item) -> bool:
    """Return whether a test is one of pages of the console."""
    return item.nodeid.startswith(PAGES)


def is_slow(item: pytest.Item, slow: frozenset[str]) -> bool:
    """Return whether a test is marked as slow or listed as slow."""
    marked = item.get_closest_marker("slow") is not None
    return marked or slow_list.get_function(item.nodeid) in slow


def is_due(item: pytest.Item, listed: frozenset[str]) -> bool:
    """Return whether a test is due on PostgreSQL when only a sample of the tests runs."""
    alone = "pg_url" in getattr(item, "fixturenames", ())
    races = item.get_closest_marker("race") is not None
    return alone or races or item.nodeid.startswith(DATABASES) or item.nodeid in listed


def is_race_on_sqlite(item: pytest.Item) -> bool:
    """Return whether a test is a race on SQLite, where writers run one at a time."""
    return get_database(item) == "sqlite" and item.get_closest_marker("race") is not None


def is_postgresql(item: pytest.Item) -> bool:
    """Return whether a test runs on PostgreSQL."""
    return get_database(item) == "postgresql"


def get_database(item: pytest.Item) -> str:
    """Return the kind of database that a test uses, or an empty string if it uses none."""
    given = item.callspec.params if hasattr(item, "callspec") else {}
    return str(given.get("copy", ""))


def list_tests() -> Iterator[str]:
    """Yield the tests that postgresql.txt lists, which a sample runs on PostgreSQL."""
    for line in ON_POSTGRESQL.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def find_repeated_cells(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the cells that a run skips, because it runs only a share of each sweep."""
    sweeps: defaultdict[tuple[str, str], Cells] = defaultdict(list)
    for item in items:
        sweeps[item.nodeid.partition("[")[0], get_database(item)].append(item)
    for (name, database), cells in sweeps.items():
        if share := get_share(cells):
            kept = draw_cells(cells, share, f"{name} {database}")
            yield from (cell for cell in cells if cell not in kept)


def get_share(cells: Cells) -> int | None:
    """Return n if a sample runs one in n cells of a test, or None if it runs all cells."""
    item = cells[0]
    if Run.effort is Effort.ALL:
        return PART
    if item.get_closest_marker("sweep") or item.nodeid.startswith(SWEEPS):
        return SHARE
    return len(cells) if item.nodeid.startswith(ONE_CELL) else None


def draw_cells(cells: Sequence[pytest.Item], share: int, name: str) -> list[pytest.Item]:
    """Draw about one in `share` cells at random, by the seed of the run."""
    random = Random(f"{Run.seed} {name}")
    count, left = divmod(len(cells), share)
    count += random.randrange(share) < left
    if Run.effort is not Effort.ALL:
        count = max(1, round(len(cells) / share))
    return random.sample(list(cells), count)
