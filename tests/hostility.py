"""What a hostile world sends: read off the contract, so that no operation is forgotten.

Requests go to the application itself, without a client that would mend or refuse them.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from tests.world import Json, Someone, World, closing, done, promise

CANARY: Final = "Zqxvkjwbhf"
"""Stands in every text that is sent, and in no answer."""
PROBLEM: Final = "application/problem+json"
WRITES: Final = {"post", "put", "patch", "delete"}
SAFE: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
KEYED: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Operation:
    """An operation of the contract."""

    method: str
    path: str
    told: Json = field(hash=False)
    schemas: Json = field(hash=False)

    @property
    def name(self) -> str:
        return str(self.told["operationId"])

    @property
    def takes(self) -> Json | None:
        """The schema of its body, if it takes one."""
        content = self.told.get("requestBody", {}).get("content", {})
        return content["application/json"]["schema"] if content else None

    def names(self, place: str) -> list[str]:
        """Name its parameters of one place: path, query or header."""
        return [p["name"] for p in self.told.get("parameters", []) if p["in"] == place]


def operations(document: Json) -> list[Operation]:
    """List every operation of a contract."""
    schemas = document["components"]["schemas"]
    return [
        Operation(method.upper(), path, told, schemas)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


def writes(document: Json) -> list[Operation]:
    return [one for one in operations(document) if one.method.lower() in WRITES]


@dataclass(frozen=True)
class Answer:
    """What came back, byte for byte."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes

    def __getitem__(self, name: str) -> str | None:
        [*found] = [v for n, v in self.headers if n.lower() == name.lower().encode()]
        return found[0].decode() if found else None

    def json(self) -> Json:
        return dict(json.loads(self.content))


type Headers = dict[str, str | bytes]


