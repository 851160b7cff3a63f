"""The comparison of two operations: their requests, responses and access rules."""

from collections.abc import Iterator
from typing import Final

from compatibility.changes import (
    Difference,
    Direction,
    Node,
    Pair,
    make_addition,
    make_breaking_change,
)
from compatibility.forms import encode_exactly
from compatibility.places import Place
from compatibility.rules import WORDS
from compatibility.schemas import compare_defaults
from compatibility.security import compare_scopes, compare_security

NOT_MODIFIED: Final = "304"
ANYWHERE: Final = frozenset({"413", "414", "415", "429", "431", "500", "502", "503", "504"})
"""Errors of transport and format, which never replace another error of the operation."""
OPERATION: Final = frozenset(
    {"parameters", "requestBody", "responses", "security", "operationId", "tags"}
)
PARAMETER: Final = frozenset({"name", "in", "required", "schema"})
BODY: Final = frozenset({"required", "content"})
RESPONSE: Final = frozenset({"content", "headers"})
MEDIA_TYPE: Final = frozenset({"schema"})


def compare(old: Place, new: Place, given: tuple[Place, Place]) -> Iterator[Difference]:
    """Compare two operations. `given` contains the old and the new path item."""
    yield from compare_names(old, new)
    yield from compare_parameters(old, new, given)
    yield from compare_bodies(
        old.get("requestBody"), new.get("requestBody"), Direction.SENT
    )
    yield from compare_responses(old, new, Direction.READ)
    yield from compare_security(old, new)
    yield from compare_scopes(old, new)
    yield from compare_other_keywords(old, new, OPERATION)


def compare_webhooks(old: Place, new: Place) -> Iterator[Difference]:
    """Compare two webhooks, where the client reads the request and sends the response."""
    yield from compare_names(old, new)
    yield from compare_bodies(
        old.get("requestBody"), new.get("requestBody"), Direction.READ
    )
    yield from compare_responses(old, new, Direction.SENT)
    yield from compare_other_keywords(old, new, OPERATION - {"parameters", "security"})


def compare_other_keywords(
    old: Place, new: Place, judged: frozenset[str]
) -> Iterator[Difference]:
    """Report new deprecations, and differences in keywords that no rule compares."""
    for key in sorted((old.value.keys() | new.value.keys()) - judged - WORDS):
        then, now = old.get(key), new.get(key)
        if encode_exactly(then.value) != encode_exactly(now.value) and not key.startswith(
            "x-"
        ):
            place = now if key in new.value else then
            yield make_breaking_change(place, f"`{key}` changed, and no rule compares it.")
    if new.get("deprecated").value and not old.get("deprecated").value:
        yield make_addition(
            new.get("deprecated"), "It is deprecated. It works, but will be removed."
        )


def compare_names(old: Place, new: Place) -> Iterator[Difference]:
    """Compare the names that generated clients give to an operation and its module."""
    then, now = old.get("operationId").value, new.get("operationId").value
    if then != now:
        is_now, was = now or "derived", then or "derived"
        place = new.get("operationId")
        yield make_breaking_change(
            place, f"The name in generated clients is {is_now}; it was {was}."
        )
    tags, kept = new.get("tags", []), old.get("tags", []).value
    if tags.value[: len(kept)] != kept:
        yield make_breaking_change(tags, "The module in generated clients is another one.")
    elif tags.value != kept:
        yield make_addition(tags, "Generated clients have it in an additional module.")


def compare_parameters(
    old: Place, new: Place, given: tuple[Place, Place]
) -> Iterator[Difference]:
    """Compare the parameters of an operation and of its path."""
    then, now = get_parameters(given[0], old), get_parameters(given[1], new)
    for key in then.keys() - now.keys():
        yield make_breaking_change(
            then[key],
            f"{describe_parameter(then[key])} is removed; requests with it are rejected.",
        )
    for key in now.keys() - then.keys():
        if now[key].get("required").value:
            yield make_breaking_change(
                now[key], f"{describe_parameter(now[key])} is added and required."
            )
        else:
            yield make_addition(now[key], f"{describe_parameter(now[key])} is added.")
    for key in then.keys() & now.keys():
        yield from compare_parameter(then[key], now[key])


def get_parameters(*places: Place) -> dict[tuple[str, str], Place]:
    """Return the parameters. The parameters of an operation override those of its path."""
    found = [row.resolve() for place in places for row in place.list_items("parameters")]
    return {(place.value["in"], get_parameter_name(place)): place for place in found}


def get_parameter_name(parameter: Place) -> str:
    """Return the name of a parameter. Header names ignore case (RFC 9110)."""
    name = str(parameter.value["name"])
    return name.lower() if parameter.value["in"] == "header" else name


def describe_parameter(parameter: Place) -> str:
    """Return a parameter in the form in which messages name it."""
    return f"The {parameter.value['in']} parameter `{parameter.value['name']}`"


