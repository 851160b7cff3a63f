"""Descriptions of properties that need few words, from `app/api/data/properties.csv`.

Longer descriptions are declared next to the type of the property. A row with the schema `*`
applies to each schema that has neither a description of the property nor a row of its own.
"""

import csv
from importlib.resources import files
from typing import Any, Final

EVERY_SCHEMA: Final = "*"

type Key = tuple[str, str]
"""A schema, or `*`, and a property."""


def load_descriptions() -> dict[Key, str]:
    """Return the descriptions of all properties, by schema and property."""
    text = files("app.api").joinpath("data", "properties.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {(row["schema"], row["property"]): row["description"] for row in rows}


def describe_properties(schemas: dict[str, Any]) -> None:
    """Add a description from `properties.csv` to each property that has no description."""
    descriptions = load_descriptions()
    for schema, body in schemas.items():
        for name, described in body.get("properties", {}).items():
            found = descriptions.get((schema, name), descriptions.get((EVERY_SCHEMA, name)))
            if found is not None:
                described.setdefault("description", found)
