"""Hostile input gets a problem, never a server error or an echo of the input (R67-R74).

Every operation in the contract is tested. tests/sweeps/test_many_bodies.py sends dozens of
further bodies to each writing operation, and thousands with the effort `night`.
"""

import gzip
import zlib
from typing import Final

import pytest

from tests.support.full_world import build_headers, fill_path_from
from tests.support.hostile_input import (
    CANARY,
    encode_json,
    find_flaws,
    list_hostile_bodies,
    list_hostile_values,
)
from tests.support.operation_calls import (
    ALL,
    TAKING,
    WRITES,
    Hunt,
    find_faults,
    get_name,
    is_malformed,
)
from tests.support.raw_requests import KEYED, Operation, list_writes

pytestmark = pytest.mark.slow
EARLY: Final = pytest.mark.usefixtures("before_any_database")


def test_no_write_is_forgotten(hunt: Hunt) -> None:
    served = hunt.wire.send("GET", "/openapi.json").parse_json()

    assert {one.name for one in list_writes(served)} == {one.name for one in WRITES}
    assert {one.method for one in WRITES} >= {"POST", "PUT", "PATCH"}
    assert len(WRITES) > len(TAKING) > 15


def test_whatever_a_path_names_is_there_to_be_asked_for(hunt: Hunt) -> None:
    named_by_paths = {name for one in ALL for name in KEYED.findall(one.path)}

    assert named_by_paths <= hunt.stage.ids.keys(), (
        "add a record of this kind in tests/support/full_world.py"
    )
    assert all(hunt.stage.list_callers(one) for one in ALL)


KEEPS_TEXTS = {"save_form_draft", "save_unsent_form"}
"""Operations that keep texts as entered; the texts are checked when the form is sent."""


@EARLY
@pytest.mark.parametrize("operation", WRITES, ids=get_name)
def test_a_hostile_body_is_refused(operation: Operation, hunt: Hunt) -> None:
    choose = hunt.find_caller(operation)
    whole, before = hunt.find_body(operation, choose), hunt.read_all_rows()

    values = {} if operation.name in KEEPS_TEXTS else list_hostile_values(whole)
    for name, body in (list_hostile_bodies(whole) | values).items():
        answer = hunt.ask(operation, body, choose)
        assert find_faults(operation, answer) == [], (name, answer)
        assert answer.status == 413 or is_malformed(answer), (name, answer)
    assert hunt.read_all_rows() == before


@EARLY
@pytest.mark.parametrize("operation", TAKING, ids=get_name)
def test_no_body_is_no_request(operation: Operation, hunt: Hunt) -> None:
    for body in (b"", b"   ", b"\r\n", b"\0"):
        answer = hunt.ask(operation, body)
        assert find_faults(operation, answer) == []
        assert answer.status == 422, (body, answer)


@EARLY
@pytest.mark.parametrize("operation", TAKING, ids=get_name)
def test_what_is_not_said_to_be_json_is_not_read(operation: Operation, hunt: Hunt) -> None:
    body = encode_json(hunt.find_body(operation))
    attempts = [(body, "Content-Type", kind) for kind in KINDS]
    attempts += [
        (body, "Content-Encoding", how) for how in ("gzip", "br", "gzip, identity")
    ]
    attempts.append((gzip.compress(body), "Content-Encoding", "gzip"))
    attempts.append((zlib.compress(body), "Content-Encoding", "deflate"))

    for sent, name, value in attempts:
        answer = hunt.ask(operation, sent, headers={name: value})
        assert find_faults(operation, answer) == [], (name, value, answer)
        assert answer.status == 415, (name, value, answer)


KINDS: Final[tuple[str | None, ...]] = (
    None,
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/xml",
    "text/json",
    "application/jsonx",
    "evilapplication/json",
    "application/json; charset=utf-16",
    "application/json;charset=latin-1",
    'application/json; charset="utf-7"',
    CANARY,
    "application/json, text/plain",
    "*/*",
)


@EARLY
@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", "APPLICATION/JSON"])
def test_json_is_said_in_more_than_one_way(kind: str, hunt: Hunt) -> None:
    for operation in TAKING:
        body = encode_json(hunt.find_body(operation))
        assert hunt.ask(operation, body, headers={"Content-Type": kind}).status != 415


WORDS: Final[tuple[str | bytes, ...]] = (
    "",
    " ",
    CANARY,
    f"{CANARY}\r\nSet-Cookie: a=b",
    f"{CANARY}\n",
    f"{CANARY}\0",
    f"{CANARY}' OR 1=1; DROP TABLE case; --",
    f'{CANARY}"',
    f"{CANARY}\u202e",
    "\u0416" * 90,
    CANARY.encode() + b"\xff\xfe",
    CANARY * 399,
    "9" * 400,
    '"' * 400,
    "*, *",
    "${jndi:x}",
    "../" * 90,
    "%00",
    "\ufeff",
    "1e999",
    "-1",
    "null",
    "[]",
    "{}",
)
UNDECLARED: Final = (
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "Cookie",
    "Host",
    "Origin",
    "Referer",
    "If-None-Match",
    "If-Modified-Since",
    "Range",
    "Expect",
    "Content-Length",
    "Prefer",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "Forwarded",
    "X-Real-IP",
    "X-HTTP-Method-Override",
    "X-Original-URL",
    "X-Request-ID",
    "Traceparent",
    "User-Agent",
    "Transfer-Encoding",
    "Connection",
    "Upgrade",
    CANARY,
)


