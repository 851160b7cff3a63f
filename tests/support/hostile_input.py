"""Hostile input for every operation in the contract."""

import json
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.raw_requests import JSON, Answer, Operation
from tests.support.world import Json

MANY: Final = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CANARY: Final = "Zqxvkjwbhf"
"""A word in most texts that are sent; no header and no error response may contain it."""
BIG: Final = 2**63
"""A number that no column can store."""
TELLING: Final = (
    CANARY.encode(),
    str(BIG).encode(),
    "\u0416\u0416".encode(),
    b"Traceback",
    b"SELECT",
    b"sqlite",
    b"psycopg",
)
PROBLEM: Final = "application/problem+json"
REVALIDATE: Final = "private, no-cache"
CACHEABLE: Final = "/v1/reference"
"""The start of the paths with texts that are the same for every office."""
SAFE: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def find_flaws(answer: Answer, *, cacheable: bool = False) -> list[str]:
    """Return the flaws of the response to a hostile request.

    `cacheable` means that the operation returns texts that are the same for every office.
    """
    kept = cacheable and answer.status < 400
    safe = SAFE | ({"cache-control": REVALIDATE} if kept else {})
    found = [n for n, value in safe.items() if answer[n] != value]
    headers = b"".join(name + value for name, value in answer.headers)
    headers += answer.content if answer.status >= 400 else b""
    if answer.status >= 500:
        found.append(f"answered {answer.status}")
    if any(word in headers for word in TELLING):
        found.append("repeats what was sent, or how we work")
    if any(set(value) & set(b"\r\n\0") for _, value in answer.headers):
        found.append("a header that breaks")
    if answer["access-control-allow-origin"] or answer["set-cookie"]:
        found.append("a header that is not ours")
    return found + (find_problem_flaws(answer) if answer.status >= 400 else [])


def find_problem_flaws(answer: Answer) -> list[str]:
    # operation_calls.py checks that the contract lists an OAuth error response.
    if answer["content-type"] == JSON:
        body, wanted = answer.parse_json(), {"error", "error_description"}
        return [] if body.keys() == wanted else ["not what OAuth says of an error"]
    if answer["content-type"] != PROBLEM:
        return [f"an error of {answer['content-type']}"]
    body = answer.parse_json()
    wanted = {"type", "title", "status", "detail", "instance"}
    whole = wanted <= body.keys() and body["status"] == answer.status
    named = body.get("instance") == f"urn:uuid:{answer['x-request-id']}"
    return [] if whole and named else ["not a whole problem"]


def make_bodies(operation: Operation) -> st.SearchStrategy[Any]:
    """Return a strategy for bodies that fit the schema of an operation."""
    return make_values(operation.body_schema or {}, operation.schemas)


TEXTS: Final = st.text(st.characters(codec="utf-8"), max_size=20).map(lambda t: CANARY + t)
FORMATS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "date": st.sampled_from(["2026-06-01", "1900-01-02", "9999-12-31"]),
    "date-time": st.sampled_from(
        ["2026-06-02T09:00:00+05:00", "2099-12-31T23:59:59.999999Z"]
    ),
    "uuid": st.uuids().map(str),
}


