"""Which schemas a part of the contract refers to, by itself and through others."""

from collections.abc import Iterator
from typing import Any, Final

SCHEMAS: Final = "#/components/schemas/"


def references(part: Any) -> Iterator[dict[str, Any]]:
    """Walk every reference that stands in a part."""
    if isinstance(part, list):
        for item in part:
            yield from references(item)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part
        for item in part.values():
            yield from references(item)


def name_in(reference: dict[str, Any]) -> str:
    """Name the schema that a reference leads to."""
    return str(reference["$ref"].removeprefix(SCHEMAS))


def reached(document: dict[str, Any], part: Any) -> set[str]:
    """Name the schemas that stand in a part, and in those."""
    schemas, found = document["components"]["schemas"], set[str]()
    new = set(map(name_in, references(part)))
    while new:
        found |= new
        there = [schemas[name] for name in new]
        new = set(map(name_in, references(there))) - found
    return found
