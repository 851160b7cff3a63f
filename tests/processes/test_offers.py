"""Tests that an offered upgrade loses no body, and that a lone LF in a head is refused."""

import json
from contextlib import suppress
from socket import create_connection

import pytest
from structlog.testing import capture_logs

from tests.support.servers import serve_world
from tests.support.world import make_case

OFFER = (
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
)


def send_pieces(port: int, *pieces: bytes) -> bytes:
    """Send requests in pieces, and return all bytes of the responses.

    The server may refuse a request, and close the connection, before it gets all pieces.
    """
    heard = b""
    with (
        create_connection(("127.0.0.1", port), timeout=20) as line,
        suppress(ConnectionError),
    ):
        for piece in pieces:
            line.sendall(piece)
        while more := line.recv(65536):
            heard += more
    return heard


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_arrives_though_http_2_was_offered_with_it(
    sqlite_url: str, *, chunked: bool
) -> None:
    """The HTTP client of the JDK offers HTTP/2 with every request; no body is lost."""
    body = json.dumps(make_case(submit=True)).encode()
    with serve_world(sqlite_url) as world:
        officer = world.add_person("UZ_CONSULATE_ALMATY")
        how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
        head = (
            f"POST /v1/cases HTTP/1.1\r\nHost: localhost\r\n{OFFER}{how}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: one\r\n"
            f"Authorization: Bearer {officer.key}\r\n\r\n"
        ).encode()
        sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
        last = (
            f"GET /v1/cases HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Authorization: Bearer {officer.key}\r\n\r\n"
        ).encode()
        heard = send_pieces(world.port, head, sent, last)
        whole = send_pieces(
            world.port, head.replace(b"key: one", b"key: two") + sent + last
        )

    for answers in (heard, whole):
        first, second = answers.split(b"HTTP/1.1 ")[1:]
        assert first.startswith(b"201 ")
        assert second.startswith(b"200 ")


def test_who_goes_away_before_the_end_is_nobodys_fault(sqlite_url: str) -> None:
    with capture_logs() as lines, serve_world(sqlite_url) as world:
        officer = world.add_person("UZ_CONSULATE_ALMATY")
        head = (
            "POST /v1/cases HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
            f"Content-Type: application/json\r\nAuthorization: Bearer {officer.key}\r\n\r\n"
        ).encode()
        with create_connection(("127.0.0.1", world.port)) as line:
            line.sendall(head + b"{")
    assert [line["status"] for line in lines if "status" in line] == [499]
    assert not [line for line in lines if line["event"] == "fault"]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\nConnection: close\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\n\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\n",
        b"\nGET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ],
)
def test_a_line_of_a_head_ends_with_cr_and_lf(sqlite_url: str, head: bytes) -> None:
    """A head with a lone LF is refused, because a proxy might read two requests in it."""
    with serve_world(sqlite_url) as world:
        assert send_pieces(world.port, head).startswith(b"HTTP/1.1 400 ")
        assert send_pieces(world.port, head[:21], head[21:]).startswith(b"HTTP/1.1 400 ")


def test_a_body_may_have_lines_of_its_own(sqlite_url: str) -> None:
    body = json.dumps(make_case(), indent=1).encode()
    assert b"\n" in body
    with serve_world(sqlite_url) as world:
        officer = world.add_person("UZ_CONSULATE_ALMATY")
        head = (
            f"POST /v1/cases HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: k\r\nAuthorization: Bearer {officer.key}\r\n\r\n"
        ).encode()

        assert send_pieces(world.port, head + body).startswith(b"HTTP/1.1 201 ")
