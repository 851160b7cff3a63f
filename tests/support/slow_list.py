"""The tests that `make test-fast` leaves out: measured, and written to slow.txt.

`make slow` runs the tests one after another, with this module as a plugin. The cost of a
test is the computing time of its process and of its children. Its waiting time counts only
if it is long.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

SLOW: Final = Path(__file__).with_name("slow.txt")
COMPUTES: Final = 0.12
WAITS: Final = 1.0
"""Seconds from which a test counts as slow: computing time, and time in all."""
HEAD: Final = f"""\
# Tests that compute {COMPUTES} s or take {WAITS} s, or more: written by `make slow`.
# `make test-fast` leaves them out.
"""
ONCE: Final = [0.0]
"""Seconds computed for session fixtures, which count for no test."""
MEASURES: Final = list[bool]()
"""Not empty if this module is loaded as a plugin."""
TOOK: Final = defaultdict[str, list[tuple[float, float]]](list)


def get_function(node: str) -> str:
    """Return the name of a test without its parameters."""
    return node.partition("[")[0]


def pytest_configure() -> None:
    """Measure all tests, including those that are listed as slow."""
    MEASURES.append(True)


def list_slow() -> frozenset[str]:
    """Return the tests that are left out; none while they are measured."""
    if MEASURES:
        return frozenset()
    lines = SLOW.read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def get_computed() -> float:
    """Return the seconds computed so far, without those of session fixtures."""
    return sum(os.times()[:4]) - ONCE[0]


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
    """Set the computing time of session fixtures aside."""
    before = get_computed()
    try:
        return (yield)
    finally:
        if fixturedef.scope == "session":
            ONCE[0] += get_computed() - before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure a test with its fixtures."""
    began, before = time.monotonic(), get_computed()
    try:
        return (yield)
    finally:
        took = get_computed() - before, time.monotonic() - began
        TOOK[get_function(item.nodeid)].append(took)


def pytest_sessionfinish() -> None:
    """Write the list of slow tests."""
    slow = [name for name, took in TOOK.items() if is_slow(took)]
    SLOW.write_text(HEAD + "".join(f"{name}\n" for name in sorted(slow)), "utf-8")


def is_slow(took: list[tuple[float, float]]) -> bool:
    """Return whether the slowest cell of a test is too slow."""
    return any(computes >= COMPUTES or all_in >= WAITS for computes, all_in in took)
