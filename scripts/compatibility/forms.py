"""A schema as the forms that a value may have: references, unions and nulls taken apart.

`anyOf` of a named schema and null, a list of types with null, and an enum that has a null
say the same; here they are the same. Each form has one type, and all the places that ask
something of it.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from compatibility.changes import Node
from compatibility.places import Place

YES: Final[dict[str, Any]] = {}
COMPOSING: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "discriminator"})
TYPES: Final = ("boolean", "integer", "number", "string", "array", "object", "null")
ALL: Final[dict[str | None, int]] = {"null": 1, "boolean": 2}
PYTHON: Final[dict[type, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}


@dataclass(frozen=True)
class Form:
    """One form: who asks what of it, its type (None: any), its names, its discriminator."""

    parts: Node
    type: str | None = None
    names: tuple[str, ...] = ()
    key: str | None = None

    def having(self, keyword: str) -> list[Place]:
        """Find what each part says by a keyword."""
        return [part.at(keyword) for part in self.parts if keyword in part.value]

    def values(self, keyword: str) -> list[Any]:
        """Read what each part says by a keyword."""
        return [place.value for place in self.having(keyword)]

    def called(self) -> str:
        """Name it for a reader."""
        return self.names[-1].rpartition("/")[2] if self.names else self.type or "anything"


def forms(node: Node) -> list[Form]:
    """List the forms that a value of this schema may have."""
    branches = conjoined([unfold(place, frozenset()) for place in node])
    return list(dict.fromkeys(form for branch in branches for form in typed(branch)))


def unfold(place: Place, seen: frozenset[str]) -> list[Form]:
    """Follow references and unions, and stop where a reference leads back to itself."""
    if place.value is True:
        return [Form((replace(place, value=YES),))]
    if place.value is False or place.pointer in seen:
        return []
    seen |= {place.pointer}
    factors = [[Form((place,))]]
    if "$ref" in place.value:
        ref = place.value["$ref"]
        found = unfold(place.follow(), seen)
        factors.append([replace(form, names=(ref, *form.names)) for form in found])
    factors.extend(unfold(part, seen) for part in place.rows("allOf"))
    factors.extend(
        [
            replace(form, key=key or form.key)
            for part, key in members(place, union)
            for form in unfold(part, seen)
        ]
        for union in ("anyOf", "oneOf")
        if union in place.value
    )
    return conjoined(factors)


def members(place: Place, union: str) -> Iterator[tuple[Place, str | None]]:
    """Find the members of a union, each under every key that the discriminator gives it."""
    mapping = place.at("discriminator", {}).at("mapping", {}).value
    for part in place.rows(union):
        ref = part.value.get("$ref") if isinstance(part.value, dict) else None
        keys = [key for key, target in mapping.items() if target == ref]
        yield from ((part, key) for key in keys or [None])


def conjoined(factors: list[list[Form]]) -> list[Form]:
    """Combine one form of each factor, in every way."""
    return [
        Form(
            parts=tuple(dict.fromkeys(part for form in chosen for part in form.parts)),
            names=tuple(dict.fromkeys(name for form in chosen for name in form.names)),
            key=next((form.key for form in chosen if form.key), None),
        )
        for chosen in product(*factors)
    ]


def typed(form: Form) -> Iterator[Form]:
    """Take a form apart by type; what the enum leaves nothing of is not a form."""
    listed = allowed(form)
    types = types_of(form)
    if types is None:
        types = None if listed is None else distinct({kind(value) for value in listed})
    if types is None:
        yield form
        return
    for name in TYPES:
        if name in types and (
            listed is None or any(is_of(value, name) for value in listed)
        ):
            yield replace(form, type=name)


def types_of(form: Form) -> set[str] | None:
    """Intersect what its parts say of the type."""
    found: set[str] | None = None
    for said in form.values("type"):
        types = {said} if isinstance(said, str) else set(said)
        types |= {"integer"} if "number" in types else set()
        found = types if found is None else found & types
    return found if found is None else distinct(found)


def distinct(types: set[str]) -> set[str]:
    """Leave out what is said already: an integer is a number."""
    return types - {"integer"} if "number" in types else types


def allowed(form: Form) -> list[Any] | None:
    """Intersect the values that its parts list, of its type; None if no or each value."""
    lists = [*form.values("enum"), *([value] for value in form.values("const"))]
    if not lists:
        return None
    kept = {exact(value): value for value in lists[0]}
    for others in lists[1:]:
        kept = {key: kept[key] for key in kept if key in set(map(exact, others))}
    found = [value for value in kept.values() if not form.type or is_of(value, form.type)]
    return None if len(found) == ALL.get(form.type) else found


def is_of(value: Any, name: str) -> bool:
    """Say whether a value is of a type."""
    return kind(value) == name or (kind(value), name) == ("integer", "number")


def kind(value: Any) -> str:
    """Name the type of a value; 1.0 is an integer, as JSON Schema has it."""
    is_whole = isinstance(value, float) and value.is_integer()
    return "integer" if is_whole else PYTHON[type(value)]


def exact(value: Any) -> str:
    """Spell a value, so that 1 and 1.0 are one, and true and "1" others."""
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value, sort_keys=True)


def matched(
    olds: Iterable[Form], news: Iterable[Form]
) -> tuple[list[tuple[Form, Form]], list[Form], list[Form]]:
    """Pair the forms of then with those of now; what is left over is gone, or has come."""
    gone, come = list(olds), list(news)
    pairs = []
    for alike in ALIKE:
        for old in list(gone):
            new = next((form for form in come if alike(old, form)), None)
            if new:
                pairs.append((old, new))
                gone.remove(old)
                come.remove(new)
    return pairs, gone, come


ALIKE: Final[tuple[Callable[[Form, Form], bool], ...]] = (
    lambda old, new: old.type == new.type and old.key == new.key is not None,
    lambda old, new: old.type == new.type and old.names[-1:] == new.names[-1:] != (),
    lambda old, new: old.type == new.type,
    lambda old, new: "null" not in {old.type, new.type},
)
"""By which likeness two forms are paired, the strongest first."""
