"""Tests that the comparison finds each breaking change between randomly drawn contracts."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any, Final

import jsonschema_rs
import pytest
from compatibility.documents import compare
from compatibility.rules import WORDS
from hypothesis import given
from hypothesis import strategies as st

from tests.support.contract_edits import (
    REFERRED,
    SCHEMAS,
    SCHEMES,
    apply_edit,
    build_contract,
    get_at,
    select_operations,
)
from tests.support.source_code import ROOT
from tests.support.world import Json

WHOLE: Json = json.loads((ROOT / "openapi" / "openapi-3.1.json").read_text("utf-8"))
NAMES = [it["operationId"] for path in WHOLE["paths"].values() for it in path.values()]

MISSING = "missing"
SCALARS: list[Any] = [None, True, 0, 1, 2, 1.5, "", "a", "bb", "ccc"]
LISTS = [list(some) for size in range(3) for some in product([None, 1, "bb"], repeat=size)]
OBJECTS = [
    {name: value for name, value in zip("ab", values, strict=True) if value != MISSING}
    for values in product([MISSING, *SCALARS, ["a"], {"a": 1}, {"b": "bb"}], repeat=2)
]
VALUES = [*SCALARS, *LISTS, *OBJECTS]

few = st.integers(0, 3)


def draw_some(of: st.SearchStrategy[Any], least: int = 1) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, min_size=least, max_size=3, unique=True)


def build_typed(name: str, **keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"type": st.just(name)}, optional=keywords)


def only_with(keyword: str, of: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({keyword: of}, optional={"maxLength": few})


leaves = st.one_of(
    build_typed(
        "string", minLength=few, maxLength=few, enum=draw_some(st.sampled_from(SCALARS[6:]))
    ),
    build_typed("integer", minimum=few, exclusiveMaximum=few, enum=draw_some(few)),
    build_typed("number", maximum=few, exclusiveMinimum=few),
    only_with("const", st.sampled_from(SCALARS)),
    only_with("type", draw_some(st.sampled_from(["string", "integer", "null"]))),
    only_with("$ref", st.sampled_from([f"#{SCHEMAS}/A", f"#{SCHEMAS}/B"])),
)


def objects(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return build_typed(
        "object",
        properties=st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
        required=draw_some(st.sampled_from("ab")),
        additionalProperties=st.just(False) | inner,
    )


def grown(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    members = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        build_typed(
            "array", items=inner, minItems=few, maxItems=few, uniqueItems=st.booleans()
        ),
        objects(inner),
        st.fixed_dictionaries({"anyOf": members}),
        st.fixed_dictionaries({"allOf": members}),
    )


schemas = st.recursive(leaves, grown, max_leaves=5)


@st.composite
def draw_relative(draw: st.DrawFn, schema: Any) -> Any:
    """Draw a schema that is similar to the given schema."""
    if not isinstance(schema, dict) or draw(st.integers(0, 5)) == 0:
        return draw(schemas)
    key = draw(st.sampled_from(sorted(schema)))
    match schema[key]:
        case dict() as inner if key == "properties" and inner:
            name = draw(st.sampled_from(sorted(inner)))
            return schema | {key: inner | {name: draw(draw_relative(inner[name]))}}
        case dict() as inner if key != "properties":
            return schema | {key: draw(draw_relative(inner))}
        case [*inner] if key in {"anyOf", "allOf"}:
            place = draw(st.integers(0, len(inner)))
            other = draw(draw_relative(inner[place] if place < len(inner) else None))
            return schema | {key: [*inner[:place], other, *inner[place + 1 :]]}
        case _ if draw(st.booleans()):
            return {name: value for name, value in schema.items() if name != key}
        case _:
            other = draw(schemas)
            return schema | {name: it for name, it in other.items() if name != "type"}


def list_passing(schema: Any, named: Json) -> set[int]:
    """Return the indices of the values that `jsonschema_rs` finds valid for a schema."""
    whole = {"$ref": "#/root", "root": schema, "components": {"schemas": named}}
    judge = jsonschema_rs.validator_for(whole)
    return {number for number, value in enumerate(VALUES) if judge.is_valid(value)}


def is_open(part: Any) -> bool:
    """Return whether a part contains an object schema without `additionalProperties`."""
    inner = list(part.values()) if isinstance(part, dict) else part
    loose = isinstance(part, dict) and part.get("type") == "object"
    return (loose and "additionalProperties" not in part) or any(
        is_open(each) for each in inner if isinstance(each, dict | list)
    )


@pytest.mark.slow
@given(st.data())
def test_what_passes_does_no_harm(data: st.DataObject) -> None:
    named = {"A": data.draw(objects(leaves)), "B": {"type": "string"}}
    old = data.draw(schemas)
    new = data.draw(draw_relative(old))
    then, now = list_passing(old, named), list_passing(new, named)

    sent = compare(build_contract(old, {}, named), build_contract(new, {}, named))
    read = compare(build_contract({}, old, named), build_contract({}, new, named))

    if not any(change.breaks for change in sent) and not is_open([old, new, named]):
        assert [VALUES[number] for number in then - now] == []
    if not any(change.breaks for change in read):
        assert [VALUES[number] for number in now - then] == []
    if not sent and not read:
        assert then == now
    assert compare(build_contract(old, old, named), build_contract(old, old, named)) == {}


@cache
def part(name: str) -> tuple[Json, list[str]]:
    """Return the part of the contract for one operation, and the places in that part."""
    document = select_operations(WHOLE, {name})
    return document, list(list_places(document, ""))


def list_places(parent: Any, pointer: str) -> Iterator[str]:
    """Yield pointers to the parts whose removal leaves a valid but different contract."""
    inner = parent.items() if isinstance(parent, dict) else enumerate(parent)
    for key, value in inner:
        place = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if place in REPEATED:
            continue
        if is_meaningful(str(key), value, parent, pointer):
            if not is_needed(str(key), pointer):
                yield place
            if isinstance(value, dict | list):
                yield from list_places(value, place)


def list_repeated(schemas: Json) -> Iterator[str]:
    """Yield pointers to parts that a tagged union and its options both contain (ADR 56).

    If one of them requires an object with the tag, the other may omit this requirement.
    """
    for name, schema in schemas.items():
        if not {"discriminator", "oneOf", "properties"} <= schema.keys():
            continue
        tag = schema["discriminator"]["propertyName"]
        yield from (f"{SCHEMAS}/{name}/{key}" for key in ("type", "required", "properties"))
        for option in schema["oneOf"]:
            one = option["$ref"].rpartition("/")[2]
            required = schemas[one]["required"]
            yield from (
                f"{SCHEMAS}/{one}/type",
                f"{SCHEMAS}/{one}/required/{required.index(tag)}",
            )
            if required == [tag]:
                yield f"{SCHEMAS}/{one}/required"


REPEATED: Final = frozenset(list_repeated(WHOLE["components"]["schemas"]))


def is_meaningful(key: str, value: Any, parent: Any, pointer: str) -> bool:
    """Return whether a key in the contract matters to clients.

    For example, a description or a default does not.
    """
    is_a_name = pointer.rpartition("/")[2] in {"properties", "required"}
    words = key in WORDS | {"info"} and not is_a_name
    plain = (key, value) in PLAIN
    implied = key == "type" and ("enum" in parent or "const" in parent)
    return not (words or plain or implied or (key == "tags" and not pointer))


PLAIN: Final[tuple[tuple[str, Any], ...]] = (
    ("required", False),
    ("additionalProperties", True),
    ("security", []),
)
"""Keywords with their default values, which mean the same as no keyword."""


def is_needed(key: str, pointer: str) -> bool:
    """Return whether a key is needed, because the contract would be invalid without it."""
    needed = {"$ref", "in", "name", "propertyName"}
    sections = {f"/components/{kind}" for kind in REFERRED}
    return pointer in {"", "/components", SCHEMES} | sections or key in needed


@pytest.mark.slow
@given(st.data())
def test_nothing_goes_unseen(data: st.DataObject) -> None:
    document, there = part(data.draw(st.sampled_from(NAMES)))
    place = data.draw(st.sampled_from(there))
    without = json.loads(json.dumps(document))
    apply_edit(without, "drop", place)

    gone, come = compare(document, without), compare(without, document)

    assert gone, place
    assert come, place
    places = {change.where for change in (*gone, *come)}
    assert [
        p for p in places if get_at(document, p) is None and get_at(without, p) is None
    ] == []
