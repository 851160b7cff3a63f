"""Two operations: what a client has to send, what it is answered, and who lets it in."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from compatibility.changes import Node, Pair, Step, Way, adds, breaks
from compatibility.forms import exact
from compatibility.places import Place
from compatibility.rules import WORDS
from compatibility.schemas import defaults

SCOPE: Final = re.compile(r"scope `([a-z:]+)`")
"""Our keys have scopes that no scheme of OpenAPI knows: they stand in the description."""
NOT_MODIFIED: Final = "304"
ANYWHERE: Final = frozenset({"413", "414", "415", "429", "431", "500", "502", "503", "504"})
"""Errors of how, and not of what, is asked: they come in the place of no other."""
OPERATION: Final = frozenset(
    {"parameters", "requestBody", "responses", "security", "operationId", "tags"}
)
PARAMETER: Final = frozenset({"name", "in", "required", "schema"})
BODY: Final = frozenset({"required", "content"})
RESPONSE: Final = frozenset({"content", "headers"})
MEDIA_TYPE: Final = frozenset({"schema"})


def compare(old: Place, new: Place, given: tuple[Place, Place]) -> Iterator[Step]:
    """Tell what is different for who calls an operation; given: the paths they stand in."""
    yield from names(old, new)
    yield from parameters(old, new, given)
    yield from bodies(old.at("requestBody"), new.at("requestBody"), Way.SENT)
    yield from responses(old, new, Way.READ)
    yield from security(old, new)
    yield from scopes(old, new)
    yield from unjudged(old, new, OPERATION)


def compare_webhooks(old: Place, new: Place) -> Iterator[Step]:
    """Tell what is different for who is called: what is sent to them they read."""
    yield from names(old, new)
    yield from bodies(old.at("requestBody"), new.at("requestBody"), Way.READ)
    yield from responses(old, new, Way.SENT)
    yield from unjudged(old, new, OPERATION - {"parameters", "security"})


def unjudged(old: Place, new: Place, judged: frozenset[str]) -> Iterator[Step]:
    """Refuse a difference in what nothing here judges, and say what is deprecated."""
    for key in sorted((old.value.keys() | new.value.keys()) - judged - WORDS):
        then, now = old.at(key), new.at(key)
        if exact(then.value) != exact(now.value) and not key.startswith("x-"):
            place = now if key in new.value else then
            yield breaks(place, f"`{key}` changed, which this check cannot judge.")
    if new.at("deprecated").value and not old.at("deprecated").value:
        yield adds(new.at("deprecated"), "It is deprecated: it works, but not for ever.")


def names(old: Place, new: Place) -> Iterator[Step]:
    """Compare what generated code calls an operation, and in which module it stands."""
    then, now = old.at("operationId").value, new.at("operationId").value
    if then != now:
        is_now, was = now or "otherwise", then or "otherwise"
        place = new.at("operationId")
        yield breaks(place, f"Generated clients call it {is_now}; they called it {was}.")
    tags, kept = new.at("tags", []), old.at("tags", []).value
    if tags.value[: len(kept)] != kept:
        yield breaks(tags, "Generated clients have it in another module.")
    elif tags.value != kept:
        yield adds(tags, "Generated clients have it in one more module.")


def parameters(old: Place, new: Place, given: tuple[Place, Place]) -> Iterator[Step]:
    """Compare the parameters of an operation, and of its path."""
    then, now = asked(given[0], old), asked(given[1], new)
    for key in then.keys() - now.keys():
        yield breaks(
            then[key], f"{spelled(then[key])} is gone; what is not known is refused."
        )
    for key in now.keys() - then.keys():
        if now[key].at("required").value:
            yield breaks(now[key], f"{spelled(now[key])} is new, and required.")
        else:
            yield adds(now[key], f"{spelled(now[key])} is new.")
    for key in then.keys() & now.keys():
        yield from parameter(then[key], now[key])


def asked(*places: Place) -> dict[tuple[str, str], Place]:
    """Find parameters; what an operation says stands above what its path says."""
    found = [row.real() for place in places for row in place.rows("parameters")]
    return {(place.value["in"], told_apart(place)): place for place in found}


def told_apart(parameter: Place) -> str:
    """Read a name; RFC 9110 does not tell headers apart by case."""
    name = str(parameter.value["name"])
    return name.lower() if parameter.value["in"] == "header" else name


def spelled(parameter: Place) -> str:
    """Name a parameter for a reader."""
    return f"The {parameter.value['in']} parameter `{parameter.value['name']}`"


def parameter(old: Place, new: Place) -> Iterator[Step]:
    """Compare one parameter."""
    then, now = bool(old.at("required").value), bool(new.at("required").value)
    if now > then:
        yield breaks(new, f"{spelled(new)} is required.")
    elif then > now:
        yield adds(new, f"{spelled(new)} can be left out.")
    schemas = schema(old), schema(new)
    yield Pair(*schemas, Way.SENT)
    if not then:
        yield from defaults(*schemas)
    yield from unjudged(old, new, PARAMETER)


def schema(place: Place) -> Node:
    """Find the schema of a parameter, a header or a media type; none lets all pass."""
    return (place.at("schema", {}),)


def bodies(old: Place, new: Place, way: Way) -> Iterator[Step]:
    """Compare what has to be sent, or what is sent to a webhook."""
    if old.value is None or new.value is None:
        yield from body_came_or_went(old, new, way)
        return
    old, new = old.real(), new.real()
    then, now = bool(old.at("required").value), bool(new.at("required").value)
    if then != now and (now > then) is (way is Way.SENT):
        yield breaks(new, f"{way}: a body {'is required' if now else 'may be missing'}.")
    elif then != now:
        yield adds(new, f"{way}: a body {'is always there' if now else 'can be left out'}.")
    yield from contents(old, new, way)
    yield from unjudged(old, new, BODY)


def body_came_or_went(old: Place, new: Place, way: Way) -> Iterator[Step]:
    """Judge a body where there was none, and none where there was one."""
    if old.value is not None:
        yield breaks(old, f"{way}: there is no body any more.")
    elif new.value is not None:
        if way is Way.SENT and new.real().at("required").value:
            yield breaks(new, f"{way}: a body is new, and required.")
        else:
            yield adds(new, f"{way}: a body is new.")


def contents(old: Place, new: Place, way: Way) -> Iterator[Step]:
    """Compare media types, and what is told in each; a new one is for who asks for it."""
    then, now = old.each("content"), new.each("content")
    for name in then.keys() - now.keys():
        yield breaks(then[name], f"{way}: there is no {name} any more.")
    for name in now.keys() - then.keys():
        yield adds(now[name], f"{way}: there is {name} as well.")
    for name in then.keys() & now.keys():
        yield Pair(schema(then[name]), schema(now[name]), way)
        yield from unjudged(then[name], now[name], MEDIA_TYPE)


def responses(old: Place, new: Place, way: Way) -> Iterator[Step]:
    """Compare what may be answered.

    Another error is nothing new to who knows classes of statuses, as RFC 9110 asks; another
    success is, and so is one error in the place of another.
    """
    then, now = old.each("responses"), new.each("responses")
    gone, come = then.keys() - now.keys(), now.keys() - then.keys()
    instead = sorted(status for status in come - ANYWHERE if not succeeds(status))
    for status in gone:
        if succeeds(status):
            yield breaks(then[status], f"{status} is not answered any more.")
        elif instead:
            what = f"{status} is not answered any more, but {', '.join(instead)} is."
            yield breaks(then[status], f"{what} Who acts on {status} waits in vain.")
        else:
            yield adds(then[status], f"{status} is not answered any more.")
    for status in come:
        if succeeds(status):
            yield breaks(now[status], f"{status} is answered too, which nobody looks for.")
        else:
            yield adds(now[status], f"{status} is answered too.")
    for status in then.keys() & now.keys():
        yield from response(then[status].real(), now[status].real(), way)


def succeeds(status: str) -> bool:
    """Say whether a status is no error, and comes to those who asked for nothing else."""
    return status[0] in "23" and status != NOT_MODIFIED


def response(old: Place, new: Place, way: Way) -> Iterator[Step]:
    """Compare one answer."""
    yield from contents(old, new, way)
    then, now = headers(old), headers(new)
    for name in then.keys() - now.keys():
        yield breaks(then[name], f"{way}: the header `{name}` is gone.")
    for name in now.keys() - then.keys():
        yield adds(now[name], f"{way}: the header `{name}` is new.")
    for name in then.keys() & now.keys():
        was, is_now = (
            bool(then[name].at("required").value),
            bool(now[name].at("required").value),
        )
        if was > is_now:
            yield breaks(now[name], f"{way}: the header `{name}` may be missing.")
        elif is_now > was:
            yield adds(now[name], f"{way}: the header `{name}` is always there.")
        yield Pair(schema(then[name]), schema(now[name]), way)
        yield from unjudged(then[name], now[name], PARAMETER)
    yield from unjudged(old, new, RESPONSE)


def headers(place: Place) -> dict[str, Place]:
    """Find headers; RFC 9110 does not tell their names apart by case."""
    return {name.lower(): found.real() for name, found in place.each("headers").items()}


def security(old: Place, new: Place) -> Iterator[Step]:
    """Compare who is let in: each way to sign in of then has to be enough now."""
    then, now = ways_in(old), ways_in(new)
    place = new.at("security")
    for way in then:
        if not any(enough(way, other) for other in now):
            yield breaks(place, f"{signed(way)} is not let in any more.")
    for way in now:
        if not any(enough(way, other) for other in then):
            yield adds(place, f"{signed(way)} is let in too.")


def ways_in(operation: Place) -> list[Mapping[str, list[str]]]:
    """Find each way to sign in; without any, everybody is let in."""
    everywhere = operation.root.get("security", [])
    return operation.at("security", everywhere).value or [{}]


def enough(way: Mapping[str, list[str]], asked_for: Mapping[str, list[str]]) -> bool:
    """Say whether who signs in in one way has all that another asks for."""
    return all(
        scheme in way and set(asked) <= set(way[scheme])
        for scheme, asked in asked_for.items()
    )


def signed(way: Mapping[str, list[str]]) -> str:
    """Name a way to sign in."""
    parts = [" ".join([scheme, *asked]) for scheme, asked in way.items()]
    return f"Who signs in with {' and '.join(parts)}" if parts else "Who does not sign in"


def scopes(old: Place, new: Place) -> Iterator[Step]:
    """Compare the scopes that a key needs."""
    then, now = (
        set(SCOPE.findall(str(place.at("description").value))) for place in (old, new)
    )
    for scope in sorted(now - then):
        yield breaks(new.at("description"), f"A key needs the scope {scope}.")
    for scope in sorted(then - now):
        yield adds(
            new.at("description"), f"A key does not need the scope {scope} any more."
        )
