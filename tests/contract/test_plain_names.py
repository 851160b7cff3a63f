"""Generated clients can use the names in the contract without changes."""

import builtins
from collections.abc import Iterator

from tests.support.contract import load_contract

DOCUMENT = load_contract()
OF_A_STANDARD = {"type"}
"""The member of a problem that RFC 9457 names, and the type of an event."""
CLASSES = {name for name, one in vars(builtins).items() if isinstance(one, type)}
"""The built-in classes of Python. A generated class with a property `list` cannot annotate
another property with `list[str]`."""


def list_names() -> Iterator[str]:
    """Yield the names of all properties, parameters and operations in the contract."""
    for schema in DOCUMENT["components"]["schemas"].values():
        yield from schema.get("properties", {})
    for path in DOCUMENT["paths"].values():
        for operation in path.values():
            yield operation["operationId"]
            yield from (one["name"] for one in operation.get("parameters", []))


def test_no_name_hides_a_builtin_class() -> None:
    assert CLASSES & set(list_names()) == OF_A_STANDARD


def test_rows_of_the_directory_and_items_of_lists_are_named_by_code() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    rows = ("CountryOut", "FocalPointOut", "AgreementOut", "ContactOut", "ItemOut")

    assert all("code" in schemas[name]["required"] for name in rows)
    assert not {"iso2", "iso3", "iso"} & set(list_names())
