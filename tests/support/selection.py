"""What the inner loop runs: what is not slow, and of a sweep one cell.

A sweep is one test with many cells. Where each of them opens a database it costs a
thousand times what a pure one does, so this is decided here and not beside each test. What
else is slow was measured, and stands in a list.
"""

from collections import defaultdict
from collections.abc import Iterable

import pytest

from tests.support import slow_list


def thin(items: Iterable[pytest.Item]) -> None:
    """Mark as slow all but the middle cell of each sweep, and what was measured to be."""
    dear = slow_list.listed()
    sweeps: defaultdict[tuple[str, object], list[pytest.Function]] = defaultdict(list)
    for item in items:
        if slow_list.function_of(item.nodeid) in dear:
            item.add_marker(pytest.mark.slow)
        if isinstance(item, pytest.Function) and "copy" in item.fixturenames:
            name, _, _ = item.nodeid.partition("[")
            sweeps[name, item.callspec.params["copy"]].append(item)
    for cells in sweeps.values():
        for cell in repeats(cells):
            cell.add_marker(pytest.mark.slow)


def repeats[T](cells: list[T]) -> list[T]:
    """Leave out the one that is kept."""
    return [cell for number, cell in enumerate(cells) if number != len(cells) // 2]