def compare_parameter(old: Place, new: Place) -> Iterator[Difference]:
    """Compare the old and the new form of one parameter."""
    then, now = bool(old.get("required").value), bool(new.get("required").value)
    if now > then:
        yield make_breaking_change(new, f"{describe_parameter(new)} is required.")
    elif then > now:
        yield make_addition(new, f"{describe_parameter(new)} is optional.")
    schemas = get_schema(old), get_schema(new)
    yield Pair(*schemas, Direction.SENT)
    if not then:
        yield from compare_defaults(*schemas)
    yield from compare_other_keywords(old, new, PARAMETER)


def get_schema(place: Place) -> Node:
    """Return the schema of a parameter, header or media type, or an open schema."""
    return (place.get("schema", {}),)


def compare_bodies(old: Place, new: Place, direction: Direction) -> Iterator[Difference]:
    """Compare the bodies of two requests, or of two webhooks."""
    if old.value is None or new.value is None:
        yield from compare_presence(old, new, direction)
        return
    old, new = old.resolve(), new.resolve()
    then, now = bool(old.get("required").value), bool(new.get("required").value)
    if then != now and (now > then) is (direction is Direction.SENT):
        yield make_breaking_change(
            new, f"{direction}: a body {'is required' if now else 'may be missing'}."
        )
    elif then != now:
        yield make_addition(
            new, f"{direction}: a body {'is always present' if now else 'is optional'}."
        )
    yield from compare_media_types(old, new, direction)
    yield from compare_other_keywords(old, new, BODY)


def compare_presence(old: Place, new: Place, direction: Direction) -> Iterator[Difference]:
    """Report a body that was added or removed."""
    if old.value is not None:
        yield make_breaking_change(old, f"{direction}: the body is removed.")
    elif new.value is not None:
        if direction is Direction.SENT and new.resolve().get("required").value:
            yield make_breaking_change(new, f"{direction}: a body is added and required.")
        else:
            yield make_addition(new, f"{direction}: a body is added.")


def compare_media_types(
    old: Place, new: Place, direction: Direction
) -> Iterator[Difference]:
    """Compare media types and their schemas. An added media type breaks no client."""
    then, now = old.get_children("content"), new.get_children("content")
    for name in then.keys() - now.keys():
        yield make_breaking_change(then[name], f"{direction}: {name} is removed.")
    for name in now.keys() - then.keys():
        yield make_addition(now[name], f"{direction}: {name} is added.")
    for name in then.keys() & now.keys():
        yield Pair(get_schema(then[name]), get_schema(now[name]), direction)
        yield from compare_other_keywords(then[name], now[name], MEDIA_TYPE)


def compare_responses(old: Place, new: Place, direction: Direction) -> Iterator[Difference]:
    """Compare the responses of two operations.

    A new error status does not break a client that handles classes of status codes, as RFC
    9110 requires. A new success status breaks clients, and so does an error status that
    replaces another.
    """
    then, now = old.get_children("responses"), new.get_children("responses")
    gone, come = then.keys() - now.keys(), now.keys() - then.keys()
    instead = sorted(status for status in come - ANYWHERE if not is_success(status))
    for status in gone:
        if is_success(status):
            yield make_breaking_change(then[status], f"The status {status} is removed.")
        elif instead:
            what = f"The status {status} is replaced by {', '.join(instead)}."
            yield make_breaking_change(
                then[status], f"{what} Clients may act on {status} only."
            )
        else:
            yield make_addition(then[status], f"The status {status} is removed.")
    for status in come:
        if is_success(status):
            yield make_breaking_change(
                now[status], f"The success status {status} is added."
            )
        else:
            yield make_addition(now[status], f"The error status {status} is added.")
    for status in then.keys() & now.keys():
        yield from compare_response(
            then[status].resolve(), now[status].resolve(), direction
        )


def is_success(status: str) -> bool:
    """Return whether a status is 2xx or 3xx, except 304 (for conditional requests)."""
    return status[0] in "23" and status != NOT_MODIFIED


def compare_response(old: Place, new: Place, direction: Direction) -> Iterator[Difference]:
    """Compare the old and the new form of one response."""
    yield from compare_media_types(old, new, direction)
    then, now = get_headers(old), get_headers(new)
    for name in then.keys() - now.keys():
        yield make_breaking_change(
            then[name], f"{direction}: the header `{name}` is removed."
        )
    for name in now.keys() - then.keys():
        yield make_addition(now[name], f"{direction}: the header `{name}` is added.")
    for name in then.keys() & now.keys():
        was, is_now = (
            bool(then[name].get("required").value),
            bool(now[name].get("required").value),
        )
        if was > is_now:
            yield make_breaking_change(
                now[name], f"{direction}: the header `{name}` may be missing."
            )
        elif is_now > was:
            yield make_addition(
                now[name], f"{direction}: the header `{name}` is always present."
            )
        yield Pair(get_schema(then[name]), get_schema(now[name]), direction)
        yield from compare_other_keywords(then[name], now[name], PARAMETER)
    yield from compare_other_keywords(old, new, RESPONSE)


def get_headers(place: Place) -> dict[str, Place]:
    """Return the headers by name in lower case, because names ignore case (RFC 9110)."""
    return {
        name.lower(): found.resolve()
        for name, found in place.get_children("headers").items()
    }
