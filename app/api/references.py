"""The schemas that a part of the OpenAPI document refers to, directly or indirectly."""

from collections.abc import Iterator
from typing import Any, Final

SCHEMAS: Final = "#/components/schemas/"


def references(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every object with a `$ref` within a part of the document."""
    if isinstance(part, list):
        for item in part:
            yield from references(item)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part
        for item in part.values():
            yield from references(item)


def name_in(reference: dict[str, Any]) -> str:
    """Return the name of the schema that a reference points to."""
    return str(reference["$ref"].removeprefix(SCHEMAS))


def reached(document: dict[str, Any], part: Any) -> set[str]:
    """Return the names of the schemas that a part refers to, directly or indirectly."""
    schemas, found = document["components"]["schemas"], set[str]()
    new = set(map(name_in, references(part)))
    while new:
        found |= new
        there = [schemas[name] for name in new]
        new = set(map(name_in, references(there))) - found
    return found
