"""Functions that find the schemas to which a part of the OpenAPI document refers."""

from collections.abc import Iterator
from typing import Any, Final

SCHEMAS: Final = "#/components/schemas/"


def walk_references(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every reference to a schema within a part of the document."""
    if isinstance(part, list):
        for item in part:
            yield from walk_references(item)
    elif isinstance(part, dict):
        if str(part.get("$ref")).startswith(SCHEMAS):
            yield part
        for item in part.values():
            yield from walk_references(item)


def get_schema_name(reference: dict[str, Any]) -> str:
    """Return the name of the schema that a reference points to."""
    return str(reference["$ref"].removeprefix(SCHEMAS))


def list_reachable_schemas(document: dict[str, Any], part: Any) -> set[str]:
    """Return the names of schemas to which a part refers, directly or indirectly."""
    schemas, found = document["components"]["schemas"], set[str]()
    new = set(map(get_schema_name, walk_references(part)))
    while new:
        found |= new
        there = [schemas[name] for name in new]
        new = set(map(get_schema_name, walk_references(there))) - found
    return found
