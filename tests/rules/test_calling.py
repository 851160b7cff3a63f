"""Tests of the command-line client: the requests that it sends, and its output."""

import json
import ssl
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app.cli.api_client import (
    CannotCall,
    NoAnswer,
    Refused,
    describe_refusal,
    get_api_key,
    get_retry_after,
    parse_url,
    read_answer,
    require_trusted,
)
from app.cli.poll_command import CursorFile, format_event
from app.cli.submit_command import build_body, write_once
from app.kernel import durable
from app.kernel.stored_keys import KeyRefused
from app.settings import CallerSettings

SECRET = "Oygul Ganieva"
PROBLEM = {"Content-Type": "application/problem+json"}


@pytest.mark.parametrize(
    "url",
    ["https://example.org", "http://127.0.0.1:8000", "http://[::1]:8", "http://localhost"],
)
def test_a_key_goes_over_tls_or_stays_here(url: str) -> None:
    assert str(parse_url(url)) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "http://10.0.0.1",
        "http://127.0.0.1.example.org",
        "ftp://127.0.0.1",
        "127.0.0.1:8000",
        "https://",
        "",
        "https://a\x00b",
        "/v1",
        "https://name:word@example.org",
        "https://example.org?x=y",
    ],
)
def test_no_key_goes_where_it_could_be_overheard(url: str) -> None:
    with pytest.raises(CannotCall, match="SAFE_CONDUCT_URL"):
        parse_url(url)


def test_a_key_is_read_from_the_environment_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text("sc_a_b\n")

    assert get_api_key(CallerSettings(api_key=SecretStr("sc_a_b"))) == "sc_a_b"
    assert get_api_key(CallerSettings(api_key_file=path)) == "sc_a_b"
    with pytest.raises(CannotCall, match="both set"):
        get_api_key(CallerSettings(api_key=SecretStr("sc_a_b"), api_key_file=path))
    with pytest.raises(CannotCall, match="chmod 600"):
        get_api_key(CallerSettings())
    with pytest.raises(CannotCall, match="No such file"):
        get_api_key(CallerSettings(api_key_file=tmp_path / "nowhere"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o644])
def test_a_key_that_others_can_read_is_not_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text("sc_a_b\n")
    path.chmod(mode)

    with pytest.raises(KeyRefused, match="chmod 600"):
        get_api_key(CallerSettings(api_key_file=path))


@pytest.mark.parametrize("key", ["", " ", "sc_a\nX-Other: b", "sc_ä", "sc a"])
def test_what_no_header_can_carry_is_no_key_and_not_repeated(key: str) -> None:
    with pytest.raises(CannotCall) as refused:
        get_api_key(CallerSettings(api_key=SecretStr(key)))

    assert str(refused.value) == "The API key is malformed. A key begins with sc_."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'{{"summary":\n "{SECRET}"', "It is not JSON. See line 2, column"),
        (f'{{"{SECRET}": 1, "{SECRET}": 2}}', "the same key twice"),
        (f'["{SECRET}"]', "must contain a JSON object"),
        (f'{{"{SECRET}": NaN}}', "NaN"),
        ("[" * 40, "levels deep"),
        ('{"submit": false}', "Remove it from the file"),
        ('{"submit": 1}', "Remove it from the file"),
        ("", "It is not JSON"),
    ],
)
def test_what_is_no_case_is_refused_and_not_repeated(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "case.json"
    path.write_text(text)

    with pytest.raises(CannotCall, match=told) as refused:
        build_body(path, submits=True)

    assert SECRET not in str(refused.value)


def test_a_case_is_sent_as_it_is_written_and_says_whether_it_is_submitted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "case.json"
    path.write_text('\ufeff{"a": "Ойгул Ғаниева أويغول", "b": [1, 2.5, null]}')

    sent = json.loads(build_body(path, submits=True))

    assert sent == {"a": "Ойгул Ғаниева أويغول", "b": [1, 2.5, None], "submit": True}
    assert json.loads(build_body(path, submits=False)) == sent | {"submit": False}
    path.write_bytes(build_body(path, submits=True))
    assert build_body(path, submits=True) == path.read_bytes()


def test_a_key_that_was_kept_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "case.json.idempotency-key"

    assert write_once(path, "one") == "one"
    assert write_once(path, "other") == "one"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("")
    assert write_once(path, "other") == ""


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("7", 7), ("0", 2), ("", 2), ("soon", 2), ("-1", 2), ("²", 2), ("1.5", 2)],
)
def test_it_waits_as_long_as_it_is_asked_to(told: str, seconds: float) -> None:
    answer = httpx.Response(503, headers={b"Retry-After": told.encode()})

    assert get_retry_after(answer, 2) == seconds


def test_a_problem_is_written_for_people() -> None:
    problem = {
        "title": "It is \x1b[2Jwrong.",
        "detail": "Mend it.",
        "errors": [{"pointer": "#/a", "detail": "Too long."}, "?", {}],
        "unmet": [{"requirement": "consent", "remedy": "Ask the person."}],
        "code": "SC-1",
        "instance": "urn:uuid:1",
    }

    lines = describe_refusal(
        httpx.Response(422, json=problem, headers=PROBLEM)
    ).splitlines()

    assert lines == [
        "422 It is ?[2Jwrong",
        "Mend it.",
        "  #/a: Too long.",
        "  None: None",
        "  consent: Ask the person.",
        "code: SC-1",
        "instance: urn:uuid:1",
    ]


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (httpx.Response(404, html="<p>"), Refused),
        (httpx.Response(301, headers={"Location": "https://elsewhere"}), Refused),
        (httpx.Response(422, content=b"{", headers=PROBLEM), Refused),
        (httpx.Response(599), Refused),
        (httpx.Response(200, html="<p>Welcome to our Wi-Fi"), NoAnswer),
        (httpx.Response(200, json=[1]), NoAnswer),
        (httpx.Response(204), NoAnswer),
    ],
)
def test_an_answer_of_somebody_else_is_no_success(
    answer: httpx.Response, ended: type[Exception]
) -> None:
    with pytest.raises(ended):
        read_answer(answer)


def test_a_wrong_certificate_is_not_waited_for() -> None:
    wrong = ssl.SSLCertVerificationError("self-signed")
    wrong.verify_message = "self-signed certificate"
    trouble = httpx.ConnectError("no")
    trouble.__cause__ = wrong

    with pytest.raises(CannotCall, match="self-signed certificate"):
        require_trusted(trouble)
    require_trusted(httpx.ConnectError("no"))


def test_a_cursor_is_kept_for_one_office(tmp_path: Path) -> None:
    mine = CursorFile(tmp_path / "cursor", "KZ_LEAD")

    assert mine.read() is None
    mine.save("00000000.7")
    assert mine.read() == "00000000.7"
    assert CursorFile(mine.file, None).read() == "00000000.7"
    with pytest.raises(CannotCall, match="is for KZ_LEAD"):
        CursorFile(mine.file, "UZ_LEAD").read()
    mine.file.write_text("")
    with pytest.raises(CannotCall, match="--from-start"):
        mine.read()
    with pytest.raises(CannotCall, match="cannot be written"):
        CursorFile(tmp_path / "nowhere" / "cursor", None).save("00000000.7")


def test_what_is_replaced_is_whole_and_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    path.write_text("before")

    durable.replace(path, "after")

    assert path.read_text() == "after"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_terminal_is_told_codes_alone() -> None:
    event = {
        "at": "now",
        "type": "a\x1b]0;b",
        "subject": "cases/SC",
        "by": None,
        "facts": 1,
    }

    assert format_event(event) == "now a?]0;b cases/SC -"
