"""The selection of the tests that a run of each effort includes.

- `fast`: only SQLite, no slow tests, and a share of the cells of each test.
- `sample`: each test on one database, except those marked `whole`; a share of the modules
  of tests/sweeps and tests/processes, and a share of the cells of each test.
- `all`: each cell of each test on one database, and a share of the cells of each sweep.
- `night`, and every run with `--all-cells`: each cell of each test on both databases.

The cells of a test are its combinations of parameters, apart from the database. A sweep is
a test with many cells, each of which could find the same kind of fault: a test marked
`sweep`, or a test of tests/sweeps.

PostgreSQL runs the races, the tests of migrations, roles and row security, and the tests in
postgresql.txt. SQLite runs the tests of pages, because pages read and write through the
API. In a sample, SQLite also runs all other tests outside tests/databases. Of the remaining
cells, a share runs on PostgreSQL. The seed of the run decides which ones, and which modules
and cells are left out, so that each commit runs different ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.support import slow_list
from tests.support.effort import Effort, Run, is_sample
from tests.support.order import get_module

SHARE: Final = 12
"""A sample runs one of this many cells of a sweep."""
SHARE_OF_ALL: Final = 10
"""`all` runs one of this many cells of a sweep."""
ON_POSTGRESQL: Final = 4
"""One of this many cells runs on PostgreSQL, where a test takes twice the time."""
PARTLY_ON_POSTGRESQL: Final = 8
"""One of this many cells of a test marked `partly`, which tests rules without SQL."""
LIST: Final = Path(__file__).with_name("postgresql.txt")
"""The list of tests that together issue every SQL statement of tests/api on PostgreSQL."""
API: Final = "tests/api/"
DATABASES: Final = "tests/databases/"
PAGES: Final = ("tests/console/", "tests/sweeps/test_console_")
PROCESSES: Final = "tests/processes/"
SWEEPS: Final = "tests/sweeps/"
MODULES: Final = {SWEEPS: 3, PROCESSES: 2}
"""A sample runs one of this many modules of these folders."""
ONE_CELL: Final = (API, "tests/console/", "tests/exploration/", PROCESSES)
"""Folders in which a sample runs one cell of each test that is not a sweep."""
ABOUT_POSTGRESQL: Final = tuple(
    f"{DATABASES}test_{name}.py" for name in ("migrations", "roles", "row_security")
)
"""The modules whose tests always run on PostgreSQL."""

type Cell = dict[str, pytest.Item]
"""A cell of a test by database. The key is empty for a test that uses no database."""


def select(items: list[pytest.Item]) -> set[pytest.Item]:
    """Return the tests that this run leaves out."""
    if Run.is_complete:
        return set()
    left = [item for item in items if not is_left_out(item)]
    if Run.effort is Effort.SAMPLE:
        left = leave_out_modules(left)
    kept = {
        item
        for name, cells in group_cells(left).items()
        for item in choose_tests(name, cells)
    }
    return set(items) - kept


def is_left_out(item: pytest.Item) -> bool:
    """Return whether a run of this effort leaves out all cells of a test."""
    if Run.effort is Effort.FAST:
        slow = get_slow_functions()
        return has_mark(item, "slow") or slow_list.get_function(item.nodeid) in slow
    return Run.effort is Effort.SAMPLE and has_mark(item, "whole")


@cache
def get_slow_functions() -> frozenset[str]:
    """Return the tests that were measured as slow."""
    return slow_list.list_slow()


def leave_out_modules(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests without those of some modules of the folders in `MODULES`.

    Runs with consecutive seeds include different modules.
    """
    modules, out = sorted({get_module(one) for one in items}), set[str]()
    for folder, share in MODULES.items():
        found = [one for one in modules if one.startswith(folder)]
        out |= set(found) - set(found[Run.seed % share :: share])
    return [item for item in items if get_module(item) not in out]


def group_cells(items: Iterable[pytest.Item]) -> dict[str, list[Cell]]:
    """Return the cells of each test, by its name without parameters."""
    tests = defaultdict[str, defaultdict[str, Cell]](lambda: defaultdict(dict))
    for item in items:
        name, _, parameters = item.nodeid.partition("[")
        database = get_database(item)
        cell = parameters.removeprefix("pg" if database == "postgresql" else database)
        tests[name][cell][database] = item
    return {name: list(cells.values()) for name, cells in tests.items()}


def choose_tests(name: str, cells: list[Cell]) -> Iterator[pytest.Item]:
    """Yield the cells of a test that this run executes, each on one database."""
    listed = [cell for cell in cells if is_listed(cell)]
    chosen = listed if listed and is_sample() else draw_cells(name, cells)
    for cell in chosen:
        yield cell[choose_database(name, cell)]


def is_listed(cell: Cell) -> bool:
    """Return whether postgresql.txt lists a cell."""
    return "postgresql" in cell and cell["postgresql"].nodeid in list_tests()


@cache
def list_tests() -> frozenset[str]:
    """Return the tests that postgresql.txt lists."""
    lines = LIST.read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def draw_cells(name: str, cells: Sequence[Cell]) -> Sequence[Cell]:
    """Return the share of the cells of a test that this run includes, at least one."""
    share = get_share(name, cells)
    return cells[draw_number(name, min(share, len(cells))) :: share]


def get_share(name: str, cells: Sequence[Cell]) -> int:
    """Return n if this run includes one in n cells of a test."""
    is_marked = any(has_mark(one, "sweep") for one in cells[0].values())
    if is_marked or name.startswith(SWEEPS):
        return SHARE if is_sample() else SHARE_OF_ALL
    return len(cells) if is_sample() and name.startswith(ONE_CELL) else 1


def choose_database(name: str, cell: Cell) -> str:
    """Return the database on which this run executes a cell of a test."""
    if len(cell) == 1:
        return next(iter(cell))
    test = cell["postgresql"]
    if is_listed(cell) or has_mark(test, "race") or name.startswith(ABOUT_POSTGRESQL):
        return "postgresql"
    if name.startswith(PAGES) or (is_sample() and not name.startswith(DATABASES)):
        return "sqlite"
    share = PARTLY_ON_POSTGRESQL if has_mark(test, "partly") else ON_POSTGRESQL
    return "sqlite" if draw_number(test.nodeid, share) else "postgresql"


def draw_number(name: str, limit: int) -> int:
    """Return a number below `limit` that depends on a name and on the seed of the run."""
    return Random(f"{Run.seed} {name}").randrange(limit)


def has_mark(item: pytest.Item, name: str) -> bool:
    """Return whether a test has a marker."""
    return item.get_closest_marker(name) is not None


def get_database(item: pytest.Item) -> str:
    """Return the kind of database that a test uses, or an empty string if it uses none."""
    given = item.callspec.params if hasattr(item, "callspec") else {}
    return str(given.get("copy", ""))
