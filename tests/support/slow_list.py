"""Which tests `make test-fast` cannot afford: measured, and written to slow.txt.

`make slow` runs what it might run, one test after the other, with this as a plugin. What a
test costs is what its process and those it starts compute; what it waits for counts where
it waits long.
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
"""Seconds that a test may compute for, or take, in the inner loop."""
HEAD: Final = f"""\
# Tests that compute {COMPUTES} s or take {WAITS} s, or more: written by `make slow`.
# `make test-fast` leaves them out.
"""
ONCE: Final = [0.0]
"""Seconds computed so far for what all tests share: none of them is slow for it."""
MEASURES: Final = list[bool]()
"""Not empty, where this is a plugin."""
TOOK: Final = defaultdict[str, list[tuple[float, float]]](list)


def function_of(node: str) -> str:
    """Name a test without what it is given."""
    return node.partition("[")[0]


def pytest_configure() -> None:
    """Measure all, whatever was found to be slow before."""
    MEASURES.append(True)


def listed() -> frozenset[str]:
    """Read which tests are left out; none, while they are measured."""
    if MEASURES:
        return frozenset()
    lines = SLOW.read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def computed() -> float:
    """Seconds that this process and those it waited for have computed for tests alone."""
    return sum(os.times()[:4]) - ONCE[0]


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
    """Set aside what is set up once for all."""
    before = computed()
    try:
        return (yield)
    finally:
        if fixturedef.scope == "session":
            ONCE[0] += computed() - before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure a test with all that it needs."""
    began, before = time.monotonic(), computed()
    try:
        return (yield)
    finally:
        took = computed() - before, time.monotonic() - began
        TOOK[function_of(item.nodeid)].append(took)


def pytest_sessionfinish() -> None:
    """Write which are too slow, where all of a test together would be."""
    slow = [name for name, took in TOOK.items() if is_slow(took)]
    SLOW.write_text(HEAD + "".join(f"{name}\n" for name in sorted(slow)), "utf-8")


def is_slow(took: list[tuple[float, float]]) -> bool:
    """Whether the dearest of what a test is given is too dear."""
    return any(computes >= COMPUTES or all_in >= WAITS for computes, all_in in took)
