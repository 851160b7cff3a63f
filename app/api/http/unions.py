"""Names and bases of unions, from which client generators create types.

Without a name, openapi-generator names a union after the first operation that uses it, so
that a new operation can change the name.
"""

from collections.abc import Iterator
from typing import Any, Final

from app.api.http.conditional_requests import JSON
from app.api.http.problem_schemas import PROBLEM
from app.api.http.schema_references import SCHEMAS, get_schema_name

FACT: Final = "FactInput"
"""The name of the only union that is a body of one request and part of no other schema."""


def name_unions(document: dict[str, Any]) -> None:
    """Name every union in a request or response, and add a base to each tagged union."""
    schemas = document["components"]["schemas"]
    for path in document["paths"].values():
        for operation in path.values():
            for body in list_bodies(operation, JSON, "discriminator"):
                name_tagged_union(schemas, body)
            for body in list_bodies(operation, PROBLEM, "anyOf"):
                name_problems(schemas, body)
    for union in schemas.values():
        if "discriminator" in union:
            add_base(schemas, union)


def list_bodies(
    operation: dict[str, Any], media_type: str, keyword: str
) -> Iterator[dict[str, Any]]:
    """Yield an operation's bodies of this media type whose schema contains this keyword."""
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        body = part.get("content", {}).get(media_type, {})
        if keyword in body.get("schema", {}):
            yield body


def name_tagged_union(schemas: dict[str, Any], body: dict[str, Any]) -> None:
    """Replace a tagged union with a reference to its component. Add a missing component."""
    union = body["schema"]
    tag = union["discriminator"]
    same = (name for name, one in schemas.items() if one.get("discriminator") == tag)
    refer(schemas, body, next(same, FACT))


def name_problems(schemas: dict[str, Any], body: dict[str, Any]) -> None:
    """Replace a union of problems with a reference to a component that is named after them.

    An example is `ActionIllegalOrNeedsUnmetOrOtherProblem`. The last option of the union is
    `ProblemDetail`, which describes every other problem.
    """
    names = [get_schema_name(option) for option in body["schema"]["anyOf"][:-1]]
    words = [name.removesuffix("Problem") for name in names]
    refer(schemas, body, f"{'Or'.join(words)}OrOtherProblem")


def refer(schemas: dict[str, Any], body: dict[str, Any], name: str) -> None:
    """Replace a body's schema with a reference to a component. Add a missing component."""
    schemas.setdefault(name, body["schema"])
    body["schema"] = {"$ref": f"{SCHEMAS}{name}"}


def add_base(schemas: dict[str, Any], union: dict[str, Any]) -> None:
    """Declare the tag as a property of the union. Every member requires it anyway."""
    tag = union["discriminator"]["propertyName"]
    described = schemas[get_schema_name(union["oneOf"][0])]["properties"][tag]
    union["type"], union["required"] = "object", [tag]
    union["properties"] = {tag: {"type": "string", "description": described["description"]}}
