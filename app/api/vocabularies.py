"""What may grow: in an answer a text with known values, in a request one of them.

A generated client fails on a value that it does not know, so an answer is closed only
where every client has to know every value. An unknown code in a request is refused, so
there all is closed. The contract alone tells the two apart: our own code knows its enums.
"""

from collections.abc import Iterator
from typing import Any, Final

from app.api.references import SCHEMAS, name_in, reached, references

FROZEN: Final = frozenset(
    {
        *("CaseState", "ReferralState", "HandoverState", "ReturnState"),
        *("ReadingState", "ApprovalState", "Stage"),
    }
)
"""States, and the stages that follow from them: a client decides by each of them."""
OPEN: Final = "Any"
MORE: Final = "More may come within v1: bear a value that you do not know."


def open_vocabularies(document: dict[str, Any]) -> None:
    """Give each enum that is read an open shape: `Priority` is sent, `AnyPriority` read.

    Named so whether or not the other is there: what is only read today can be sent
    tomorrow, and no client's type gets another name.
    """
    schemas = document["components"]["schemas"]
    read = list(answers(document))
    names = reached(document, read)
    growing = {name for name in names - FROZEN if "enum" in schemas[name]}
    for part in (read, *(schemas[name] for name in names)):
        for reference in references(part):
            if (name := name_in(reference)) in growing:
                reference["$ref"] = f"{SCHEMAS}{OPEN}{name}"
                reference.pop("default", None)  # of what is always there
    schemas |= {f"{OPEN}{name}": opened(schemas[name]) for name in sorted(growing)}
    paths, webhooks = document["paths"], document.get("webhooks", {})
    for name in growing - reached(document, [paths, webhooks]):
        del schemas[name]


def answers(document: dict[str, Any]) -> Iterator[Any]:
    """Find what clients read: our answers, and the bodies of webhooks."""
    for path in document["paths"].values():
        yield from (operation["responses"] for operation in path.values())
    for path in document.get("webhooks", {}).values():
        yield from (operation.get("requestBody", {}) for operation in path.values())


def opened(enum: dict[str, Any]) -> dict[str, Any]:
    """Tell the values of an enum as those that are known by now."""
    known = enum["enum"]
    told = f"{enum.get('description', '')}\n\n{MORE}".strip()
    text = {"type": "string", "description": told}
    return {**text, "x-extensible-enum": known, "examples": known[:1]}
