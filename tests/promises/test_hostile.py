"""Input from a hostile world: always a problem, never ours, and never repeated (R67-R74).

Every operation that the contract names is tried, and every write with a thousand bodies.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Final

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from tests.bodies import BODIES as KNOWN
from tests.databases import Copy
from tests.hostility import (
    CANARY,
    JUNK,
    Answer,
    Operation,
    Stage,
    Wire,
    bodies,
    damaged,
    flaws,
    hostile_bodies,
    operations,
    place,
    set_up,
    spoken,
    wired,
    writes,
    written,
)
from tests.serving import ROOT, times
from tests.world import World

pytestmark = pytest.mark.slow
DOCUMENT: Final = json.loads((ROOT / "openapi" / "openapi-3.1.json").read_text("utf-8"))
"""As it is committed: another test compares that with what is served."""
ALL: Final = operations(DOCUMENT)
WRITES: Final = writes(DOCUMENT)
TAKING: Final = [one for one in WRITES if one.takes]
EACH: Final = 7
"""Bodies an example is made of: one that is whole, five like it, and any JSON at all."""
BODIES: Final = 15_000
"""For all operations together, however many there are; a soak takes 20,000 of each."""
MANY: Final = settings(
    max_examples=times(BODIES // EACH // len(TAKING), soak=20_000 // EACH),
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
ONE: Final = settings(MANY, max_examples=500, phases=[Phase.generate])
NUMBERS: Final = count()


def named(one: Operation) -> str:
    return one.name


@pytest.fixture(scope="module")
def wire(copy: Copy, app: FastAPI) -> Iterator[Wire]:
    """Open one world for all that is sent here."""
    with copy() as url:
        world = World(url, app)
        with wired(world) as made:
            yield made
        world.closes()


@pytest.fixture(scope="module")
def stage(wire: Wire) -> Stage:
    return set_up(wire.world)


def ask(  # noqa: PLR0913, PLR0917 - what is sent, by whom, and how
    wire: Wire,
    stage: Stage,
    operation: Operation,
    body: bytes = b"",
    choose: int = 0,
    headers: Mapping[str, str | bytes | None] | None = None,
) -> Answer:
    """Do as the operation asks, but for what is given; None leaves a header out."""
    one = stage.people[choose % len(stage.people)]
    said = {**spoken(operation, one, f"k{next(NUMBERS)}"), **(headers or {})}
    kept = {name: value for name, value in said.items() if value is not None}
    return wire.send(operation.method, place(operation, stage, choose), kept, body)


def is_malformed(answer: Answer) -> bool:
    """Say whether the shape was refused, before anything was judged."""
    refused = {f"/problems/{name}" for name in ("request-invalid", "json-refused")}
    return answer.status >= 400 and answer.json()["type"] in refused


def whole_body(wire: Wire, stage: Stage, operation: Operation) -> Any:
    """Take the body we know, or find one whose shape the operation takes; once for all."""
    if not operation.takes:
        return {}

    def fits(body: Any) -> bool:
        return not is_malformed(ask(wire, stage, operation, written(body)))

    if operation.name not in WHOLE:
        known = KNOWN.get(operation.name)
        fitting = known is not None and fits(known)
        found = known if fitting else find(bodies(operation), fits, settings=ONE)
        WHOLE[operation.name] = found
    return WHOLE[operation.name]


WHOLE: Final[dict[str, Any]] = {}
"""The shape of a body does not depend on the database."""


def test_no_write_is_forgotten(wire: Wire) -> None:
    served = wire.send("GET", "/openapi.json").json()

    assert {one.name for one in writes(served)} == {one.name for one in WRITES}
    assert {one.method for one in WRITES} >= {"POST", "PUT", "PATCH"}
    assert len(WRITES) > len(TAKING) > 15


@pytest.mark.parametrize("operation", WRITES, ids=named)
def test_a_hostile_body_is_refused(operation: Operation, wire: Wire, stage: Stage) -> None:
    whole = whole_body(wire, stage, operation)

    for name, body in hostile_bodies(whole).items():
        answer = ask(wire, stage, operation, body)
        assert flaws(answer) == [], (name, answer)
        assert answer.status in {413, 422}, (name, answer)


@pytest.mark.parametrize("operation", TAKING, ids=named)
def test_no_body_is_no_request(operation: Operation, wire: Wire, stage: Stage) -> None:
    for body in (b"", b"   ", b"\r\n", b"\0"):
        answer = ask(wire, stage, operation, body)
        assert flaws(answer) == []
        assert answer.status == 422, (body, answer)


@pytest.mark.parametrize("operation", TAKING, ids=named)
def test_what_is_not_said_to_be_json_is_not_read(
    operation: Operation, wire: Wire, stage: Stage
) -> None:
    body = written(whole_body(wire, stage, operation))
    said = [(body, "Content-Type", kind) for kind in KINDS]
    said += [(body, "Content-Encoding", how) for how in ("gzip", "br", "gzip, identity")]
    said.append((gzip.compress(body), "Content-Encoding", "gzip"))
    said.append((zlib.compress(body), "Content-Encoding", "deflate"))

    for sent, name, value in said:
        answer = ask(wire, stage, operation, sent, headers={name: value})
        assert flaws(answer) == [], (name, value, answer)
        assert answer.status == 415, (name, value, answer)


KINDS: Final[tuple[str | None, ...]] = (
    *(None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"),
    *("application/xml", "text/json", "application/jsonx", "evilapplication/json"),
    *("application/json; charset=utf-16", "application/json;charset=latin-1"),
    *('application/json; charset="utf-7"', CANARY, "application/json, text/plain", "*/*"),
)


@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", "APPLICATION/JSON"])
def test_json_is_said_in_more_than_one_way(kind: str, wire: Wire, stage: Stage) -> None:
    for operation in TAKING:
        body = written(whole_body(wire, stage, operation))
        assert (
            ask(wire, stage, operation, body, headers={"Content-Type": kind}).status != 415
        )


@pytest.mark.parametrize("operation", TAKING, ids=named)
def test_a_thousand_bodies_do_no_harm(
    operation: Operation, wire: Wire, stage: Stage
) -> None:
    @MANY
    @given(some=damaged(bodies(operation)), any_json=JUNK, choose=st.integers(0, 11))
    def judged(some: list[Any], any_json: Any, choose: int) -> None:
        for body in (*some, any_json):
            answer = ask(wire, stage, operation, written(body), choose)
            assert flaws(answer) == [], answer

    judged()


@pytest.mark.parametrize("operation", TAKING, ids=named)
def test_bytes_that_are_not_even_json_do_no_harm(
    operation: Operation, wire: Wire, stage: Stage
) -> None:
    @settings(MANY, max_examples=times(50, soak=2000))
    @given(body=st.binary(min_size=1, max_size=60) | st.text(max_size=40).map(utf_8))
    def judged(body: bytes) -> None:
        answer = ask(wire, stage, operation, CANARY.encode() + body)
        assert flaws(answer) == [], answer
        assert answer.status == 422

    judged()


def utf_8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


WORDS: Final[tuple[str | bytes, ...]] = (
    *("", " ", CANARY, f"{CANARY}\r\nSet-Cookie: a=b", f"{CANARY}\n", f"{CANARY}\0"),
    *(
        f"{CANARY}' OR 1=1; DROP TABLE case; --",
        f'{CANARY}"',
        f"{CANARY}\u202e",
        "\u0416" * 90,
    ),
    *(
        CANARY.encode() + b"\xff\xfe",
        CANARY * 399,
        "9" * 400,
        '"' * 400,
        "*, *",
        "${jndi:x}",
    ),
    *("../" * 90, "%00", "\ufeff", "1e999", "-1", "null", "[]", "{}"),
)
UNDECLARED: Final = (
    *(
        "Accept",
        "Accept-Language",
        "Accept-Encoding",
        "Cookie",
        "Host",
        "Origin",
        "Referer",
    ),
    *("If-None-Match", "If-Modified-Since", "Range", "Expect", "Content-Length", "Prefer"),
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-IP"),
    *(
        "X-HTTP-Method-Override",
        "X-Original-URL",
        "X-Request-ID",
        "Traceparent",
        "User-Agent",
    ),
    *("Transfer-Encoding", "Connection", "Upgrade", CANARY),
)


@pytest.mark.parametrize("operation", ALL, ids=named)
def test_no_header_does_harm(operation: Operation, wire: Wire, stage: Stage) -> None:
    for word in WORDS:
        for name in (*operation.names("header"), "Authorization", "Content-Type"):
            answer = ask(wire, stage, operation, headers={name: word})
            assert flaws(answer) == [], (name, word, answer)
        together = ask(wire, stage, operation, headers=dict.fromkeys(UNDECLARED, word))
        assert flaws(together) == [], (word, together)


@pytest.mark.parametrize("operation", ALL, ids=named)
def test_a_large_head_is_refused(operation: Operation, wire: Wire, stage: Stage) -> None:
    for name in ("Cookie", "If-Match", "Authorization", "Accept-Language"):
        large = ask(wire, stage, operation, b"", headers={name: CANARY * 2000})
        assert (large.status, flaws(large)) == (431, [])
    many = ask(wire, stage, operation, b"", headers={f"x-{n}": CANARY for n in range(2000)})
    address = f"{place(operation, stage)}?{CANARY * 1000}"
    long = wire.send(operation.method, address, spoken(operation, stage.people[0], "k"))

    assert (many.status, flaws(many)) == (431, [])
    assert (long.status, flaws(long)) == (414, [])


IDS: Final[tuple[str | bytes, ...]] = (
    *(
        "x",
        CANARY,
        "%00",
        "%0d%0aSet-Cookie:%20a=b",
        "%ff",
        "%c0%80",
        "%ed%a0%80",
        "%E2%80%AE",
    ),
    *("..%2f..%2fetc", "%2e%2e", "%25%30%30", f"{CANARY}'%20OR%201=1;--", "%22", "*", "-1"),
    *("a" * 3000, "9" * 400, "%F0%9F%91%A9%E2%80%8D", "null", "{}", "SC-0000-0000-0000-0"),
    *(
        b"\xff\xfe",
        "Ж".encode(),
        b"\x00",
        b"\r\n",
        "%D9%A0" * 20,
        "00000000-0000-0000-0000",
    ),
)


@pytest.mark.parametrize("operation", [one for one in ALL if "{" in one.path], ids=named)
def test_no_id_does_harm(operation: Operation, wire: Wire, stage: Stage) -> None:
    one = stage.people[0]
    for name in operation.names("path"):
        for made_up in IDS:
            before, after = operation.path.split(f"{{{name}}}")
            halves = (place(Operation("", half, {}, {}), stage) for half in (before, after))
            start, end = (half.encode() for half in halves)
            raw = made_up if isinstance(made_up, bytes) else made_up.encode()
            said = spoken(operation, one, f"k{next(NUMBERS)}")
            answer = wire.send(operation.method, start + raw + end, said)
            assert flaws(answer) == [], (name, made_up, answer)
            assert answer.status in {404, 405, 422}, (name, made_up, answer)


@pytest.mark.parametrize("operation", ALL, ids=named)
def test_no_query_does_harm(operation: Operation, wire: Wire, stage: Stage) -> None:
    said = spoken(operation, stage.people[0], "query")
    target = place(operation, stage)
    known = operation.names("query")
    for name in known:
        for word in (*IDS, "%0A", CANARY * 30, "1&limit=2", "", "%20"):
            raw = word if isinstance(word, bytes) else word.encode()
            answer = wire.send(operation.method, f"{target}?{name}=".encode() + raw, said)
            assert flaws(answer) == [], (name, word, answer)


@pytest.mark.parametrize("operation", ALL, ids=named)
def test_a_query_that_is_not_known_is_refused(
    operation: Operation, wire: Wire, stage: Stage
) -> None:
    said = spoken(operation, stage.people[0], "query")
    for query in (f"{CANARY}=1", "limits=1", "%00=1", "after%20=1", "_method=DELETE"):
        answer = wire.send(operation.method, f"{place(operation, stage)}?{query}", said)
        assert flaws(answer) == [], (query, answer)
        if operation.told.get("security"):
            assert answer.status == 422, (query, answer)
            assert "query" in [fault["pointer"] for fault in answer.json()["errors"]]
