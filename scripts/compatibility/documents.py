"""Two contracts: every operation of then is followed into all that it sends and answers."""

import re
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from compatibility import operations, schemas
from compatibility.changes import Change, Pair, Step, adds, breaks
from compatibility.operations import unjudged
from compatibility.places import Place, whole

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
"""Each change, with the operations that it reaches."""


def compare(old: dict[str, Any], new: dict[str, Any]) -> Changes:
    """Find what is different in the contract of now, for those who knew that of then."""
    then, now = whole(old), whole(new)
    found: Changes = {}
    known: dict[Pair, list[Step]] = {}
    for operation, steps in compared(then, now):
        for change in followed(steps, known):
            found.setdefault(change, set()).update([operation] if operation else [])
    return found


def compared(old: Place, new: Place) -> Iterator[tuple[str, list[Step]]]:
    """Compare what has a name: operations, webhooks, schemes, and the document itself."""
    yield "", [*language(old, new), *schemes(old, new), *unjudged(old, new, DOCUMENT)]
    for kind in ("paths", "webhooks"):
        yield from paths(old, new, kind)


def followed(steps: list[Step], known: dict[Pair, list[Step]]) -> Iterator[Change]:
    """Go on from schema to schema, to each once, so that circles end."""
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


def language(old: Place, new: Place) -> Iterator[Step]:
    """Compare the version of OpenAPI: many tools read one minor version alone."""
    then, now = old.at("openapi"), new.at("openapi")
    if then.value.split(".")[:2] != now.value.split(".")[:2]:
        yield breaks(now, f"It is OpenAPI {now.value}; it was {then.value}.")


def schemes(old: Place, new: Place) -> Iterator[Step]:
    """Compare the ways to sign in; which of them an operation asks for, is said there."""
    then, now = (place.at("components", {}).each("securitySchemes") for place in (old, new))
    for name in then.keys() & now.keys():
        was, is_now = then[name].real(), now[name].real()
        yield from flows(was, is_now)
        yield from unjudged(was, is_now, SCHEME)


def flows(old: Place, new: Place) -> Iterator[Step]:
    """Compare how tokens are asked for, and what for; one more is for who asks for it."""
    then, now = old.each("flows"), new.each("flows")
    yield from names(then, now, "flow")
    for name in then.keys() & now.keys():
        scopes = then[name].each("scopes"), now[name].each("scopes")
        yield from names(*scopes, "scope")
        yield from unjudged(then[name], now[name], FLOW)


def names(then: dict[str, Place], now: dict[str, Place], kind: str) -> Iterator[Step]:
    """Compare what has a name, and else only words."""
    for name in then.keys() - now.keys():
        yield breaks(then[name], f"There is no {kind} {name} any more.")
    for name in now.keys() - then.keys():
        yield adds(now[name], f"There is the {kind} {name} as well.")


def paths(old: Place, new: Place, kind: str) -> Iterator[tuple[str, list[Step]]]:
    """Compare the operations of each path; names in braces tell no paths apart."""
    then, now = shaped(old, kind), shaped(new, kind)
    for shape in dict.fromkeys([*then, *now]):
        name, was = then.get(shape, ("", whole({})))
        name, is_now = now.get(shape, (name, whole({})))
        if was.value and is_now.value:
            yield name, list(unjudged(was, is_now, PATH))
        for method in METHODS:
            label = f"{method.upper()} {name}"
            yield label, list(operation(was, is_now, method, kind))


def shaped(document: Place, kind: str) -> dict[str, tuple[str, Place]]:
    """Find the paths of a document by their shape."""
    return {
        NAME.sub("{}", name): (name, place.real())
        for name, place in document.each(kind).items()
    }


def operation(old: Place, new: Place, method: str, kind: str) -> Iterator[Step]:
    """Compare one operation of a path, or a webhook."""
    then, now = old.at(method), new.at(method)
    if then.value is None and now.value is None:
        return
    if now.value is None:
        yield breaks(then, "It is gone.")
    elif then.value is None:
        yield adds(now, "It is new.")
    elif kind == "webhooks":
        yield from operations.compare_webhooks(then, now)
    else:
        yield from operations.compare(then, now, (old, new))
