"""Other editions of the OpenAPI 3.1 document: version 3.2, and one without webhooks.

The 3.1 document is the contract. The other editions are derived from it and add no rules.
OpenAPI 3.2 has a keyword for the items of a stream, so its edition describes all fields.
"""

from copy import deepcopy
from typing import Any, Final

from app.api.http.schema_references import list_reachable_schemas

EVENT_STREAM: Final = "text/event-stream"
STREAM_ITEM: Final = {
    "type": "object",
    "description": "An event of the stream, as a parser of server-sent events returns it.",
    "properties": {
        "id": {"type": "string", "description": "A cursor for `Last-Event-ID` or `after`."},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "description": "The event as JSON.",
        },
        "retry": {
            "type": "integer",
            "minimum": 0,
            "description": "Milliseconds to wait before reconnecting. Sent alone, once.",
        },
    },
    "required": ["id", "data"],
}
"""The schema of an event in a stream. OpenAPI 3.1 can describe only its field `data`."""
PARENT_TAGS: Final = {
    "case actions": "cases",
    "facts": "cases",
    "consents": "cases",
    "screenings": "cases",
    "sections": "cases",
    "emergency access": "cases",
    "referral actions": "referrals",
    "accounts": "administration",
    "webhook messages": "webhooks",
}


def convert_to_3_2(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the document in OpenAPI 3.2, which supports stream items and nested tags."""
    document = {**deepcopy(contract), "openapi": "3.2.0"}
    for path in document["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                if content := answer.get("content", {}).get(EVENT_STREAM):
                    content["itemSchema"] = describe_item(content.pop("schema"))
                    content.pop("example", None)  # it is an example of `data`
    document["tags"] = [add_parent(tag) for tag in document["tags"]]
    return document


def describe_item(event: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a stream item, whose field `data` has the given schema."""
    item: dict[str, Any] = deepcopy(STREAM_ITEM)
    item["properties"]["data"]["contentSchema"] = event
    return item


def add_parent(tag: dict[str, str]) -> dict[str, str]:
    """Return the tag with a summary, a kind and, if the tag has one, a parent."""
    parent = PARENT_TAGS.get(tag["name"])
    parent_tag = {} if parent is None else {"parent": parent}
    return {**tag, "summary": tag["name"].capitalize(), **parent_tag, "kind": "nav"}


def remove_webhooks(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the document without webhooks, which some code generators do not support.

    Schemas and tags that only webhooks use are removed as well.
    """
    document = deepcopy(contract)
    webhooks, paths = document.pop("webhooks", {}), document["paths"]
    for name in list_reachable_schemas(document, webhooks) - list_reachable_schemas(
        document, paths
    ):
        del document["components"]["schemas"][name]
    used = {
        tag
        for path in paths.values()
        for operation in path.values()
        for tag in operation["tags"]
    }
    document["tags"] = [tag for tag in document["tags"] if tag["name"] in used]
    return document
