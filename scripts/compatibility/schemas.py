"""Two schemas of the same thing: which forms and properties it has now, and had before."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from compatibility.changes import Change, Effect, Node, Pair, Step, Way, adds, breaks, told
from compatibility.forms import YES, Form, exact, forms, matched
from compatibility.places import Place
from compatibility.rules import RULES, WORDS, asks, closed, standing

NUMBERS: Final = {"integer", "number"}


def compare(pair: Pair) -> Iterator[Step]:
    """Tell each difference between two schemas, and which schemas inside to compare."""
    if same := referred(pair):
        yield same
        return
    olds, news = forms(pair.old), forms(pair.new)
    pairs, gone, come = matched(olds, news)
    if not any(form.type is None for form in news):
        for form in gone:
            what = f"it cannot be {form.called()} any more."
            yield told(pair.way, Effect.NARROWER, pair.old[-1], what)
    if not any(form.type is None for form in olds):
        for form in come:
            what = f"it can be {form.called()}."
            yield told(pair.way, Effect.WIDER, pair.new[-1], what)
    for old, new in pairs:
        yield from between(old, new, pair.way)


def referred(pair: Pair) -> Pair | None:
    """Go to what both mean by one name, which is compared once, wherever it is meant."""
    match pair.old, pair.new:
        case (Place(value={"$ref": ref} as said) as old,), (
            Place(value={"$ref": to}) as new,
        ):
            if ref == to and said.keys() | new.value.keys() <= WORDS | {"$ref"}:
                return Pair((old.follow(),), (new.follow(),), pair.way)
        case _:
            pass
    return None


def between(old: Form, new: Form, way: Way) -> Iterator[Step]:
    """Tell each difference between two forms."""
    yield from renamed(old, new)
    if old.type != new.type:
        yield told(way, *retyped(old, new))
        if not comparable(old, new):
            return
    for rule in RULES:
        yield from rule(old, new, way)
    yield from fields(old, new, way)
    yield from inside(old, new, way)


def comparable(old: Form, new: Form) -> bool:
    """Say whether there is more to tell than the types."""
    untyped = [form for form in (old, new) if form.type is None]
    return {old.type, new.type} == NUMBERS or any(asks(form) for form in untyped)


def renamed(old: Form, new: Form) -> Iterator[Change]:
    """Notice that a type of generated clients has another name, or none."""
    for ref in old.names:
        if ref not in new.names:
            is_left = new.parts[0].seek(ref).value is not None
            place = new.parts[0] if is_left else old.parts[0].seek(ref)
            name, now = (
                ref.rpartition("/")[2],
                new.called() if new.names else "without name",
            )
            says = f"What was {name} is {now}. Code made from the contract may not build."
            yield breaks(place, says)


def retyped(old: Form, new: Form) -> tuple[Effect, Place, str]:
    """Say what another type does."""
    place = standing(new, "type")
    match old.type, new.type:
        case "integer", "number":
            return Effect.WIDER, place, "it can be a number, not an integer alone."
        case "number", "integer":
            return Effect.NARROWER, place, "it can be an integer only."
        case None, _:
            return Effect.NARROWER, place, f"it is {new.type}; it could be anything."
        case _, None:
            return Effect.WIDER, place, f"it can be anything; it was {old.type}."
        case _:
            return Effect.OTHER, place, f"it is {new.type}; it was {old.type}."


def fields(old: Form, new: Form, way: Way) -> Iterator[Step]:
    """Compare the properties of an object."""
    then, now = named(old), named(new)
    needed, needs = required(old), required(new)
    gone, come = then.keys() - now.keys(), now.keys() - then.keys()
    for name in gone:
        yield breaks(then[name][-1], f"{way}: `{name}` is gone.")
    for name in come:
        yield appeared(old, now[name][-1], name, way, needed=name in needs - needed)
        if extra := within(old, "additionalProperties"):
            yield Pair(extra, now[name], way)
    for name in then.keys() & now.keys():
        yield Pair(then[name], now[name], way)
        if way is Way.SENT and name not in needed:
            yield from defaults(then[name], now[name])
    for name in (needs - needed) - come - gone:
        yield told(way, Effect.NARROWER, where(new, name), f"`{name}` is required.")
    for name in (needed - needs) - gone:
        yield told(way, Effect.WIDER, where(new, name), f"`{name}` may be missing.")


def where(form: Form, name: str) -> Place:
    """Say where a property is described, or the object that does not."""
    return named(form).get(name, form.parts)[-1]


def named(form: Form) -> dict[str, Node]:
    """Find each property, as all parts together describe it; what may not be, is none.

    What one part names, another may refuse: it lets pass what itself names.
    """
    names = [name for part in form.parts for name in part.value.get("properties", {})]
    found = {
        name: tuple(
            part.each("properties").get(name, part.at("additionalProperties", YES))
            for part in form.parts
        )
        for name in dict.fromkeys(names)
    }
    return {
        name: tuple(place for place in node if place.value not in (True, YES)) or node[-1:]
        for name, node in found.items()
        if not any(place.value is False for place in node)
    }


def required(form: Form) -> set[str]:
    """Name the properties that have to be there."""
    return {name for names in form.values("required") for name in names}


def appeared(old: Form, place: Place, name: str, way: Way, *, needed: bool) -> Change:
    """Judge a new property."""
    if way is Way.SENT and needed:
        return breaks(place, f"{way}: `{name}` is new, and required.")
    if way is Way.READ and closed(old):
        return breaks(place, f"{way}: `{name}` is new, where nothing new could come.")
    return adds(place, f"{way}: `{name}` is new.")


def defaults(old: Node, new: Node) -> Iterator[Change]:
    """Notice that leaving something out means something else."""
    then, now = default(old), default(new)
    if then != now:
        yield breaks(new[-1], f"{Way.SENT}: left out, it means {now}; it meant {then}.")


def default(node: Node) -> str:
    """Read what is meant by leaving something out."""
    meant = (exact(value) for form in forms(node) for value in form.values("default"))
    return next(meant, "what nobody says")


def inside(old: Form, new: Form, way: Way) -> Iterator[Pair]:
    """Find what else stands in both: entries of a list, values of a map, what a text is."""
    for keyword in ("items", "additionalProperties", "contentSchema"):
        then, now = within(old, keyword), within(new, keyword)
        if (then or now) and not closed(old) and not closed(new):
            yield Pair(then or anything(old), now or anything(new), way)


def within(form: Form, keyword: str) -> Node:
    """Find the schema of what is inside; that of properties may be just yes or no."""
    yes_or_no = bool if keyword == "additionalProperties" else ()
    return tuple(p for p in form.having(keyword) if not isinstance(p.value, yes_or_no))


def anything(form: Form) -> Node:
    """Say nothing of what is inside, where it would be said."""
    return (replace(form.parts[-1], value={}),)
