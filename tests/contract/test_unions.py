"""Tests of unions in the contract, for which client generators write types."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.api.http.schema_references import get_schema_name
from tests.support.contract import load_contract

DOCUMENT = load_contract()
SCHEMAS = DOCUMENT["components"]["schemas"]
UNIONS = {name: one for name, one in SCHEMAS.items() if "discriminator" in one}


def test_tagged_unions_all_have_names() -> None:
    """Each tagged union has a name; a generator writes a base type with this name."""
    assert json.dumps(DOCUMENT).count('"discriminator"') == len(UNIONS)
    assert set(UNIONS) == {
        "SectionContentInput",
        "SectionContent",
        "FactInput",
        "PublicJwk",
    }


@pytest.mark.parametrize("name", UNIONS)
def test_tagged_union_declares_the_tag_that_selects_a_member(name: str) -> None:
    """A union declares its tag, which openapi-generator uses for the Kotlin base type."""
    union = UNIONS[name]
    tag, mapping = union["discriminator"]["propertyName"], union["discriminator"]["mapping"]
    assert (union["type"], union["required"]) == ("object", [tag])
    members: dict[str, Any] = {
        member["$ref"]: SCHEMAS[get_schema_name(member)] for member in union["oneOf"]
    }
    assert set(members) == set(mapping.values())
    for value, reference in mapping.items():
        assert members[reference]["properties"][tag]["const"] == value
        assert tag in members[reference]["required"]


def list_schemas_of_bodies() -> Iterator[dict[str, Any]]:
    """Yield the schema of every request and response body."""
    for path in DOCUMENT["paths"].values():
        for operation in path.values():
            for part in (
                operation.get("requestBody", {}),
                *operation["responses"].values(),
            ):
                for body in part.get("content", {}).values():
                    yield body["schema"]


def test_bodies_that_are_unions_refer_to_a_named_schema() -> None:
    """No body is an unnamed union: a generator would name it after the first operation."""
    found = list(list_schemas_of_bodies())
    assert not [schema for schema in found if {"anyOf", "oneOf"} & schema.keys()]
    names = {get_schema_name(schema) for schema in found if "$ref" in schema}
    assert "ActionIllegalOrNeedsUnmetOrOtherProblem" in names
    assert "SectionContentInput" in names
