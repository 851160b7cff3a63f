"""The order in which a run executes its tests.

Tests of rules come first, so that a broken rule fails within seconds. Tests of processes
mostly wait, for example for a server to start, so they are spread over the others: each
worker takes the next module, and while one of them waits, the others use the CPUs. Modules
with slow tests come before the others, so that no worker is left alone at the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

import pytest

RULES: Final = "tests/rules/"
WAITING: Final = "tests/processes/"
LAST: Final = 0.75
"""The part of the other tests over which the waiting modules are spread."""

type Module = list[pytest.Item]


def sort_tests(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Return the tests in the order in which the run executes them."""
    by_path = defaultdict[str, Module](list)
    for item in items:
        by_path[get_module(item)].append(item)
    modules = sorted(by_path.values(), key=has_no_slow_test)
    rules, waiting, others = list[Module](), list[Module](), list[Module]()
    for module in modules:
        path = get_module(module[0])
        chosen = waiting if path.startswith(WAITING) else others
        (rules if path.startswith(RULES) else chosen).append(module)
    return [item for module in (*rules, *merge(waiting, others)) for item in module]


def get_module(item: pytest.Item) -> str:
    """Return the path of the module of a test."""
    return item.nodeid.partition("::")[0]


def has_no_slow_test(module: Module) -> bool:
    """Return whether no test of a module is marked as slow."""
    return not any(item.get_closest_marker("slow") for item in module)


def merge(some: Sequence[Module], others: Sequence[Module]) -> Iterator[Module]:
    """Yield the modules of both sequences, with `some` spread evenly over `others`."""
    *starts, total = accumulate(map(len, others), initial=0)
    placed = [(LAST * number / len(some), module) for number, module in enumerate(some)]
    placed += [
        (start / total, module) for start, module in zip(starts, others, strict=True)
    ]
    yield from (module for _, module in sorted(placed, key=lambda one: one[0]))
