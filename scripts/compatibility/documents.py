"""The comparison of two contracts, from each operation to its schemas."""

import re
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from compatibility import operations, schemas
from compatibility.changes import (
    Change,
    Difference,
    Pair,
    make_addition,
    make_breaking_change,
)
from compatibility.operations import compare_other_keywords
from compatibility.places import Place, get_root

METHODS: Final = (
    "get",
    "put",
    "post",
    "delete",
    "options",
    "head",
    "patch",
    "trace",
    "query",
)
NAME: Final = re.compile(r"\{[^}]*\}")
DOCUMENT: Final = frozenset(
    {"openapi", "info", "paths", "webhooks", "components", "security", "tags"}
)
PATH: Final = frozenset({*METHODS, "parameters"})
SCHEME: Final = frozenset({"bearerFormat", "flows"})
FLOW: Final = frozenset({"scopes"})

type Changes = dict[Change, set[str]]
"""Each change, with the operations that it affects."""


def compare(old: dict[str, Any], new: dict[str, Any]) -> Changes:
    """Return the changes from the old contract to the new one."""
    then, now = get_root(old), get_root(new)
    found: Changes = {}
    known: dict[Pair, list[Difference]] = {}
    for operation, steps in compare_documents(then, now):
        for change in compare_schemas(steps, known):
            found.setdefault(change, set()).update([operation] if operation else [])
    return found


def compare_documents(old: Place, new: Place) -> Iterator[tuple[str, list[Difference]]]:
    """Yield the differences of each operation and webhook, and of the whole document."""
    yield (
        "",
        [
            *compare_versions(old, new),
            *compare_schemes(old, new),
            *compare_other_keywords(old, new, DOCUMENT),
        ],
    )
    for kind in ("paths", "webhooks"):
        yield from compare_paths(old, new, kind)


def compare_schemas(
    steps: list[Difference], known: dict[Pair, list[Difference]]
) -> Iterator[Change]:
    """Yield the changes. Each pair of inner schemas is compared only once."""
    waiting, seen = deque(steps), set[Pair]()
    while waiting:
        step = waiting.popleft()
        if isinstance(step, Change):
            yield step
        elif step not in seen:
            seen.add(step)
            if step not in known:
                known[step] = list(schemas.compare(step))
            waiting.extend(known[step])


def compare_versions(old: Place, new: Place) -> Iterator[Difference]:
    """Compare the OpenAPI versions, because many tools read only one minor version."""
    then, now = old.get("openapi"), new.get("openapi")
    if then.value.split(".")[:2] != now.value.split(".")[:2]:
        yield make_breaking_change(
            now, f"The OpenAPI version is {now.value}; it was {then.value}."
        )


def compare_schemes(old: Place, new: Place) -> Iterator[Difference]:
    """Compare the security schemes that both contracts have."""
    then, now = (
        place.get("components", {}).get_children("securitySchemes") for place in (old, new)
    )
    for name in then.keys() & now.keys():
        was, is_now = then[name].resolve(), now[name].resolve()
        yield from compare_flows(was, is_now)
        yield from compare_other_keywords(was, is_now, SCHEME)


def compare_flows(old: Place, new: Place) -> Iterator[Difference]:
    """Compare the OAuth flows and their scopes. An added flow or scope breaks no client."""
    then, now = old.get_children("flows"), new.get_children("flows")
    yield from compare_names(then, now, "flow")
    for name in then.keys() & now.keys():
        scopes = then[name].get_children("scopes"), now[name].get_children("scopes")
        yield from compare_names(*scopes, "scope")
        yield from compare_other_keywords(then[name], now[name], FLOW)


def compare_names(
    then: dict[str, Place], now: dict[str, Place], kind: str
) -> Iterator[Difference]:
    """Report the named entries that were removed or added. Only names are compared."""
    for name in then.keys() - now.keys():
        yield make_breaking_change(then[name], f"The {kind} {name} is removed.")
    for name in now.keys() - then.keys():
        yield make_addition(now[name], f"The {kind} {name} is added.")


def compare_paths(
    old: Place, new: Place, kind: str
) -> Iterator[tuple[str, list[Difference]]]:
    """Compare the operations of each path. Paths match even if parameter names differ."""
    then, now = get_paths(old, kind), get_paths(new, kind)
    for shape in dict.fromkeys([*then, *now]):
        name, was = then.get(shape, ("", get_root({})))
        name, is_now = now.get(shape, (name, get_root({})))
        if was.value and is_now.value:
            yield name, list(compare_other_keywords(was, is_now, PATH))
        for method in METHODS:
            label = f"{method.upper()} {name}"
            yield label, list(compare_operations(was, is_now, method, kind))


def get_paths(document: Place, kind: str) -> dict[str, tuple[str, Place]]:
    """Return the paths of a document, by path without parameter names (`/cases/{}`)."""
    return {
        NAME.sub("{}", name): (name, place.resolve())
        for name, place in document.get_children(kind).items()
    }


def compare_operations(
    old: Place, new: Place, method: str, kind: str
) -> Iterator[Difference]:
    """Compare one operation of a path, or one webhook."""
    then, now = old.get(method), new.get(method)
    if then.value is None and now.value is None:
        return
    if now.value is None:
        yield make_breaking_change(then, "It is removed.")
    elif then.value is None:
        yield make_addition(now, "It is added.")
    elif kind == "webhooks":
        yield from operations.compare_webhooks(then, now)
    else:
        yield from operations.compare(then, now, (old, new))