@pytest.mark.parametrize("operation", ALL, ids=get_name)
def test_no_header_does_harm(operation: Operation, hunt: Hunt) -> None:
    for word in WORDS:
        for name in (*operation.list_parameters("header"), "Authorization"):
            answer = hunt.ask(operation, headers={name: word})
            assert find_faults(operation, answer) == [], (name, word, answer)


@EARLY
@pytest.mark.parametrize("operation", ALL, ids=get_name)
def test_no_header_that_no_database_hears_of_does_harm(
    operation: Operation, hunt: Hunt
) -> None:
    for word in WORDS:
        answer = hunt.ask(operation, headers={"Content-Type": word})
        assert find_faults(operation, answer) == [], (word, answer)
        together = hunt.ask(operation, headers=dict.fromkeys(UNDECLARED, word))
        assert find_faults(operation, together) == [], (word, together)


@EARLY
@pytest.mark.parametrize("operation", ALL, ids=get_name)
def test_a_large_head_is_refused(operation: Operation, hunt: Hunt) -> None:
    for name in ("Cookie", "If-Match", "Authorization", "Accept-Language"):
        large = hunt.ask(operation, b"", headers={name: CANARY * 2000})
        assert (large.status, find_flaws(large)) == (431, [])
    many = hunt.ask(operation, b"", headers={f"x-{n}": CANARY for n in range(2000)})
    address = f"{fill_path_from(operation, hunt.stage)}?{CANARY * 1000}"
    long = hunt.wire.send(
        operation.method, address, build_headers(operation, hunt.stage.people[0], "k")
    )

    assert (many.status, find_flaws(many)) == (431, [])
    assert (long.status, find_flaws(long)) == (414, [])


IDS: Final[tuple[str | bytes, ...]] = (
    "x",
    CANARY,
    "%00",
    "%0d%0aSet-Cookie:%20a=b",
    "%ff",
    "%c0%80",
    "%ed%a0%80",
    "%E2%80%AE",
    "..%2f..%2fetc",
    "%2e%2e",
    "%25%30%30",
    f"{CANARY}'%20OR%201=1;--",
    "%22",
    "*",
    "-1",
    "a" * 3000,
    "9" * 400,
    "%F0%9F%91%A9%E2%80%8D",
    "null",
    "{}",
    "SC-0000-0000-0000-0",
    b"\xff\xfe",
    "Ж".encode(),
    b"\x00",
    b"\r\n",
    "%D9%A0" * 20,
    "00000000-0000-0000-0000",
)


NEEDS_NO_RECORD = {"delete_form_draft": {204}, "delete_unsent_form": {204}}
"""Operations that succeed even if there is no draft of the form, with their status."""


@pytest.mark.parametrize("operation", [one for one in ALL if "{" in one.path], ids=get_name)
def test_no_id_does_harm(operation: Operation, hunt: Hunt) -> None:
    one = hunt.stage.people[0]
    for name in operation.list_parameters("path"):
        for made_up in IDS:
            before, after = operation.path.split(f"{{{name}}}")
            halves = (
                fill_path_from(Operation("", half, {}, {}), hunt.stage)
                for half in (before, after)
            )
            start, end = (half.encode() for half in halves)
            raw = made_up if isinstance(made_up, bytes) else made_up.encode()
            headers = build_headers(operation, one, f"k{next(hunt.numbers)}")
            answer = hunt.wire.send(operation.method, start + raw + end, headers)
            assert find_flaws(answer) == [], (name, made_up, answer)
            expected = {404, 405, 422} | NEEDS_NO_RECORD.get(operation.name, set())
            assert answer.status in expected, (name, made_up, answer)


@pytest.mark.parametrize("operation", ALL, ids=get_name)
def test_no_query_does_harm(operation: Operation, hunt: Hunt) -> None:
    headers = build_headers(operation, hunt.stage.people[0], "query")
    target = fill_path_from(operation, hunt.stage)
    known = operation.list_parameters("query")
    for name in known:
        for word in (*IDS, "%0A", CANARY * 30, "1&limit=2", "", "%20"):
            raw = word if isinstance(word, bytes) else word.encode()
            answer = hunt.wire.send(
                operation.method, f"{target}?{name}=".encode() + raw, headers
            )
            assert find_faults(operation, answer) == [], (name, word, answer)


@EARLY
@pytest.mark.parametrize("operation", ALL, ids=get_name)
def test_a_query_that_is_not_known_is_refused(operation: Operation, hunt: Hunt) -> None:
    headers = build_headers(operation, hunt.stage.people[0], "query")
    for query in (f"{CANARY}=1", "limits=1", "%00=1", "after%20=1", "_method=DELETE"):
        answer = hunt.wire.send(
            operation.method, f"{fill_path_from(operation, hunt.stage)}?{query}", headers
        )
        assert find_faults(operation, answer) == [], (query, answer)
        if operation.spec.get("security"):
            assert answer.status == 422, (query, answer)
            assert "query" in [fault["pointer"] for fault in answer.parse_json()["errors"]]
