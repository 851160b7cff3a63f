"""The schemas of the types and facts of events, built from the catalogue (ADR 54)."""

from typing import Any, Final

from app.api.http.schema_references import SCHEMAS
from app.feed.event_types import load_facts, load_types

EVENT: Final = "EventOut"
TYPE: Final = "EventType"
FACTS: Final = "EventFacts"
ABOUT_TYPES: Final = "The type of an event. docs/events.md says when each type happens."
ABOUT_FACTS: Final = (
    "The facts of an event. docs/events.md lists the facts of each type. A fact is absent "
    "if it does not apply, or if you may not see it. More may be added within v1."
)
FACT_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "boolean": {"type": "boolean"},
    "code": {"type": "string"},
    "id": {"type": "string", "format": "uuid"},
    "list": {"type": "array", "items": {"type": "string"}},
    "number": {"type": "integer"},
    "reference": {"type": "string"},
}
"""The schema of each kind of fact. Codes have no enum, because codes may be added."""


def describe_events(schemas: dict[str, Any]) -> None:
    """Add the types and facts of events to the schemas, and refer to them in `EventOut`."""
    types = [event.name for event in load_types()]
    schemas[TYPE] = {"type": "string", "description": ABOUT_TYPES, "enum": types}
    properties = {
        fact.name: {**FACT_SCHEMAS[fact.kind], "description": fact.description}
        for fact in load_facts()
    }
    about = {"type": "object", "description": ABOUT_FACTS, "additionalProperties": True}
    schemas[FACTS] = {**about, "properties": properties}
    fields = schemas[EVENT]["properties"]
    for name, schema in (("type", TYPE), ("facts", FACTS)):
        description = fields[name]["description"]
        fields[name] = {"$ref": f"{SCHEMAS}{schema}", "description": description}