def make_values(schema: Json, schemas: Json) -> st.SearchStrategy[Any]:
    """Return a strategy for values that fit a schema, with a marker in all free text."""
    if "$ref" in schema:
        return make_values(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return st.one_of([make_values(part, schemas) for part in schema[choice]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    kinds = schema.get("type", "string")
    known = [kinds] if isinstance(kinds, str) else kinds
    return st.one_of([make_values_of_type(kind, schema, schemas) for kind in known])


def make_values_of_type(kind: str, schema: Json, schemas: Json) -> st.SearchStrategy[Any]:
    if kind == "object":
        return make_objects(schema, schemas)
    if kind == "array":
        inner, least = (
            make_values(schema.get("items", {}), schemas),
            schema.get("minItems", 0),
        )
        return st.lists(inner, min_size=least, max_size=max(least, 2))
    if kind == "string":
        form = schema.get("pattern")
        known = FORMATS.get(schema.get("format", ""), TEXTS)
        return st.from_regex(form, fullmatch=True) if form else known
    return PLAIN[kind]


PLAIN: Final[dict[str, st.SearchStrategy[Any]]] = {
    "boolean": st.booleans(),
    "integer": st.integers(1, 3),
    "number": st.floats(0, 1),
    "null": st.none(),
}


def make_objects(schema: Json, schemas: Json) -> st.SearchStrategy[Json]:
    made = {
        n: make_values(part, schemas) for n, part in schema.get("properties", {}).items()
    }
    needed = {name: made[name] for name in schema.get("required", [])}
    rest = {name: strategy for name, strategy in made.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=rest)


AWKWARD: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    1.5,
    BIG,
    -BIG - 1,
    10**400,
    float("nan"),
    float("-inf"),
    "",
    " ",
    CANARY,
    CANARY * 2000,
    f"{CANARY}\0",
    f"{CANARY}\u202e",
    "\ud800",
    "\u200d",
    [],
    {},
    [CANARY],
    {CANARY: CANARY},
    [[[[[CANARY]]]]],
    "2026-02-30",
    "9999-12-31",
    "0001-01-01T00:00:00+23:59",
    "KZ_LEAD",
    "KZ",
    "\u0416" * 40,
    f"{CANARY}' OR 1=1; --",
)
JUNK: Final[st.SearchStrategy[Any]] = st.recursive(
    st.sampled_from(AWKWARD) | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3).map(lambda t: CANARY + t), inner, max_size=3)
    ),
    max_leaves=6,
)


def list_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a body, including the body itself."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from list_places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from list_places(inner, (*path, number))


def replace_at(value: Any, path: tuple[Any, ...], what: Any) -> Any:
    """Return a copy of a body in which the value at a path is replaced."""
    if not path:
        return what
    first, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[first] = replace_at(copy[first], tuple(rest), what)
    return copy


def remove_at(value: Any, path: tuple[Any, ...]) -> Any:
    first, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        copy[first] = remove_at(copy[first], tuple(rest))
    else:
        del copy[first]
    return copy


def mutate(body: Any, chance: Random, junk: list[Any]) -> Any:
    """Return a body with values replaced, left out or added at random."""
    for _ in range(chance.randint(1, 3)):
        where, what = chance.choice(list(list_places(body))), chance.choice(junk)
        match chance.choice(["put", "put", "leave out", "add"]):
            case "leave out" if where:
                body = remove_at(body, where)
            case "add" if isinstance(get_at(body, where), dict):
                body = replace_at(
                    body, where, get_at(body, where) | {f"{CANARY}{chance.random()}": what}
                )
            case _:
                body = replace_at(body, where, what)
    return body


def get_at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


class Enough(Exception):  # noqa: N818 - it is no error
    """The exception that stops Hypothesis when it has drawn enough bodies."""


def draw_bodies(whole: st.SearchStrategy[Any], number: int) -> list[bytes]:
    """Return different bodies: valid, damaged and garbled ones, and other JSON.

    Hypothesis generates the valid bodies and the wrong values. A separate random generator
    chooses where a wrong value is put, because Hypothesis often repeated whole bodies.
    """
    found: dict[bytes, None] = {}
    chance = Random(number)

    @settings(MANY, max_examples=number)
    @given(whole, st.lists(JUNK, min_size=1, max_size=6))
    def make(body: Any, junk: list[Any]) -> None:
        some = [mutate(body, chance, [*junk, *AWKWARD]) for _ in range(6)]
        found.update(dict.fromkeys(map(encode_json, (body, *junk, *some))))
        found.update(
            dict.fromkeys(mutate_bytes(encode_json(one), chance) for one in some[:2])
        )
        if len(found) >= number:
            raise Enough

    with suppress(Enough):
        make()
    return list(found)[:number]


def mutate_bytes(raw: bytes, chance: Random) -> bytes:
    """Replace a random, possibly empty part of a text by up to three random bytes."""
    start = chance.randrange(len(raw) + 1)
    end = start + chance.choice([0, 0, 1, 5, len(raw)])
    return raw[:start] + chance.randbytes(chance.randint(0, 3)) + raw[end:]