@dataclass
class Wire:
    """Speaks to the application as a server does, whatever is to be said."""

    world: World
    runner: asyncio.Runner

    def send(
        self,
        method: str,
        target: str | bytes,
        headers: Headers | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send what no client would; the target is not escaped any further."""
        raw = target if isinstance(target, bytes) else target.encode()
        return self.runner.run(self.exchange(method, raw, headers or {}, body))

    async def exchange(
        self, method: str, target: bytes, headers: Headers, body: bytes
    ) -> Answer:
        path, _, query = target.partition(b"?")
        sent: list[Json] = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unescaped(path),
            "raw_path": path,
            "root_path": "",
            "query_string": query,
            "headers": [(n.lower().encode(), raw_of(v)) for n, v in headers.items()],
            "client": ("192.0.2.1", 4711),
            "server": ("127.0.0.1", 80),
        }

        async def keep(message: Json) -> None:
            sent.append(message)

        await self.world.app(scope, pieces_of(body), keep)  # type: ignore[arg-type]
        start = sent[0]
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(start["status"], list(start["headers"]), content)


def pieces_of(body: bytes) -> Any:
    """Hand a body over in pieces, and then be gone."""
    pieces = [body[n : n + 100_000] for n in range(0, len(body), 100_000)] or [b""]
    last = len(pieces) - 1
    said = iter(
        [
            {"type": "http.request", "body": piece, "more_body": number < last}
            for number, piece in enumerate(pieces)
        ]
    )

    async def receive() -> Json:
        return next(said, {"type": "http.disconnect"})

    return receive


def unescaped(path: bytes) -> str:
    """Unescape a path as servers do."""
    whole = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), path)
    return whole.decode("utf-8", "replace")


def raw_of(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


@contextmanager
def wired(world: World) -> Iterator[Wire]:
    """Keep one event loop for many requests."""
    with asyncio.Runner() as runner:
        yield Wire(world, runner)


def flaws(answer: Answer) -> list[str]:
    """Say what is wrong with the answer to something hostile; nothing, if it is well."""
    found = [n for n, value in SAFE.items() if answer[n] != value]
    told = b"".join(name + value for name, value in answer.headers)
    told += answer.content if answer.status >= 400 else b""
    if answer.status >= 500:
        found.append(f"answered {answer.status}")
    if any(word in told for word in (CANARY.encode(), b"Traceback", b"SELECT", b"sqlite")):
        found.append("repeats what was sent, or how we work")
    if any(set(value) & set(b"\r\n\0") for _, value in answer.headers):
        found.append("a header that breaks")
    if answer["access-control-allow-origin"] or answer["set-cookie"]:
        found.append("a header that is not ours")
    return found + (flaws_of_problem(answer) if answer.status >= 400 else [])


def flaws_of_problem(answer: Answer) -> list[str]:
    if answer["content-type"] != PROBLEM:
        return [f"an error of {answer['content-type']}"]
    told = answer.json()
    wanted = {"type", "title", "status", "detail", "instance"}
    whole = wanted <= told.keys() and told["status"] == answer.status
    named = told.get("instance") == f"urn:uuid:{answer['x-request-id']}"
    return [] if whole and named else ["not a whole problem"]


@dataclass
class Stage:
    """People at work, and what they could be asked about."""

    people: list[Someone]
    ids: dict[str, list[str]]


def set_up(world: World) -> Stage:
    """Bring one of everything about."""
    officer, lead = world.someone("UZ_CONSULATE_ALMATY"), world.someone("KZ_LEAD")
    shelter = world.someone("KZ_SHELTER_KOGERSHIN")
    draft, sent, led = done(officer.writes_case()), officer.submits(), officer.submits()
    lead.leads(led)
    housed = done(lead.refers(led, shelter.code))
    done(shelter.does("acknowledge", housed))
    done(shelter.does("accept", housed, promise()))
    drafted = done(lead.refers(led, "KZ_LEGAL_AID", service="LEGAL_AID", send=False))
    ending = officer.submits()
    lead.leads(ending)
    asked = done(lead.does("close", ending, closing()))
    consents = done(officer.get(f"/cases/{led['code']}/consents"))["items"]
    ids = {
        "code": [case["code"] for case in (draft, sent, led, ending)],
        "referral_id": [housed["id"], drafted["id"]],
        "consent_id": [consent["id"] for consent in consents],
        "approval_id": [asked["id"]],
        "section": ["needs", "identity"],
        "focal_point": ["KZ_LEAD"],
        "agreement": ["KZ_UZ_DEMO"],
        "country": ["KZ"],
        "of": ["KZ"],
        "clock": ["acknowledge"],
        "priority": ["normal"],
    }
    return Stage([officer, lead, shelter], ids)


NOWHERE: Final = "00000000-0000-4000-8000-000000000000"


def place(operation: Operation, stage: Stage, choose: int = 0) -> str:
    """Fill a path with ids of what is there."""

    def pick(match: re.Match[str]) -> str:
        known = stage.ids.get(match[1], [NOWHERE])
        return known[choose % len(known)]

    return KEYED.sub(pick, operation.path)


def spoken(operation: Operation, one: Someone, key: str) -> Headers:
    """Say all that an operation asks for beside a body."""
    said: Headers = {
        "If-Match": ", ".join(f'"{version}.0123456789abcdef"' for version in range(1, 9)),
        "Idempotency-Key": key,
        "Purpose": "assistance",
    }
    asked = operation.names("header")
    return {
        "Authorization": f"Bearer {one.key}",
        "Content-Type": "application/json",
        **{name: value for name, value in said.items() if name in asked},
    }


def bodies(operation: Operation) -> st.SearchStrategy[Any]:
    """Make bodies that an operation takes, as far as its schema says."""
    return valid(operation.takes or {}, operation.schemas)


TEXTS: Final = st.text(st.characters(codec="utf-8"), max_size=20).map(lambda t: CANARY + t)
FORMATS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "date": st.sampled_from(["2026-06-01", "1900-01-02", "9999-12-31"]),
    "date-time": st.sampled_from(
        ["2026-06-02T09:00:00+05:00", "2099-12-31T23:59:59.999999Z"]
    ),
    "uuid": st.uuids().map(str),
}


def valid(schema: Json, schemas: Json) -> st.SearchStrategy[Any]:
    """Make values of a schema, with the canary in each free text."""
    if "$ref" in schema:
        return valid(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return st.one_of([valid(part, schemas) for part in schema[choice]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    kinds = schema.get("type", "string")
    known = [kinds] if isinstance(kinds, str) else kinds
    return st.one_of([of_kind(kind, schema, schemas) for kind in known])


def of_kind(kind: str, schema: Json, schemas: Json) -> st.SearchStrategy[Any]:
    if kind == "object":
        return objects(schema, schemas)
    if kind == "array":
        inner, least = valid(schema.get("items", {}), schemas), schema.get("minItems", 0)
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


def objects(schema: Json, schemas: Json) -> st.SearchStrategy[Json]:
    made = {n: valid(part, schemas) for n, part in schema.get("properties", {}).items()}
    needed = {name: made[name] for name in schema.get("required", [])}
    rest = {name: strategy for name, strategy in made.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=rest)


AWKWARD: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1.5, 2**63, -(2**63) - 1, 10**400, float("nan"), float("-inf")),
    *("", " ", CANARY, CANARY * 2000, f"{CANARY}\0", f"{CANARY}\u202e", "\ud800", "\u200d"),
    *([], {}, [CANARY], {CANARY: CANARY}, [[[[[CANARY]]]]], "2026-02-30", "9999-12-31"),
    *("0001-01-01T00:00:00+23:59", "KZ_LEAD", "KZ", "\u0416" * 40, f"{CANARY}' OR 1=1; --"),
)
JUNK: Final[st.SearchStrategy[Any]] = st.recursive(
    st.sampled_from(AWKWARD) | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3).map(lambda t: CANARY + t), inner, max_size=3)
    ),
    max_leaves=6,
)


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Find every place in a body, itself included."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from spots(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from spots(inner, (*path, number))


def put(value: Any, path: tuple[Any, ...], what: Any) -> Any:
    """Put something into a body, in place of what was there."""
    if not path:
        return what
    first, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[first] = put(copy[first], tuple(rest), what)
    return copy


def leave_out(value: Any, path: tuple[Any, ...]) -> Any:
    first, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        copy[first] = leave_out(copy[first], tuple(rest))
    else:
        del copy[first]
    return copy


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[Any]) -> list[Any]:
    """Make a body, and five that differ from it in one to three places."""
    body, more = draw(whole), draw(st.lists(JUNK, min_size=1, max_size=3))
    chance = Random(draw(st.integers(0, 2**32)))
    return [body, *(damage(body, chance, [*more, *AWKWARD]) for _ in range(5))]


def damage(body: Any, chance: Random, junk: list[Any]) -> Any:
    """Put in, leave out, and add what was not asked for."""
    for _ in range(chance.randint(1, 3)):
        where, what = chance.choice(list(spots(body))), chance.choice(junk)
        match chance.choice(["put", "put", "leave out", "add"]):
            case "leave out" if where:
                body = leave_out(body, where)
            case "add" if isinstance(at(body, where), dict):
                body = put(
                    body, where, at(body, where) | {f"{CANARY}{chance.random()}": what}
                )
            case _:
                body = put(body, where, what)
    return body


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def written(body: Any) -> bytes:
    """Write a body as it is, whatever JSON thinks of it."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def hostile_bodies(whole: Json) -> dict[str, bytes]:
    """Say in every way what must be refused (ASSURANCE.md M1), from what is valid."""
    plain = json.dumps(whole)
    said = partial(inside, plain)
    return {
        "unknown field": said(f'"{CANARY}": 1'),
        "integer beyond the database": said(f'"{CANARY}": 9223372036854775808'),
        "integer of 5000 digits": said(f'"{CANARY}": {"9" * 5000}'),
        "NUL": said(f'"x": "{CANARY}\\u0000"'),
        "lone surrogate": said(f'"x": "{CANARY}\\ud800"'),
        "lone surrogate as a key": said(f'"{CANARY}\\ud800": 1'),
        "NaN": said(f'"{CANARY}": NaN'),
        "Infinity": said(f'"{CANARY}": -Infinity'),
        "bidi override": said(f'"x": "{CANARY}\\u202e"'),
        "duplicate key": said(f'"{CANARY}": 1, "{CANARY}": 2'),
        "duplicate key, escaped": said(f'"{CANARY}": 1, "\\u005a{CANARY[1:]}": 2'),
        "deep arrays": b"[" * 100_000 + b"]" * 100_000,
        "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        "deep within": said(f'"{CANARY}": {"[" * 200 + "]" * 200}'),
        "invalid UTF-8": said(f'"x": "{CANARY}"').replace(CANARY.encode(), b"\xff\xfe"),
        "overlong UTF-8": said(f'"x": "{CANARY}"').replace(b"Zq", b"\xc0\x80"),
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


def inside(plain: str, more: str) -> bytes:
    """Write something more into an object."""
    comma = ", " if plain != "{}" else ""
    return f"{plain[:-1]}{comma}{more}}}".encode("utf-8", "surrogatepass")
