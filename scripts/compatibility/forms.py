"""Schemas, each as a list of the forms that a value may have.

References, unions and nulls are resolved, so that these are equal: `anyOf` of a named
schema and null, a list of types with null, and an enum that contains null. Each form has
one type, and the places of all schemas that constrain it.
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
    """A form of a value: its schemas, type (None for any), names and discriminator."""

    parts: Node
    type: str | None = None
    names: tuple[str, ...] = ()
    key: str | None = None

    def find_keyword(self, keyword: str) -> list[Place]:
        """Return the place of a keyword in each schema of the form that has the keyword."""
        return [part.get(keyword) for part in self.parts if keyword in part.value]

    def get_values(self, keyword: str) -> list[Any]:
        """Return the value of a keyword in each schema of the form that has the keyword."""
        return [place.value for place in self.find_keyword(keyword)]

    def get_label(self) -> str:
        """Return a name of the form for use in messages."""
        return self.names[-1].rpartition("/")[2] if self.names else self.type or "anything"


def list_forms(node: Node) -> list[Form]:
    """Return the forms that a value of a schema may have."""
    branches = join_forms([resolve_forms(place, frozenset()) for place in node])
    return list(
        dict.fromkeys(form for branch in branches for form in split_by_type(branch))
    )


def resolve_forms(place: Place, seen: frozenset[str]) -> list[Form]:
    """Return the forms of a schema. Recursion stops at a place that `seen` contains."""
    if place.value is True:
        return [Form((replace(place, value=YES),))]
    if place.value is False or place.pointer in seen:
        return []
    seen |= {place.pointer}
    factors = [[Form((place,))]]
    if "$ref" in place.value:
        ref = place.value["$ref"]
        found = resolve_forms(place.resolve_ref(), seen)
        factors.append([replace(form, names=(ref, *form.names)) for form in found])
    factors.extend(resolve_forms(part, seen) for part in place.list_items("allOf"))
    factors.extend(
        [
            replace(form, key=key or form.key)
            for part, key in list_members(place, union)
            for form in resolve_forms(part, seen)
        ]
        for union in ("anyOf", "oneOf")
        if union in place.value
    )
    return join_forms(factors)


def list_members(place: Place, union: str) -> Iterator[tuple[Place, str | None]]:
    """Yield each member of a union, once for each discriminator value that selects it."""
    mapping = place.get("discriminator", {}).get("mapping", {}).value
    for part in place.list_items(union):
        ref = part.value.get("$ref") if isinstance(part.value, dict) else None
        keys = [key for key, target in mapping.items() if target == ref]
        yield from ((part, key) for key in keys or [None])


def join_forms(factors: list[list[Form]]) -> list[Form]:
    """Return every combination with one form from each list."""
    return [
        Form(
            parts=tuple(dict.fromkeys(part for form in chosen for part in form.parts)),
            names=tuple(dict.fromkeys(name for form in chosen for name in form.names)),
            key=next((form.key for form in chosen if form.key), None),
        )
        for chosen in product(*factors)
    ]


def split_by_type(form: Form) -> Iterator[Form]:
    """Yield a copy of the form for each type that has values."""
    listed = get_listed_values(form)
    types = get_types(form)
    if types is None:
        types = (
            None
            if listed is None
            else normalize_types({get_type(value) for value in listed})
        )
    if types is None:
        yield form
        return
    for name in TYPES:
        if name in types and (
            listed is None or any(is_of_type(value, name) for value in listed)
        ):
            yield replace(form, type=name)


def get_types(form: Form) -> set[str] | None:
    """Return the types that all schemas of a form accept, or None for any type."""
    found: set[str] | None = None
    for value in form.get_values("type"):
        types = {value} if isinstance(value, str) else set(value)
        types |= {"integer"} if "number" in types else set()
        found = types if found is None else found & types
    return found if found is None else normalize_types(found)


def normalize_types(types: set[str]) -> set[str]:
    """Return the types without `integer` if `number`, which includes it, is there."""
    return types - {"integer"} if "number" in types else types


def get_listed_values(form: Form) -> list[Any] | None:
    """Return the values that all schemas of a form list.

    Return None if no schema lists values, or if every value of the type is listed.
    """
    lists = [*form.get_values("enum"), *([value] for value in form.get_values("const"))]
    if not lists:
        return None
    kept = {encode_exactly(value): value for value in lists[0]}
    for others in lists[1:]:
        kept = {key: kept[key] for key in kept if key in set(map(encode_exactly, others))}
    found = [
        value for value in kept.values() if not form.type or is_of_type(value, form.type)
    ]
    return None if len(found) == ALL.get(form.type) else found


def is_of_type(value: Any, name: str) -> bool:
    """Return whether a value has a type."""
    return get_type(value) == name or (get_type(value), name) == ("integer", "number")


def get_type(value: Any) -> str:
    """Return the JSON Schema type of a value. 1.0 is an integer, as in JSON Schema."""
    is_whole = isinstance(value, float) and value.is_integer()
    return "integer" if is_whole else PYTHON[type(value)]


def encode_exactly(value: Any) -> str:
    """Return a value as JSON text; 1 and 1.0 are equal, but true and "1" are not."""
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value, sort_keys=True)


def match_forms(
    olds: Iterable[Form], news: Iterable[Form]
) -> tuple[list[tuple[Form, Form]], list[Form], list[Form]]:
    """Return pairs of matching forms, the forms without a match, and the added forms."""
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
"""The conditions by which two forms are paired, the strongest first."""
