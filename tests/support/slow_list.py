"""Measure the tests, and list in slow.txt the slow tests, which `make test-fast` skips.

`make slow` runs the tests one after another with this module as a plugin. The cost of a
test is the CPU time of its process and its child processes. Waiting counts only if the
whole time reaches `WAITS`.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

SLOW: Final = Path(__file__).with_name("slow.txt")
COMPUTES: Final = 0.06
WAITS: Final = 1.0
"""A test is slow from `COMPUTES` seconds of CPU time or `WAITS` seconds of elapsed time."""
HEAD: Final = f"""\
# Tests that compute {COMPUTES} s or take {WAITS} s, or more: written by `make slow`.
# `make test-fast` leaves them out.
"""
ONCE: Final = [0.0]
"""Seconds of CPU time of session fixtures, which do not count for any test."""
MEASURES: Final = list[bool]()
"""A list with an item if this module is loaded as a plugin, which measures the tests."""
TOOK: Final = defaultdict[str, list[tuple[float, float]]](list)


def get_function(node: str) -> str:
    """Return the name of a test without its parameters."""
    return node.partition("[")[0]


def pytest_configure() -> None:
    """Make the run include the tests that are listed as slow."""
    MEASURES.append(True)


def list_slow() -> frozenset[str]:
    """Return the tests that are listed as slow, or none while tests are measured."""
    if MEASURES:
        return frozenset()
    lines = SLOW.read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def get_computed() -> float:
    """Return the CPU seconds used so far, without those that session fixtures used."""
    return sum(os.times()[:4]) - ONCE[0]


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
    """Measure the CPU time of session fixtures separately."""
    before = get_computed()
    try:
        return (yield)
    finally:
        if fixturedef.scope == "session":
            ONCE[0] += get_computed() - before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure a test together with its fixtures."""
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
    """Return whether a cell of a test uses too much CPU time, or takes too long overall."""
    return any(computes >= COMPUTES or all_in >= WAITS for computes, all_in in took)
