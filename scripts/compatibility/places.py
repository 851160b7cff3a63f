"""A place in a JSON document: what stands there, and the JSON pointer that leads to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Self


class LeadsNowhereError(LookupError):
    """A reference means what is not there, so this is no contract."""


@dataclass(frozen=True)
class Place:
    """What stands at a pointer; two places are the same if their pointers are."""

    pointer: str
    value: Any = field(compare=False, repr=False)
    root: Any = field(compare=False, repr=False)

    def at(self, key: str | int, otherwise: Any = None) -> Self:
        """Go one step down. What is missing is `otherwise`, at this very place."""
        inner = self.value
        if key in (range(len(inner)) if isinstance(inner, list) else inner):
            pointer = f"{self.pointer}/{escaped(str(key))}"
            return type(self)(pointer, inner[key], self.root)
        return type(self)(self.pointer, otherwise, self.root)

    def each(self, key: str) -> dict[str, Self]:
        """Find what stands under each name of an object, or nothing."""
        parent = self.at(key, {})
        return {name: parent.at(name) for name in parent.value}

    def rows(self, key: str) -> Iterator[Self]:
        """Find each entry of a list, or nothing."""
        parent = self.at(key, [])
        return (parent.at(index) for index in range(len(parent.value)))

    def seek(self, ref: str) -> Self:
        """Follow a pointer from the root of this document; what is missing is None."""
        steps = [unescaped(step) for step in ref.removeprefix("#").split("/")[1:]]
        return reduce(type(self).step, steps, type(self)("", self.root, self.root))

    def step(self, name: str) -> Self:
        """Go one step of a pointer; where nothing is, nowhere."""
        if self.value is None:
            return self
        return self.at(int(name) if isinstance(self.value, list) else name)

    def follow(self) -> Self:
        """Go where `$ref` leads."""
        place = self.seek(self.value["$ref"])
        if place.value is None:
            raise LeadsNowhereError(
                f"{self.pointer} means {self.value['$ref']}: not there."
            )
        return place

    def real(self) -> Self:
        """Follow `$ref` until something stands there: for all but schemas."""
        return self.follow().real() if "$ref" in self.value else self


def whole(document: dict[str, Any]) -> Place:
    """Stand at the root of a document."""
    return Place("", document, document)


def escaped(name: str) -> str:
    """Spell a name as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def unescaped(step: str) -> str:
    """Read the name of a step."""
    return step.replace("~1", "/").replace("~0", "~")
