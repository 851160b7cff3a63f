"""Edits of an OpenAPI document, which are read from text and applied to a copy."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from tests.support.world import Json

SCHEMAS: Final = "/components/schemas"
REFERRED: Final = ("schemas", "responses", "headers")
"""The kinds of components to which references in the document point."""
SCHEMES: Final = "/components/securitySchemes"
NOWHERE: Final = "nowhere"
VERDICTS: Final = {"breaks": True, "fine": False}


@dataclass(frozen=True)
class Row:
    """Edits of a contract, and whether they, and their reverse, break clients."""

    title: str
    breaks: bool
    undo_breaks: bool
    edits: tuple[tuple[str, ...], ...]
    place: str


def parse_rows(text: str) -> Iterator[Row]:
    """Yield the row of each block of text.

    A block has a line with two verdicts and a title, and then a line for each edit. Blank
    lines separate the blocks, and lines that begin with `#` are comments. A change is
    reported at the place of the last edit. If it is reported elsewhere, a line that begins
    with `told` names that place.
    """
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if lines:
            forth, back, title = lines[0].split(maxsplit=2)
            steps = [tuple(line.split(maxsplit=2)) for line in lines[1:]]
            edits = tuple(step for step in steps if step[0] != "told")
            reported = [step[1] for step in steps if step[0] == "told"] or [edits[-1][1]]
            yield Row(title, VERDICTS[forth], VERDICTS[back], edits, reported[0])


def apply_row(document: Json, row: Row) -> Json:
    """Return a copy of a contract, changed by the edits that a row describes."""
    copy = deepcopy(document)
    for verb, where, *rest in row.edits:
        given = (
            [find_pointer(document, place) for place in rest] if verb == "move" else rest
        )
        apply_edit(copy, verb, find_pointer(document, where), *given)
    return copy


def apply_edit(document: Json, verb: str, pointer: str, rest: str = "null") -> None:
    """Apply one edit to a document in place. Raises ValueError for an unknown verb."""
    home, _, last = pointer.rpartition("/")
    parent = get_at(document, home)
    key = int(last) if isinstance(parent, list) else decode_step(last)
    match verb:
        case "put" if isinstance(parent, list) and key == len(parent):
            parent.append(json.loads(rest))
        case "put":
            parent[key] = json.loads(rest)
        case "drop":
            del parent[key]
        case "move":
            target, _, name = rest.rpartition("/")
            get_at(document, target)[decode_step(name)] = parent.pop(key)
        case "reverse":
            parent[key].reverse()
        case "without":
            parent[key].remove(json.loads(rest))
        case "rename":
            parent[rest] = parent.pop(key)
            replace_references(document, f"#{pointer}", f"#{home}/{rest}")
        case _:
            raise ValueError(verb)


def build_contract(sent: Any, read: Any, schemas: Json) -> Json:
    """Return a contract with one operation, and with its request and response schemas."""
    body = {"content": {"application/json": {"schema": sent}}}
    answer = {"description": "", "content": {"application/json": {"schema": read}}}
    return {
        "openapi": "3.1.0",
        "paths": {"/a": {"post": {"requestBody": body, "responses": {"200": answer}}}},
        "components": {"schemas": schemas},
    }


def replace_references(part: Any, old: str, new: str) -> None:
    """Replace each reference to the schema `old` with a reference to the schema `new`."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if value == old:
            part[key] = new
        elif isinstance(value, dict | list):
            replace_references(value, old, new)


def find_pointer(document: Json, place: str) -> str:
    """Return the JSON pointer of a place.

    The first step of the place names an operation or a schema. If the first step is empty,
    the place is a path from the root of the document.
    """
    head, *steps = place.split("/")
    pointer = find_operation(document, head) if head else ""
    for step in steps:
        pointer += f"/{find_index(get_at(document, pointer), step) if step else step}"
    return pointer


def find_operation(document: Json, name: str) -> str:
    """Return the JSON pointer of the operation or schema of this name."""
    for kind in ("paths", "webhooks"):
        for path, methods in document[kind].items():
            for method, operation in methods.items():
                if operation["operationId"] == name:
                    return f"/{kind}/{path.replace('/', '~1')}/{method}"
    return f"{SCHEMAS}/{name}"


def find_index(parent: Any, step: str) -> str:
    """Return a step of a path, with the name of a list entry replaced by its index.

    The step `-` is the place after the last entry. A number, or a step in an object, is
    returned as it is.
    """
    if not isinstance(parent, list) or step.isdigit():
        return step
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in parent]
    return str(len(parent) if step == "-" else names.index(step))


def get_at(document: Json, pointer: str) -> Any:
    """Return the value at a JSON pointer, or None if there is none."""
    found: Any = document
    for step in pointer.split("/")[1:]:
        if isinstance(found, list):
            found = found[int(step)] if int(step) < len(found) else None
        else:
            found = (found or {}).get(decode_step(step))
    return found


def decode_step(step: str) -> str:
    """Decode one step of a JSON pointer."""
    return step.replace("~1", "/").replace("~0", "~")


def select_operations(document: Json, names: set[str]) -> Json:
    """Return a contract with only some operations, all webhooks, and their components."""
    copy = deepcopy(document)
    copy["paths"] = {
        path: these
        for path, methods in copy["paths"].items()
        if (these := {m: it for m, it in methods.items() if it["operationId"] in names})
    }
    parts = copy["components"]
    kept = collect_components([copy["paths"], copy["webhooks"]], parts, set())
    for kind in REFERRED:
        parts[kind] = {n: it for n, it in parts[kind].items() if (kind, n) in kept}
    return copy


def collect_components(
    part: Any, components: Json, seen: set[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Add the kind and name of each component that a part needs to `seen`; return `seen`.

    These are the components to which the part refers, directly or through other components.
    """
    for found in re.findall(r'"#/components/(\w+)/([^"]+)"', json.dumps(part)):
        if found not in seen:
            seen.add(found)
            kind, name = found
            collect_components(components[kind][name], components, seen)
    return seen
