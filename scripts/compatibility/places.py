"""Places in a JSON document, each with a value and a JSON pointer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Self


class LeadsNowhereError(LookupError):
    """A reference to a place that does not exist, so the document is not valid."""


@dataclass(frozen=True)
class Place:
    """A value and its JSON pointer. Two places are equal if their pointers are equal."""

    pointer: str
    value: Any = field(compare=False, repr=False)
    root: Any = field(compare=False, repr=False)

    def get(self, key: str | int, otherwise: Any = None) -> Self:
        """Return the place of a key, or this place with the value `otherwise`."""
        inner = self.value
        if key in (range(len(inner)) if isinstance(inner, list) else inner):
            pointer = f"{self.pointer}/{encode_step(str(key))}"
            return type(self)(pointer, inner[key], self.root)
        return type(self)(self.pointer, otherwise, self.root)

    def get_children(self, key: str) -> dict[str, Self]:
        """Return the place of each value of an object, by name."""
        parent = self.get(key, {})
        return {name: parent.get(name) for name in parent.value}

    def list_items(self, key: str) -> Iterator[Self]:
        """Return the place of each item of an array. A missing array is empty."""
        parent = self.get(key, [])
        return (parent.get(index) for index in range(len(parent.value)))

    def find(self, ref: str) -> Self:
        """Return the place of a pointer from the root. Its value may be None."""
        steps = [decode_step(step) for step in ref.removeprefix("#").split("/")[1:]]
        return reduce(type(self).get_next, steps, type(self)("", self.root, self.root))

    def get_next(self, name: str) -> Self:
        """Return the place of a child, or this place if its value is None."""
        if self.value is None:
            return self
        return self.get(int(name) if isinstance(self.value, list) else name)

    def resolve_ref(self) -> Self:
        """Return the place that `$ref` refers to, or raise LeadsNowhereError."""
        place = self.find(self.value["$ref"])
        if place.value is None:
            raise LeadsNowhereError(
                f"{self.pointer} refers to {self.value['$ref']}, which does not exist."
            )
        return place

    def resolve(self) -> Self:
        """Return the place after following every `$ref`. Do not use this for schemas."""
        return self.resolve_ref().resolve() if "$ref" in self.value else self


def get_root(document: dict[str, Any]) -> Place:
    """Return the root of a document."""
    return Place("", document, document)


def encode_step(name: str) -> str:
    """Return a name as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def decode_step(step: str) -> str:
    """Return the name that a step of a JSON pointer stands for."""
    return step.replace("~1", "/").replace("~0", "~")
