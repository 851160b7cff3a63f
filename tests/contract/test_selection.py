"""A run with lower effort leaves out tests by fixed rules and by its seed (ADR 33)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import selection
from tests.support.effort import Effort, Run
from tests.support.order import get_module, sort_tests
from tests.support.results import ROOT
from tests.support.slow_list import list_slow

IDS = {"sqlite": "sqlite", "postgresql": "pg"}


@dataclass(eq=False)
class Item:
    """A collected test, with the attributes that the selection reads."""

    function: str
    database: str
    cell: str = ""
    marks: frozenset[str] = frozenset()
    fixturenames: tuple[str, ...] = ()
    callspec: Any = field(init=False)

    def __post_init__(self) -> None:
        self.callspec = SimpleNamespace(params={"copy": self.database})

    @property
    def nodeid(self) -> str:
        cell = f"-{self.cell}" if self.cell else ""
        return f"{self.function}[{IDS[self.database]}{cell}]"

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.marks else None


def make_items(function: str, *marks: str, cells: int = 1) -> list[Any]:
    """Return the cells of a test on both databases."""
    names = [f"c{number}" for number in range(cells)] if cells > 1 else [""]
    return [
        Item(function, database, cell, frozenset(marks))
        for database, cell in product(IDS, names)
    ]


@pytest.fixture(autouse=True)
def selecting() -> Iterator[None]:
    """Select tests as a run without `--all-cells` does, until the test ends."""
    before = Run.effort, Run.seed, Run.is_complete
    Run.is_complete = False
    yield
    Run.effort, Run.seed, Run.is_complete = before


def select_kept(effort: Effort, seed: int, items: list[Any]) -> list[Any]:
    """Return the tests that a run with an effort and a seed includes."""
    Run.effort, Run.seed = effort, seed
    out = selection.select(items)
    return [item for item in items if item not in out]


def list_databases(function: str, *marks: str, seeds: int = 20) -> list[set[str]]:
    """Return the databases on which a sample with each seed runs a test."""
    items = make_items(function, *marks)
    return [
        {item.database for item in select_kept(Effort.SAMPLE, seed, items)}
        for seed in range(seeds)
    ]


def test_sample_runs_a_test_of_the_database_on_one_of_both_by_the_seed() -> None:
    found = list_databases("tests/databases/test_feed.py::test_one")

    assert {len(databases) for databases in found} == {1}
    assert set().union(*found) == set(IDS)


@pytest.mark.parametrize(
    ("function", "marks", "database"),
    [
        ("tests/databases/test_races.py::test_one", ["race"], "postgresql"),
        ("tests/examples/test_a_race.py::test_one", ["race"], "postgresql"),
        ("tests/databases/test_roles.py::test_one", [], "postgresql"),
        ("tests/api/test_unlisted.py::test_one", [], "sqlite"),
        ("tests/examples/test_one.py::test_one", ["slow"], "sqlite"),
    ],
)
def test_sample_always_runs_a_test_on_the_same_database(
    function: str, marks: list[str], database: str
) -> None:
    assert list_databases(function, *marks) == [{database}] * 20


def test_sample_runs_listed_tests_on_postgresql_only() -> None:
    listed = min(name for name in selection.list_tests() if name.endswith("[pg]"))

    assert list_databases(listed.removesuffix("[pg]")) == [{"postgresql"}] * 20


@pytest.mark.parametrize(("folder", "share"), selection.MODULES.items())
def test_seeds_in_a_row_run_each_module_of_a_folder_once(folder: str, share: int) -> None:
    names = [f"{folder}test_{name}.py::test_one" for name in "abcdefg"]
    items = [item for name in names for item in make_items(name)]

    kept = [select_kept(Effort.SAMPLE, 4 + seed, items) for seed in range(share)]

    found = sorted(item.nodeid for items in kept for item in items)
    assert found == [f"{name}[sqlite]" for name in names]


def test_sample_runs_one_cell_of_a_test_of_the_api() -> None:
    items = make_items("tests/api/test_unlisted.py::test_one", cells=5)

    kept = [select_kept(Effort.SAMPLE, seed, items) for seed in range(60)]

    assert {len(items) for items in kept} == {1}
    assert len({item.cell for items in kept for item in items}) == 5


def test_sample_leaves_out_what_is_marked_whole() -> None:
    assert list_databases("tests/api/test_one.py::test_one", "whole") == [set()] * 20


@pytest.mark.parametrize("function", ["tests/api/test_one.py::test_one", "tests/sweeps/x"])
def test_all_runs_each_cell_on_one_database_by_the_seed(function: str) -> None:
    items = make_items(function, cells=20)

    kept = [select_kept(Effort.ALL, seed, items) for seed in range(200)]

    expected = 2 if function.startswith("tests/sweeps") else 20
    assert {len({item.cell for item in items}) for items in kept} == {expected}
    assert {len(items) for items in kept} == {expected}
    assert {item for items in kept for item in items} == set(items)


def test_eighth_of_a_sweep_without_sql_runs_on_postgresql() -> None:
    items = make_items("tests/rules/test_one.py::test_one", "partly", cells=4000)

    kept = select_kept(Effort.ALL, 7, items)

    on_postgresql = [item for item in kept if item.database == "postgresql"]
    assert len(kept) == 4000
    assert 400 < len(on_postgresql) < 600


def test_run_with_all_cells_leaves_out_nothing() -> None:
    items = make_items("tests/sweeps/test_one.py::test_one", "whole", cells=50)
    Run.is_complete = True

    assert select_kept(Effort.SAMPLE, 1, items) == items


def test_rules_run_first_and_tests_of_processes_between_the_others() -> None:
    names = ["api/test_a", "api/test_b", "processes/test_p", "processes/test_q", "rules/x"]
    items = [one for name in names for one in make_items(f"tests/{name}.py::test_one")]

    modules = list(dict.fromkeys(get_module(one) for one in sort_tests(items)))

    assert modules == [
        "tests/rules/x.py",
        "tests/processes/test_p.py",
        "tests/api/test_a.py",
        "tests/processes/test_q.py",
        "tests/api/test_b.py",
    ]


def test_modules_with_slow_tests_run_before_others() -> None:
    items = [
        *make_items("tests/api/test_a.py::test_one"),
        *make_items("tests/databases/test_b.py::test_one"),
        *make_items("tests/databases/test_b.py::test_slow", "slow"),
    ]

    assert sort_tests(items) == items[2:] + items[:2]


def test_each_listed_test_exists() -> None:
    listed = {name.partition("[")[0] for name in (*selection.list_tests(), *list_slow())}
    gone = [name for name in sorted(listed) if not is_written(*name.split("::"))]

    assert (len(listed) > 100, gone) == (True, [])


def is_written(path: str, *names: str) -> bool:
    """Return whether a module of tests defines a function with the last of the names."""
    module = ROOT / path
    return module.exists() and f"def {names[-1]}(" in module.read_text("utf-8")
