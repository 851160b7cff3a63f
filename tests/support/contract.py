"""The contract in the repository, with references to shared responses resolved."""

import json
from pathlib import Path
from typing import Any, Final

CONTRACT: Final = Path(__file__).parents[2] / "openapi" / "openapi-3.1.json"


def load_contract() -> dict[str, Any]:
    """Return the contract of the repository, in which all responses are resolved."""
    return resolve_responses(json.loads(CONTRACT.read_text("utf-8")))


def resolve_responses(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a document in which each operation has its responses in full."""
    shared = document["components"]["responses"]
    paths = {
        path: {
            method: {
                **operation,
                "responses": {
                    status: resolve_reference(response, shared)
                    for status, response in operation["responses"].items()
                },
            }
            for method, operation in methods.items()
        }
        for path, methods in document["paths"].items()
    }
    return {**document, "paths": paths}


def resolve_reference(part: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Return the component that a part refers to, or the part itself."""
    resolved: dict[str, Any] = (
        shared[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    )
    return resolved


def list_options(schema: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    """Return the names of the schemas in a union, or the name of the only schema."""
    named = resolve_reference(schema, schemas)
    options: list[dict[str, Any]] = named.get("anyOf", [schema])
    return [one["$ref"].rpartition("/")[2] for one in options]
