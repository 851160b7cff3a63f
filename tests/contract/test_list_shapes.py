"""The two shapes of a list: one that pages, and one that has all items in one answer."""

import pytest

from tests.support.contract import load_contract
from tests.support.world import Json

DOCUMENT = load_contract()
SCHEMAS: Json = DOCUMENT["components"]["schemas"]
NOT_A_LIST = "/v1/reference/{name}"
"""The title, note and codes of one reference list, which is one record."""


def get_schema(operation: Json) -> Json:
    """Return the schema of the answer 200 of an operation."""
    content = operation["responses"].get("200", {}).get("content", {})
    schema: Json = content.get("application/json", {}).get("schema", {})
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


LISTS = {
    path: (methods["get"], get_schema(methods["get"]))
    for path, methods in DOCUMENT["paths"].items()
    if "get" in methods and "items" in get_schema(methods["get"]).get("properties", {})
}


def get_paging(path: str) -> set[str]:
    """Return the query parameters of a list that are about pages."""
    parameters = LISTS[path][0].get("parameters", [])
    return {one["name"] for one in parameters} & {"after", "limit"}


PAGED = [path for path in LISTS if get_paging(path)]
WHOLE = [path for path in LISTS if not get_paging(path) and path != NOT_A_LIST]


def test_lists_of_the_contract_have_two_shapes() -> None:
    assert len(PAGED) > 8
    assert len(WHOLE) > 15
    assert len(LISTS) == len(PAGED) + len(WHOLE) + 1


@pytest.mark.parametrize("path", WHOLE)
def test_list_without_pages_has_items_alone(path: str) -> None:
    _, schema = LISTS[path]

    assert schema["properties"].keys() == {"items"}
    assert schema["required"] == ["items"]


@pytest.mark.parametrize("path", PAGED)
def test_list_with_pages_takes_after_and_limit(path: str) -> None:
    assert get_paging(path) == {"after", "limit"}
