"""Differences between what the coalition observes in two worlds."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from tests.support.relation_pairs import list_values
from tests.twins.observations import Observation

NAMED: Final = re.compile(r"SC(?:-[0-9A-Z]{4}){3}-[0-9A-Z]|[0-9a-f-]{36}|after=[\w-]+")
MOST: Final = 400
"""The maximum length of a value that is printed."""


@dataclass(frozen=True)
class Difference:
    """A difference between two observations: its place, and the two values."""

    number: int
    at: str
    request: str
    field: str
    values: tuple[Any, Any]

    @property
    def place(self) -> str:
        """The request without ids, and the field that differs."""
        return f"{NAMED.sub('*', self.request)} {self.field}"

    def describe(self) -> str:
        """Return the step, the time, the request and both values as text."""
        one, other = (str(value)[:MOST] for value in self.values)
        where = f"step {self.number}, {self.at}: {self.request}: {self.field}"
        return f"{where}\n  one world:   {one}\n  other world: {other}"


def list_differences(
    one: Sequence[Observation], other: Sequence[Observation]
) -> Iterator[Difference]:
    """Yield the differences between two worlds.

    The rest is not compared after the coalition has sent different requests.
    """
    for number, (first, second) in enumerate(zip_longest(one, other)):
        if first is None or second is None or first.request != second.request:
            shown = first or second
            assert shown
            asked = (first and first.request, second and second.request)
            yield Difference(number, shown.at, shown.request, "request", asked)
            return
        if not first.is_like(second):
            field, values = find_difference(first, second)
            yield Difference(number, first.at, first.request, field, values)


def find_difference(one: Observation, other: Observation) -> tuple[str, tuple[Any, Any]]:
    """Return the first field in which two observations differ, with both values."""
    if one.status != other.status:
        return "status", (f"{one.status} {one.body}", f"{other.status} {other.body}")
    for (path, first), (to, second) in zip_longest(
        *map(list_body_values, (one, other)), fillvalue=("", None)
    ):
        if (path, first) != (to, second):
            return path or to, (f"{path}: {first}", f"{to}: {second}")
    for name in ("body", "headers", "tag"):
        if getattr(one, name) != getattr(other, name):
            return name, (getattr(one, name), getattr(other, name))
    return "raw", (one.raw, other.raw)


def list_body_values(seen: Observation) -> list[tuple[str, Any]]:
    """Return the values of a body with their paths, or nothing if it is not JSON."""
    try:
        return list(list_values(json.loads(seen.body)))
    except ValueError:
        return []
