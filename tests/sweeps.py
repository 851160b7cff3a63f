"""What the inner loop runs of a sweep: one cell shows the behaviour, the rest is slow.

A sweep is one test with many cells. Where each of them opens a database it costs a
thousand times what a pure one does, so this is decided here and not beside each test.
"""

from collections import defaultdict
from collections.abc import Iterable

import pytest


def thin(items: Iterable[pytest.Item]) -> None:
    """Mark as slow all but the middle cell of each sweep."""
    sweeps: defaultdict[tuple[str, object], list[pytest.Function]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and "copy" in item.fixturenames:
            name, _, _ = item.nodeid.partition("[")
            sweeps[name, item.callspec.params["copy"]].append(item)
    for cells in sweeps.values():
        for cell in repeats(cells):
            cell.add_marker(pytest.mark.slow)


def repeats[T](cells: list[T]) -> list[T]:
    """Leave out the one that is kept."""
    return [cell for number, cell in enumerate(cells) if number != len(cells) // 2]
