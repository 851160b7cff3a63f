"""Open enums: responses may get new values in v1, and requests accept only known ones.

A client that is generated from the OpenAPI document fails on an unknown value of an enum.
Therefore an enum in responses is closed only if every client has to know every value
(`FROZEN`). Enums in requests are always closed. The difference exists in the document only,
not in the code.
"""

from collections.abc import Iterator
from typing import Any, Final

from app.api.http.schema_references import (
    SCHEMAS,
    get_schema_name,
    list_reachable_schemas,
    walk_references,
)

FROZEN: Final = frozenset(
    {
        "CaseState",
        "ReferralState",
        "HandoverState",
        "ReturnState",
        "EmergencyAccessState",
        "ApprovalState",
        "Stage",
    }
)
"""The states and stages: a client must know each of their values to act on a record."""
OPEN: Final = "Any"
MORE: Final = "More values may be added within v1. Accept values that you do not know."


def open_vocabularies(document: dict[str, Any]) -> None:
    """Replace each enum in responses and webhooks with an open enum, except `FROZEN`.

    The open enum of `Priority` is always named `AnyPriority`, even if no request uses
    `Priority`. Types in generated clients thus keep their names if a request uses
    `Priority` later.
    """
    schemas = document["components"]["schemas"]
    read = list(list_answers(document))
    names = list_reachable_schemas(document, read)
    growing = {name for name in names - FROZEN if "enum" in schemas[name]}
    for part in (read, *(schemas[name] for name in names)):
        for reference in walk_references(part):
            if (name := get_schema_name(reference)) in growing:
                reference["$ref"] = f"{SCHEMAS}{OPEN}{name}"
                reference.pop("default", None)  # responses always have the field
    schemas |= {f"{OPEN}{name}": build_open_enum(schemas[name]) for name in sorted(growing)}
    paths, webhooks = document["paths"], document.get("webhooks", {})
    for name in growing - list_reachable_schemas(document, [paths, webhooks]):
        del schemas[name]


def list_answers(document: dict[str, Any]) -> Iterator[Any]:
    """Yield the parts of the document that clients read: responses and webhook bodies."""
    for path in document["paths"].values():
        yield from (operation["responses"] for operation in path.values())
    for path in document.get("webhooks", {}).values():
        yield from (operation.get("requestBody", {}) for operation in path.values())


def build_open_enum(enum: dict[str, Any]) -> dict[str, Any]:
    """Return a string schema that lists the values of an enum as the known values."""
    known = enum["enum"]
    description = f"{enum.get('description', '')}\n\n{MORE}".strip()
    schema = {"type": "string", "description": description}
    return {**schema, "x-extensible-enum": known, "examples": known[:1]}
