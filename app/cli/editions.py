"""The contract in other editions: in OpenAPI 3.2, and for generators that know no webhooks.

The 3.1 document is the contract; these are made from it, and say nothing else.
"""

from copy import deepcopy
from typing import Any, Final

from app.api.references import reached

STREAM: Final = "text/event-stream"
PARENTS: Final = {
    "case acts": "cases",
    "knowledge": "cases",
    "consents": "cases",
    "screenings": "cases",
    "sections": "cases",
    "vital readings": "cases",
    "referral acts": "referrals",
    "accounts": "administration",
}


def in_3_2(contract: dict[str, Any]) -> dict[str, Any]:
    """Say it in OpenAPI 3.2, which knows items of a stream, and tags under tags."""
    document = {**deepcopy(contract), "openapi": "3.2.0"}
    for path in document["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                if told := answer.get("content", {}).get(STREAM):
                    told["itemSchema"] = told.pop("schema")
    document["tags"] = [placed(tag) for tag in document["tags"]]
    return document


def placed(tag: dict[str, str]) -> dict[str, str]:
    """Say where a tag stands among those that operations are found by."""
    parent = PARENTS.get(tag["name"])
    above = {} if parent is None else {"parent": parent}
    return {**tag, "summary": tag["name"].capitalize(), **above, "kind": "nav"}


def without_webhooks(contract: dict[str, Any]) -> dict[str, Any]:
    """Leave out webhooks and what only they need: some generators make nonsense of it."""
    document = deepcopy(contract)
    webhooks, paths = document.pop("webhooks", {}), document["paths"]
    for name in reached(document, webhooks) - reached(document, paths):
        del document["components"]["schemas"][name]
    used = {
        tag
        for path in paths.values()
        for operation in path.values()
        for tag in operation["tags"]
    }
    document["tags"] = [tag for tag in document["tags"] if tag["name"] in used]
    return document
