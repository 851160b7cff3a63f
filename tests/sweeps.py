"""What the inner loop runs of a sweep: a few cells show the behaviour, the rest is slow.

A sweep is one test with many cells. Where each of them opens a database it costs a
thousand times what a pure one does, so this is decided here and not beside each test.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import pytest

KEPT: Final = 3


def thin(items: Iterable[pytest.Item]) -> None:
    """Mark as slow all but the first, the middle and the last cell of each sweep."""
    sweeps: defaultdict[tuple[str, object], list[pytest.Function]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and "copy" in item.fixturenames:
            name, _, _ = item.nodeid.partition("[")
            sweeps[name, item.callspec.params["copy"]].append(item)
    for cells in sweeps.values():
        for cell in repeats(cells):
            cell.add_marker(pytest.mark.slow)


def repeats[T](cells: list[T]) -> list[T]:
    """Leave out those that are kept, which are as far from each other as they can be."""
    last = len(cells) - 1
    kept = {last * place // (KEPT - 1) for place in range(KEPT)}
    return [cell for number, cell in enumerate(cells) if number not in kept]
