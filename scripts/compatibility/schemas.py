"""The comparison of two schemas of the same value: their forms and properties."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from compatibility.changes import (
    Change,
    Difference,
    Direction,
    Effect,
    Node,
    Pair,
    make_addition,
    make_breaking_change,
    make_change,
)
from compatibility.forms import YES, Form, encode_exactly, list_forms, match_forms
from compatibility.places import Place
from compatibility.rules import RULES, WORDS, find_place, has_constraints, is_closed

NUMBERS: Final = {"integer", "number"}


def compare(pair: Pair) -> Iterator[Difference]:
    """Yield the differences between two schemas, and the inner schemas to compare."""
    if same := resolve_equal_references(pair):
        yield same
        return
    olds, news = list_forms(pair.old), list_forms(pair.new)
    pairs, gone, come = match_forms(olds, news)
    if not any(form.type is None for form in news):
        for form in gone:
            what = f"the value can no longer be {form.get_label()}."
            yield make_change(pair.direction, Effect.NARROWER, pair.old[-1], what)
    if not any(form.type is None for form in olds):
        for form in come:
            what = f"the value can be {form.get_label()}."
            yield make_change(pair.direction, Effect.WIDER, pair.new[-1], what)
    for old, new in pairs:
        yield from compare_forms(old, new, pair.direction)


def resolve_equal_references(pair: Pair) -> Pair | None:
    """Return the schemas that two equal references refer to, or None for other schemas."""
    match pair.old, pair.new:
        case (Place(value={"$ref": old_ref} as value) as old,), (
            Place(value={"$ref": new_ref}) as new,
        ):
            if old_ref == new_ref and value.keys() | new.value.keys() <= WORDS | {"$ref"}:
                return Pair((old.resolve_ref(),), (new.resolve_ref(),), pair.direction)
        case _:
            pass
    return None


def compare_forms(old: Form, new: Form, direction: Direction) -> Iterator[Difference]:
    """Yield the differences between two forms."""
    yield from compare_names(old, new)
    if old.type != new.type:
        yield make_change(direction, *describe_type_change(old, new))
        if not is_comparable(old, new):
            return
    for rule in RULES:
        yield from rule(old, new, direction)
    yield from compare_properties(old, new, direction)
    yield from list_inner_schemas(old, new, direction)


def is_comparable(old: Form, new: Form) -> bool:
    """Return whether two forms of different types still have keywords to compare."""
    untyped = [form for form in (old, new) if form.type is None]
    return {old.type, new.type} == NUMBERS or any(has_constraints(form) for form in untyped)


def compare_names(old: Form, new: Form) -> Iterator[Change]:
    """Yield a change for each type that has lost its name in generated clients."""
    for ref in old.names:
        if ref not in new.names:
            is_left = new.parts[0].find(ref).value is not None
            place = new.parts[0] if is_left else old.parts[0].find(ref)
            name, now = (
                ref.rpartition("/")[2],
                new.get_label() if new.names else "without a name",
            )
            message = (
                f"{name} is now {now}. Code generated from the contract may not build."
            )
            yield make_breaking_change(place, message)


def describe_type_change(old: Form, new: Form) -> tuple[Effect, Place, str]:
    """Return the effect of a change of type, its place and its description."""
    place = find_place(new, "type")
    match old.type, new.type:
        case "integer", "number":
            return Effect.WIDER, place, "the type is number; it was integer."
        case "number", "integer":
            return Effect.NARROWER, place, "the type is integer; it was number."
        case None, _:
            return Effect.NARROWER, place, f"the type is {new.type}; it was any."
        case _, None:
            return Effect.WIDER, place, f"the type is any; it was {old.type}."
        case _:
            return Effect.OTHER, place, f"the type is {new.type}; it was {old.type}."


def compare_properties(old: Form, new: Form, direction: Direction) -> Iterator[Difference]:
    """Compare the properties of an object."""
    then, now = get_properties(old), get_properties(new)
    needed, needs = get_required(old), get_required(new)
    gone, come = then.keys() - now.keys(), now.keys() - then.keys()
    for name in gone:
        yield make_breaking_change(then[name][-1], f"{direction}: `{name}` is removed.")
    for name in come:
        yield make_property_change(
            old, now[name][-1], name, direction, needed=name in needs - needed
        )
        if extra := get_inner_schemas(old, "additionalProperties"):
            yield Pair(extra, now[name], direction)
    for name in then.keys() & now.keys():
        yield Pair(then[name], now[name], direction)
        if direction is Direction.SENT and name not in needed:
            yield from compare_defaults(then[name], now[name])
    for name in (needs - needed) - come - gone:
        yield make_change(
            direction, Effect.NARROWER, get_place(new, name), f"`{name}` is required."
        )
    for name in (needed - needs) - gone:
        yield make_change(
            direction, Effect.WIDER, get_place(new, name), f"`{name}` may be missing."
        )


def get_place(form: Form, name: str) -> Place:
    """Return the place of a property, or of the object if the property is not named."""
    return get_properties(form).get(name, form.parts)[-1]


def get_properties(form: Form) -> dict[str, Node]:
    """Return each possible property of a form, with the schemas that constrain it."""
    names = [name for part in form.parts for name in part.value.get("properties", {})]
    found = {
        name: tuple(
            part.get_children("properties").get(name, part.get("additionalProperties", YES))
            for part in form.parts
        )
        for name in dict.fromkeys(names)
    }
    return {
        name: tuple(place for place in node if place.value not in (True, YES)) or node[-1:]
        for name, node in found.items()
        if not any(place.value is False for place in node)
    }


def get_required(form: Form) -> set[str]:
    """Return the names of the required properties."""
    return {name for names in form.get_values("required") for name in names}


def make_property_change(
    old: Form, place: Place, name: str, direction: Direction, *, needed: bool
) -> Change:
    """Return the change for a property that was added."""
    if direction is Direction.SENT and needed:
        return make_breaking_change(place, f"{direction}: `{name}` is added and required.")
    if direction is Direction.READ and is_closed(old):
        return make_breaking_change(
            place, f"{direction}: `{name}` is added to a closed object."
        )
    return make_addition(place, f"{direction}: `{name}` is added.")


def compare_defaults(old: Node, new: Node) -> Iterator[Change]:
    """Yield a change if leaving out a value has a new meaning."""
    then, now = get_default(old), get_default(new)
    if then != now:
        yield make_breaking_change(
            new[-1], f"{Direction.SENT}: the default is {now}; it was {then}."
        )


def get_default(node: Node) -> str:
    """Return the default value as JSON text, or `not documented`."""
    meant = (
        encode_exactly(value)
        for form in list_forms(node)
        for value in form.get_values("default")
    )
    return next(meant, "not documented")


def list_inner_schemas(old: Form, new: Form, direction: Direction) -> Iterator[Pair]:
    """Yield the pairs of inner schemas, such as items and the values of a map."""
    for keyword in ("items", "additionalProperties", "contentSchema"):
        then, now = get_inner_schemas(old, keyword), get_inner_schemas(new, keyword)
        if (then or now) and not is_closed(old) and not is_closed(new):
            yield Pair(
                then or get_empty_schema(old), now or get_empty_schema(new), direction
            )


def get_inner_schemas(form: Form, keyword: str) -> Node:
    """Return the schemas of a keyword, without the booleans of `additionalProperties`."""
    yes_or_no = bool if keyword == "additionalProperties" else ()
    return tuple(
        p for p in form.find_keyword(keyword) if not isinstance(p.value, yes_or_no)
    )


def get_empty_schema(form: Form) -> Node:
    """Return a schema without constraints, at the place of the form."""
    return (replace(form.parts[-1], value={}),)