def encode_json(body: Any) -> bytes:
    """Encode a body as JSON, even if the body contains lone surrogates."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def list_hostile_bodies(whole: Json) -> dict[str, bytes]:
    """Return bodies that must be refused (ASSURANCE.md M1), made from a valid body."""
    plain = json.dumps(whole)
    build = partial(insert_inside, plain)
    return {
        "unknown field": build(f'"{CANARY}": 1'),
        "integer beyond the database": build(f'"{CANARY}": 9223372036854775808'),
        "integer of 5000 digits": build(f'"{CANARY}": {"9" * 5000}'),
        "NUL": build(f'"x": "{CANARY}\\u0000"'),
        "lone surrogate": build(f'"x": "{CANARY}\\ud800"'),
        "lone surrogate as a key": build(f'"{CANARY}\\ud800": 1'),
        "NaN": build(f'"{CANARY}": NaN'),
        "Infinity": build(f'"{CANARY}": -Infinity'),
        "bidi override": build(f'"x": "{CANARY}\\u202e"'),
        "duplicate key": build(f'"{CANARY}": 1, "{CANARY}": 2'),
        "duplicate key, escaped": build(f'"{CANARY}": 1, "\\u005a{CANARY[1:]}": 2'),
        "deep arrays": b"[" * 100_000 + b"]" * 100_000,
        "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        "deep within": build(f'"{CANARY}": {"[" * 200 + "]" * 200}'),
        "invalid UTF-8": build(f'"x": "{CANARY}"').replace(CANARY.encode(), b"\xff\xfe"),
        "overlong UTF-8": build(f'"x": "{CANARY}"').replace(b"Zq", b"\xc0\x80"),
        "UTF-16": plain.encode("utf-16"),
        "UTF-16 without a mark": plain.encode("utf-16-be"),
        "UTF-32": plain.encode("utf-32"),
        "byte order mark": b"\xef\xbb\xbf" + plain.encode(),
        "an array": f'["{CANARY}"]'.encode(),
        "an array of it": f"[{plain}]".encode(),
        "a text": f'"{CANARY}"'.encode(),
        "it in a text": json.dumps(plain).encode(),
        "a number": b"7",
        "null": b"null",
        "twice": f"{plain}{plain}".encode(),
        "with a comment": f"{plain}// {CANARY}".encode(),
        "cut off": plain.encode()[:-1],
        "more than 256 KiB": b" " * 262_144 + plain.encode(),
    }


HERE: Final = "<here>"
VALUES: Final[dict[str, str]] = {
    "integer beyond the database": "9223372036854775808",
    "integer of 5000 digits": "9" * 5000,
    "NUL": f'"{CANARY}\\u0000"',
    "lone surrogate": f'"{CANARY}\\ud800"',
    "bidi override": f'"{CANARY}\\u202e"',
    "NaN": "NaN",
    "more than any text": f'"{CANARY * 1000}"',
    "deep arrays": "[" * 200 + "]" * 200,
    "duplicate key": f'{{"{CANARY}": 1, "{CANARY}": 1}}',
}


def list_hostile_values(whole: Json, only: Collection[str] = VALUES) -> dict[str, bytes]:
    """Return bodies in each of which one valid value is replaced by a hostile value."""
    leaves = [path for path in list_places(whole) if path and is_leaf(get_at(whole, path))]
    marked = {path: json.dumps(replace_at(whole, path, HERE)) for path in leaves}
    return {
        f"{name} at {path}": text.replace(f'"{HERE}"', VALUES[name]).encode()
        for path, text in marked.items()
        for name in only
    }


def is_leaf(value: Any) -> bool:
    """Return whether a value contains no other values."""
    return not value or not isinstance(value, dict | list)


def insert_inside(plain: str, more: str) -> bytes:
    """Insert text at the end of a JSON object, and return the object as bytes."""
    comma = ", " if plain != "{}" else ""
    return f"{plain[:-1]}{comma}{more}}}".encode("utf-8", "surrogatepass")
