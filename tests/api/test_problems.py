"""Every error is a problem document that does not repeat the caller's input."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response

from app.api.http.problems import STATUS_DETAILS
from app.api.http.request_limits import BODY_SECONDS, MAX_HEADER_BYTES, MAX_URL_BYTES
from app.kernel.actors import SERVICE, Scope
from app.main import MAX_BODY_BYTES
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_case,
    unwrap,
)

SECRET = "Zarina"
PROBLEM = "application/problem+json"
SAFE = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
JSON = "application/json"


def send_raw(one: Someone, content: bytes | Iterator[bytes], **headers: str) -> Response:
    spelled = {name.replace("_", "-").title(): value for name, value in headers.items()}
    sent = one.make_headers() | {"Content-Type": JSON, "Idempotency-Key": "k"} | spelled
    kept = {name: value for name, value in sent.items() if value}
    return one.world.http.post("/v1/cases", content=content, headers=kept)


def is_problem(answer: Response) -> bool:
    """Return whether a response is a problem with a status from 400 to 499.

    The problem has the id of the request as `instance`, and does not contain `SECRET`.
    """
    body = answer.json()
    found_by = answer.headers["x-request-id"]
    return (
        400 <= answer.status_code < 500
        and body["status"] == answer.status_code
        and answer.headers["Content-Type"] == PROBLEM
        and body["instance"] == f"urn:uuid:{found_by}"
        and {"type", "title", "detail"} <= body.keys()
        and SECRET not in answer.text + str(answer.headers)
    )


def build_body(value: str) -> bytes:
    """Return a request body as raw JSON; one free-text field contains the given value."""
    return b'{"summary": {}, "sections": [{"section": "needs", "summary": "%s."}]}' % (
        value.encode()
    )


HOSTILE = {
    "NUL": build_body(f"{SECRET}\\u0000"),
    "raw NUL": build_body(f"{SECRET}\0"),
    "lone surrogate": build_body(f"{SECRET}\\ud800"),
    "surrogates in the wrong order": build_body(f"{SECRET}\\udc00\\ud800"),
    "bidi override": build_body(f"{SECRET}\\u202e"),
    "raw bidi override": build_body(f"{SECRET}\u202e"),
    "bidi isolate": build_body(f"{SECRET}\\u2066"),
    "control character": build_body(f"{SECRET}\\u0085"),
    "unassigned": build_body(f"{SECRET}\\u0378"),
    "nothing to see": build_body("\\u3164").replace(b".", b""),
    "NaN": b'{"summary": {}, "Zarina": NaN}',
    "Infinity": b'{"summary": {}, "submit": -Infinity}',
    "huge integer": b'{"summary": {}, "submit": 9223372036854775808}',
    "5000 digits": b'{"summary": {}, "submit": ' + b"9" * 5000 + b"}",
    "huge exponent": b'{"summary": {}, "submit": 1e999999}',
    "deep arrays": b"[" * 100_000 + b"]" * 100_000,
    "unclosed arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "invalid UTF-8": build_body(SECRET).replace(b"Zarina", b"Zarina\xff"),
    "overlong UTF-8": build_body(SECRET).replace(b"Zarina", b"Zarina\xc0\x80"),
    "UTF-8 surrogate": build_body(SECRET).replace(b"Zarina", b"Zarina\xed\xa0\x80"),
    "duplicate key": b'{"summary": {}, "Zarina": 1, "Zarina": 2}',
    "duplicate key, escaped": b'{"summary": {}, "notic\\u0065": {"country": "KZ"}}',
    "unknown field": b'{"summary": {}, "Zarina": 1}',
    "unknown field within": b'{"summary": {"Zarina": 1}}',
    "unknown section": b'{"summary": {}, "sections": [{"section": "Zarina"}]}',
    "UTF-16": json.dumps(make_case()).encode("utf-16"),
    "UTF-16 without a mark": json.dumps(make_case()).encode("utf-16-le"),
    "UTF-32": json.dumps(make_case()).encode("utf-32"),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(make_case()).encode(),
    "a text": b'"Zarina"',
    "a list": b'["Zarina"]',
    "null": b"null",
    "nothing": b"",
    "white space": b"  ",
    "two documents": b'{"summary": {}} {"summary": {}}',
    "a comment": b'{"summary": {}} // Zarina',
    "unclosed": b'{"name": "Zarina"',
    "a date beyond time": b'{"summary": {}, "consents": [%s]}'
    % json.dumps(
        {
            "focal_point": "KZ_LEAD",
            "purposes": ["REFER"],
            "given_by": "person",
            "language": "uz",
            "form_version": "1",
            "obtained_on": "2026-06-01",
            "expires_at": "9999-12-31T23:59:59-23:59",
        }
    ).encode(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_a_problem_and_is_not_repeated(
    name: str, officer: Someone
) -> None:
    refused = send_raw(officer, HOSTILE[name])

    assert is_problem(refused), (refused.status_code, refused.text)
    assert officer.get("/cases").json()["items"] == []


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/jsonx",
    ],
)
def test_what_is_not_called_json_is_not_read(media_type: str, officer: Someone) -> None:
    refused = send_raw(officer, json.dumps(make_case()).encode(), content_type=media_type)

    assert is_problem(refused)
    assert refused.status_code == 415


UZBEK = "Oyg\u02bbul G\u02bbaniyeva"


def test_names_in_every_script_pass(officer: Someone) -> None:
    names = [UZBEK, "Ойгул Ғаниева", "می‌خواهم", "क्‍ष", "محمد", "נועה", "Ñandú"]

    case = unwrap(officer.create_case(sections=[{"section": "identity", "names": names}]))

    opened = officer.open(f"{get_path(case)}/sections/identity")
    assert opened.json()["content"]["names"] == names


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"submit": SECRET}, ("#/submit", "bool_type")),
        ({"summary": {"priority": SECRET}}, ("#/summary/priority", "enum")),
        (
            {"summary": {"country": SECRET}},
            ("#/summary/country", "string_pattern_mismatch"),
        ),
        ({SECRET: 1}, ("#", "extra_forbidden")),
        ({"summary": {SECRET: 1}}, ("#/summary", "extra_forbidden")),
        ({"consents": [{"purposes": ["REFER"]}]}, ("#/consents/0/given_by", "missing")),
        ({"sections": [{"section": SECRET}]}, ("#/sections/0", "union_tag_invalid")),
    ],
)
def test_a_wrong_field_is_pointed_at_and_never_repeated(
    change: Json, fault: tuple[str, str], officer: Someone
) -> None:
    refused = officer.create("/cases", make_case() | change)

    assert is_problem(refused)
    assert refused.status_code == 422
    assert fault in [(e["pointer"], e["code"]) for e in refused.json()["errors"]]


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        (
            "POST",
            "/cases",
            {"summary": {}, "sections": [{"section": "health"}]},
            "/sections/0/text",
        ),
        ("PUT", "{case}/sections/health", {"section": "health"}, "/text"),
    ],
)
def test_a_pointer_points_into_what_was_sent(
    method: str, path: str, body: Json, pointer: str, officer: Someone
) -> None:
    case = unwrap(officer.create_case())

    refused = officer.ask(
        method, path.format(case=get_path(case)), body, headers={"Idempotency-Key": "k"}
    )

    assert [e["pointer"] for e in refused.json()["errors"]] == [f"#{pointer}"]


QUERIES = [
    ("/cases?limit=0", "limit"),
    ("/cases?limit=201", "limit"),
    (f"/cases?limit={SECRET}", "limit"),
    (f"/cases?limit={'9' * 400}", "limit"),
    (f"/cases?{SECRET}=1", "query"),
    (f"/cases?state={SECRET}", "state"),
    (f"/cases?priority={SECRET}", "priority"),
    (f"/cases?country={SECRET}", "country"),
    (f"/referrals?case={SECRET}", "case"),
    (f"/referrals?side={SECRET}", "side"),
    (f"/events?after={SECRET * 40}", "after"),
    (f"/focal-points?service={SECRET}", "service"),
]


def test_a_list_can_be_filtered(officer: Someone) -> None:
    paths = ("/cases?state=draft&role=submitter", "/referrals?side=sender", COUNTRY)

    assert [officer.ask("GET", path).status_code for path in paths] == [200] * 3


COUNTRY = "/focal-points?country=KZ&service=SHELTER&limit=5"


@pytest.mark.parametrize(("path", "pointer"), QUERIES)
def test_a_wrong_query_is_named(path: str, pointer: str, officer: Someone) -> None:
    refused = officer.ask("GET", path)

    assert is_problem(refused)
    assert refused.status_code == 422
    assert {e["pointer"] for e in refused.json()["errors"]} == {pointer}


@pytest.mark.parametrize("path", ["/events", "/cases", "/worklist", "/focal-points"])
@pytest.mark.parametrize("cursor", [SECRET, "%00", "é", "%ff", "====", "-_-_"])
def test_a_made_up_cursor_is_refused(path: str, cursor: str, officer: Someone) -> None:
    refused = officer.ask("GET", f"{path}?after={cursor}")

    assert is_problem(refused)
    assert refused.status_code == 422


IDS = ("%00", "%ff", "..%2f", "%E2%80%AE", "a" * 3000, SECRET)
PATHS = ("cases/{}", "referrals/{}", "approvals/{}", "focal-points/{}", "cases/{}/notes")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("made_up", IDS)
def test_a_made_up_id_is_a_problem(path: str, made_up: str, officer: Someone) -> None:
    refused = officer.open(f"/{path.format(made_up)}")

    assert is_problem(refused), refused.text
    assert refused.status_code in {404, 422}


HEADERS = [
    ("Idempotency-Key", "k" * 101, 422),
    ("Idempotency-Key", "имя".encode(), 422),
    ("Idempotency-Key", b"\xff", 422),
    ("Idempotency-Key", f"two {SECRET}", 422),
    ("Idempotency-Key", "", 422),
    ("If-Match", "x" * 401, 422),
    ("If-Match", SECRET, 412),
    ("If-Match", "имя".encode(), 412),
    ("If-Match", "*", 428),
    ("If-Match", "", 412),
    ("Authorization", f"Bearer {SECRET}", 401),
    ("Authorization", "Bearer имя".encode(), 401),
    ("Authorization", b"Bearer \xff", 401),
]


@pytest.mark.parametrize(("name", "value", "status"), HEADERS)
def test_a_wrong_header_is_a_problem(
    name: str, value: Any, status: int, officer: Someone
) -> None:
    case = unwrap(officer.create_case())
    tag = {"If-Match": officer.get_tag(case)}

    headers = officer.make_headers() | tag | {name: value}
    refused = officer.world.http.post(f"/v1{get_path(case)}/submit", headers=headers)

    assert is_problem(refused), refused.text
    assert refused.status_code == status
    if status == 422:
        assert {e["pointer"] for e in refused.json()["errors"]} == {name}


@pytest.mark.parametrize("name", ["Approval", "Purpose", "If-None-Match"])
def test_a_wrong_header_is_named(name: str, officer: Someone) -> None:
    case = unwrap(officer.create_case())
    ways = {
        "Approval": ("POST", "/close", {"reason": "OTHER", "person_informed": True}),
        "Purpose": ("GET", "/sections/needs", None),
        "If-None-Match": ("GET", "", None),
    }
    method, path, body = ways[name]

    wrong = {name: SECRET * 1000}
    refused = officer.ask(method, f"{get_path(case)}{path}", body, headers=wrong)

    assert is_problem(refused)
    assert {e["pointer"] for e in refused.json()["errors"]} == {name}


@pytest.mark.parametrize("name", HOSTILE)
def test_who_is_not_known_hears_401_whatever_the_body(name: str, officer: Someone) -> None:
    refused = send_raw(officer, HOSTILE[name], authorization="Bearer sc_none_none")

    assert is_problem(refused)
    assert refused.status_code == 401


@pytest.mark.parametrize("name", HOSTILE)
def test_who_lacks_the_scope_hears_403_whatever_the_body(name: str, world: World) -> None:
    reader = world.add_person("UZ_CONSULATE_ALMATY", scopes={Scope.CASES_READ})

    refused = send_raw(reader, HOSTILE[name], content_type="text/plain")

    assert is_problem(refused)
    assert refused.status_code == 403


def test_too_much_is_refused_announced_or_not(officer: Someone) -> None:
    much = b'{"summary": "' + b" " * 300_000 + b'"}'

    for body in (much, iter([much[:150_000], much[150_000:]])):
        refused = send_raw(officer, body)
        assert is_problem(refused)
        assert refused.status_code == 413


def test_who_is_not_known_may_not_send_much_either(officer: Someone) -> None:
    refused = send_raw(officer, b" " * 300_000, authorization="Bearer sc_none_none")

    assert refused.status_code == 401


def test_a_large_case_within_the_limit_passes(officer: Someone) -> None:
    much = {"section": "narrative", "text": "ж" * 8000}

    assert officer.create_case(sections=[much]).status_code == 201


PATHS_UNKNOWN = (
    "/",
    "/v1",
    "/v1/nowhere",
    "/V1/cases",
    "/v1/cases/",
    "/v1//cases",
    "/docs",
    "/redoc",
    "/metrics",
)


def test_unknown_paths_are_problems_too(officer: Someone) -> None:
    for path in PATHS_UNKNOWN:
        nowhere = officer.world.http.get(path, headers=officer.make_headers())
        assert is_problem(nowhere), path
        assert nowhere.status_code == 404


def test_a_wrong_method_names_every_right_one(world: World) -> None:
    paths: dict[str, dict[str, Any]] = world.app.openapi()["paths"]

    for path in paths:
        right = {
            method.upper()
            for template, operations in paths.items()
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
            for method in operations
        }
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"} - right:
            refused = world.http.request(method, path)
            assert is_problem(refused), (method, path)
            assert refused.status_code == 405
            assert set(refused.headers["Allow"].split(", ")) == right


def yield_answers(officer: Someone, lead: Someone) -> Iterator[Response]:
    """Yield responses with many different statuses, for successes and errors."""
    case = officer.submit()
    path, http = get_path(case), officer.world.http
    officer.world.run_worker()
    yield http.get("/livez")
    yield http.get("/readyz")
    yield http.get("/v1/me")
    yield http.get("/v1/nowhere")
    yield http.delete("/v1/cases")
    yield officer.get(path)
    yield officer.ask("GET", path, headers={"If-None-Match": "*"})
    yield officer.open(f"{path}/sections/needs")
    yield officer.get("/events")
    yield officer.create_case()
    yield officer.create("/cases", {"x": 1})
    yield officer.send(f"{path}/submit")
    yield officer.does("submit", case)
    yield officer.does("acknowledge", case)
    yield lead.does("decline-lead", case, {"reason": "LANGUAGE"})
    yield lead.get(path)
    yield send_raw(officer, b" " * 300_000)
    yield send_raw(officer, b"x", content_type="text/plain")
    yield http.get("/v1/cases", headers={"Origin": "https://elsewhere.example"})


def test_only_texts_of_the_service_may_be_cached(officer: Someone) -> None:
    http = officer.world.http
    found = [http.get("/openapi.json"), officer.get("/reference")]
    found.append(officer.get("/reference/event_types"))
    refused = [http.get("/v1/reference"), officer.get("/reference/nothing")]

    for answer in (*found, *refused):
        cache = "private, no-cache" if answer.is_success else "no-store"
        safe = SAFE | {"cache-control": cache}
        assert {n: answer.headers.get(n) for n in safe} == safe, answer.request.url
    assert [answer.is_success for answer in found] == [True] * 3
    assert [answer.status_code for answer in refused] == [401, 404]


def test_every_answer_stays_out_of_caches(officer: Someone, lead: Someone) -> None:
    found = list(yield_answers(officer, lead))

    statuses = {answer.status_code for answer in found}
    assert statuses == {200, 201, 204, 304, 401, 403, 404, 405, 409, 413, 415, 422, 428}
    for answer in found:
        assert {n: answer.headers.get(n) for n in SAFE} == SAFE, answer.request.url
        assert "access-control-allow-origin" not in answer.headers
        assert "set-cookie" not in answer.headers
    assert len({answer.headers["x-request-id"] for answer in found}) == len(found)


def test_what_http_has_a_word_for_says_what_to_do(officer: Someone) -> None:
    http, headers = officer.world.http, officer.make_headers()
    refused = {
        404: http.get("/v1/nowhere"),
        405: http.delete("/v1/cases"),
        413: send_raw(officer, b" " * 300_000),
        414: http.get(f"/v1/cases?x={'y' * 9000}", headers=headers),
        415: send_raw(officer, b"x", content_type="text/plain"),
        431: http.get("/v1/cases", headers=headers | {"X-Large": "y" * 17_000}),
    }

    for status, answer in refused.items():
        assert is_problem(answer)
        body = answer.json()
        assert (body["status"], body["type"]) == (status, "about:blank")
        assert body["detail"] == STATUS_DETAILS[status]
    assert "`Content-Type: application/json`" in STATUS_DETAILS[415]
    assert STATUS_DETAILS.keys() == {*refused, 408, 500}


def test_what_it_says_of_limits_are_the_limits() -> None:
    for status, limit in ((413, MAX_BODY_BYTES), (414, MAX_URL_BYTES)):
        assert f" {limit // 1024} KiB" in STATUS_DETAILS[status]
    assert f" {MAX_HEADER_BYTES // 1024} KiB" in STATUS_DETAILS[431]
    assert f" {BODY_SECONDS:g} seconds" in STATUS_DETAILS[408]


def test_a_fault_of_ours_is_a_problem_without_a_word(
    officer: Someone, world: World
) -> None:
    case = unwrap(officer.create_case())
    with world.database.begin_write(SERVICE) as session:
        session.connection().exec_driver_sql("UPDATE case_key SET version = 'k9'")

    broken = officer.open(f"{get_path(case)}/sections/needs")

    assert broken.status_code == 500
    assert broken.headers["Content-Type"] == PROBLEM
    assert {n: broken.headers.get(n) for n in SAFE} == SAFE
    assert set(broken.json()) == {"type", "title", "status", "detail", "instance"}
    assert broken.json()["detail"] == STATUS_DETAILS[500]


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_meeting_beyond_time_is_judged_not_tripped_over(
    at: str, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = officer.submit()
    sent = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))

    answer = shelter.does("accept", sent, make_acceptance(at))

    assert answer.status_code < 500
