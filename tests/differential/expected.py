"""The differences between the answers of both commits that are intended, with reasons."""

from collections.abc import Callable, Mapping
from typing import Any, Final

type Json = dict[str, Any]

EXPECTED: Final[Mapping[str, Callable[[Json], Json]]] = {}
"""For an operation, a function that removes from an answer what differs on purpose."""

SET_UP_OF_ONE: Final = ("write_point",)
"""Functions of `tests.support.full_world` that only one commit has, which are not called.

Follow-up points of meetings are new in 0.2.0, with operations that are not compared.
"""


def drop_expected(operation: str, answer: Json) -> Json:
    """Return an answer without what differs on purpose."""
    drop = EXPECTED.get(operation)
    return drop(answer) if drop else answer
