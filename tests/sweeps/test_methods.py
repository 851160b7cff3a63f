"""Undeclared methods are refused; only references may be cached (R73, R74, R75, R76)."""

import re
from typing import Final
from uuid import uuid4

import pytest

from app.kernel.actors import Scope
from tests.support.full_world import Stage, build_headers, fill_path_from
from tests.support.hostile_input import CACHEABLE, CANARY, encode_json, find_flaws
from tests.support.raw_requests import Answer, Headers, Operation, Wire, list_operations
from tests.support.world import EVERYTHING, make_case

pytestmark = pytest.mark.slow
EARLY = pytest.mark.usefixtures("before_any_database")
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "QUERY",
    "PROPFIND",
    "LINK",
    "get",
    "post",
    "Get",
    "GET ",
    "*",
    CANARY,
)
PREFLIGHT: Headers = {
    "Origin": "https://elsewhere.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization",
}
SPOOFS: tuple[Headers, ...] = (
    {"Host": f"{CANARY}.example"},
    {"Host": f"{CANARY}.example", "X-Forwarded-Host": f"{CANARY}.example"},
    {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443", "X-Forwarded-Prefix": "/x"},
    {
        "X-Forwarded-For": "127.0.0.1, ::1",
        "X-Real-IP": "127.0.0.1",
        "Client-IP": "127.0.0.1",
    },
    {"Forwarded": f"for=127.0.0.1;host={CANARY}.example;proto=https"},
    {"X-Original-URL": "/v1/approvals", "X-Rewrite-URL": "/v1/approvals"},
    {"X-Client-Cert": CANARY, "X-Remote-User": "KZ_LEAD", "Remote-User": "KZ_LEAD"},
    {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"},
    {"Origin": f"https://{CANARY}.example", "Referer": f"https://{CANARY}.example"},
)


def list_method_operations(wire: Wire) -> list[Operation]:
    return list_operations(wire.world.app.openapi())


def list_declared(wire: Wire) -> dict[str, set[str]]:
    """Return the methods that the contract declares for each path.

    The methods of a template count for each path that it matches.
    """
    operations = list_method_operations(wire)
    templates = {one.path: re.sub(r"\{\w+\}", "[^/]+", one.path) for one in operations}
    return {
        path: {one.method for one in operations if re.fullmatch(templates[one.path], path)}
        for path in templates
    }


@EARLY
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["with a key", "without", "from a page elsewhere"])
def test_only_declared_methods_are_there(
    method: str, how: str, wire: Wire, stage: Stage
) -> None:
    key: Headers = {"Authorization": f"Bearer {stage.people[0].key}"}
    headers = {"with a key": key, "without": {}, "from a page elsewhere": PREFLIGHT}[how]

    for path, right in list_declared(wire).items():
        if method in right:
            continue
        for target in (path, fill_path_from(Operation(method, path, {}, {}), stage)):
            answer = wire.send(method, target, headers, b'{"x": 1}')
            assert (answer.status, find_flaws(answer)) == (405, []), (method, path)
            assert set((answer["allow"] or "").split(", ")) == right, path


@EARLY
@pytest.mark.parametrize("method", METHODS)
def test_no_method_finds_what_is_not_there(method: str, wire: Wire) -> None:
    for path in NOWHERE:
        answer = wire.send(method, path, PREFLIGHT)
        assert (answer.status, find_flaws(answer)) == (404, []), (method, path)


NOWHERE = (
    "/",
    "/v1",
    "/v1/",
    "/v1/nowhere",
    "/V1/cases",
    "/v1/cases/",
    "/v1//cases",
    "//v1/cases",
    "/v1/cases;x=1",
    "/v1/./cases",
    "/v1/x/../cases",
    "/v2/cases",
    "/docs",
    "/redoc",
    "/metrics",
    "/.env",
    "/.git/config",
    f"/{CANARY}",
    "/v1/cases%2f",
    "*",
    "/openapi.yaml",
    "http://elsewhere.example/v1/cases",
)


@EARLY
def test_the_contract_is_read_and_not_written(wire: Wire) -> None:
    for method in set(METHODS) - {"GET", "HEAD"}:
        answer = wire.send(method, "/openapi.json")
        assert (answer.status, find_flaws(answer)) == (405, []), method


def test_no_answer_of_any_operation_leaves_traces(wire: Wire, stage: Stage) -> None:
    one = stage.people[0]
    narrow = wire.world.add_person("KZ_LEAD", scopes=())
    found: dict[str, set[int]] = {}
    for operation in list_method_operations(wire):
        headers = build_headers(operation, one, "traces")
        target = fill_path_from(operation, stage)
        ways: list[tuple[str, Headers, bytes]] = [
            (target, headers, b""),
            (target, headers | PREFLIGHT, b"{}"),
            (target, headers | {"If-None-Match": "*"}, b""),
            (target, {}, b""),
            (target, headers | {"Authorization": f"Bearer {narrow.key}"}, b""),
            (f"{target}?x=1", headers, b""),
            (target, headers, b"["),
            (target, headers, b" " * 300_000),
            (target, headers | {"Content-Type": "text/plain"}, b"x"),
            (target, headers | {"If-Match": "stale", "Idempotency-Key": "other"}, b"{}"),
        ]
        answers = [wire.send(operation.method, *way) for way in ways]
        found[operation.name] = {answer.status for answer in answers}
        kept = operation.path.startswith(CACHEABLE)
        flaws = [find_flaws(answer, cacheable=kept) for answer in answers]
        assert flaws == [[]] * len(ways), operation.name
        assert all(answer["x-request-id"] for answer in answers)
        documented = {int(status) for status in operation.spec["responses"]}
        assert found[operation.name] <= documented, operation.name

    assert {200, 304, 401, 403, 404, 412, 413, 415, 422} <= set().union(*found.values())


def without_request_id(answer: Answer) -> tuple[int, list[tuple[bytes, bytes]], str]:
    """Return a response without the id of its request."""
    named = (answer["x-request-id"] or "").encode()
    headers = [(n, v) for n, v in answer.headers if v != named]
    return answer.status, headers, answer.content.replace(named, b"").decode()


@pytest.mark.parametrize("spoof", SPOOFS, ids=", ".join)
def test_nothing_that_a_proxy_could_have_said_changes_an_answer(
    spoof: Headers, wire: Wire, stage: Stage
) -> None:
    for operation in list_method_operations(wire):
        if operation.method != "GET" or "Purpose" in operation.list_parameters("header"):
            continue
        said, target = (
            build_headers(operation, stage.people[1], "k"),
            fill_path_from(operation, stage, 2),
        )
        plain, spoofed = (
            wire.send("GET", target, headers) for headers in (said, said | spoof)
        )
        assert without_request_id(plain) == without_request_id(spoofed), operation.name
        assert find_flaws(spoofed, cacheable=operation.path.startswith(CACHEABLE)) == []


NO_CONTENT: Final[tuple[tuple[Headers, bytes], ...]] = (
    ({"Content-Type": "application/json", "Content-Length": "2"}, b"{}"),
    ({"Transfer-Encoding": "chunked"}, b""),
)
"""The headers and empty bodies that some clients and proxies send with a GET request."""


@pytest.mark.parametrize(("announced", "body"), NO_CONTENT)
def test_a_read_that_announces_a_body_gets_the_same_answer(
    announced: Headers, body: bytes, wire: Wire, stage: Stage
) -> None:
    reads = [one for one in list_method_operations(wire) if one.method == "GET"]
    for operation in reads:
        said = build_headers(operation, stage.people[1], "k")
        target = fill_path_from(operation, stage, 2)
        plain = wire.send("GET", target, said)
        announcing = wire.send("GET", target, said | announced, body)
        assert drop_changing(plain) == drop_changing(announcing), operation.name
    assert len(reads) > len(NO_CONTENT)


def drop_changing(answer: Answer) -> tuple[int, list[tuple[bytes, bytes]], str]:
    """Return a response without the parts that differ between two equal requests."""
    status, headers, content = without_request_id(answer)
    return status, [one for one in headers if one[0] not in COUNTED], content


COUNTED: Final = frozenset({b"ratelimit", b"ratelimit-policy"})


@pytest.mark.parametrize("spoof", SPOOFS, ids=", ".join)
def test_what_was_made_is_found_at_a_relative_place(
    spoof: Headers, wire: Wire, stage: Stage
) -> None:
    one = stage.people[0]
    [write] = [o for o in list_method_operations(wire) if o.name == "create_case"]
    headers = build_headers(write, one, str(uuid4()))

    made = wire.send("POST", write.path, headers | spoof, encode_json(make_case()))

    assert (made.status, find_flaws(made)) == (201, [])
    assert made["location"] == f"/v1/cases/{made.parse_json()['code']}"


def test_a_method_cannot_be_smuggled_in_a_header(wire: Wire, stage: Stage) -> None:
    said: Headers = {
        "Authorization": f"Bearer {stage.people[0].key}",
        "X-HTTP-Method-Override": "PATCH",
    }
    target = f"/v1/cases/{stage.ids['code'][0]}"

    assert wire.send("POST", target, said, b"{}").status == 405
    assert wire.send("GET", target, said).status == 200


def test_a_scope_is_needed_whatever_the_headers_say(wire: Wire) -> None:
    narrow = wire.world.add_person("KZ_LEAD", scopes=EVERYTHING - {Scope.CASES_READ})
    said: Headers = {"Authorization": f"Bearer {narrow.key}", "X-Scope": "cases:read"}

    assert wire.send("GET", "/v1/cases", said).status == 403
