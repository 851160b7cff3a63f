"""Tests that a slow client loses its connection, unless it waits for a response."""

import time
from collections.abc import Iterator
from socket import create_connection, socket

import pytest

from app.api.http import request_limits
from app.api.http.read_slots import MAX_READS
from app.cli import connections
from app.kernel.actors import Role
from tests.support.account_changes import get_account_path
from tests.support.effort import choose_number
from tests.support.servers import Served, serve_world
from tests.support.world import get_path, unwrap

SOON = 3.0
SLOW = choose_number(200, night=1000)
HEAD = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"
BODIES = {
    "Content-Length: 20": b"x" * 20,
    "Transfer-Encoding: chunked": b"1\r\nx\r\n0\r\n\r\n",
}
"""Headers that announce a body, each with that body, for a GET that needs no body."""


@pytest.fixture
def world(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)
    monkeypatch.setattr(request_limits, "BODY_SECONDS", 1.0)
    with serve_world(sqlite_url) as made:
        yield made


def open_line(world: Served) -> socket:
    return create_connection(("127.0.0.1", world.port), timeout=20)


def measure_closing(line: socket, dribble: bytes = b"") -> float:
    """Send `dribble` at intervals, and return the seconds until the connection closes."""
    began, line_is_open = time.monotonic(), True
    line.settimeout(0.2)
    while line_is_open:
        try:
            line_is_open = bool(line.recv(4096))
        except TimeoutError:
            if dribble:
                line.sendall(dribble)
        except ConnectionError:
            line_is_open = False
        assert time.monotonic() - began < 20, "The connection stays open."
    return time.monotonic() - began


@pytest.mark.parametrize("begun", [b"", b"G", HEAD], ids=["nothing", "a byte", "half"])
@pytest.mark.parametrize("dribble", [b"", b"x"], ids=["still", "dribbling"])
def test_a_head_that_does_not_come_is_not_waited_for(
    world: Served, begun: bytes, dribble: bytes
) -> None:
    with open_line(world) as line:
        line.sendall(begun)
        assert 0.8 < measure_closing(line, dribble) < 1 + SOON


def test_nor_is_the_second_on_a_connection(world: Served) -> None:
    with open_line(world) as line:
        line.sendall(HEAD + b"\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 200 ")
        line.sendall(HEAD)
        assert measure_closing(line, b"x") < 1 + SOON


def test_a_body_that_does_not_come_is_answered_so(world: Served) -> None:
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    head = (
        "POST /v1/cases HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {officer.key}\r\n\r\n"
    )
    with open_line(world) as line:
        line.sendall(head.encode() + b"{")
        heard, began = line.recv(4096), time.monotonic()
        assert heard.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in heard
    assert time.monotonic() - began < 1 + SOON


@pytest.mark.parametrize("said", BODIES)
def test_a_body_that_a_reader_does_not_send_keeps_no_other_out(
    world: Served, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(request_limits, "BODY_SECONDS", 15.0)
    slow, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    head = (
        f"GET /v1/me HTTP/1.1\r\nHost: localhost\r\n{said}\r\n"
        f"Authorization: Bearer {slow.key}\r\n\r\n"
    )
    lines = [open_line(world) for _ in range(MAX_READS)]
    try:
        for line in lines:
            line.sendall(head.encode())
        time.sleep(1)
        began = time.monotonic()
        assert lead.get("/me").status_code == 200
        assert time.monotonic() - began < SOON
        lines[0].sendall(BODIES[said])
        assert lines[0].recv(4096).startswith(b"HTTP/1.1 422 ")
    finally:
        for line in lines:
            line.close()


def test_who_waits_for_news_is_not_cut_off(world: Served) -> None:
    lead = world.add_person("KZ_LEAD")
    answer = lead.ask("GET", "/events", headers={"Prefer": "wait=3"})
    assert unwrap(answer)["items"] == []
    assert answer.headers["Preference-Applied"] == "wait=3"


def test_others_are_served_while_many_are_slow(world: Served) -> None:
    lead, lines = world.add_person("KZ_LEAD"), [open_line(world) for _ in range(SLOW)]
    try:
        for number, line in enumerate(lines):
            line.sendall(HEAD[: number % len(HEAD)])
        statuses = {lead.get("/me").status_code for _ in range(20)}
        time.sleep(1 + SOON / 2)
        open_ = len(world.server.server_state.connections)
    finally:
        for line in lines:
            line.close()
    assert statuses == {200}
    assert open_ < 10


def test_who_lost_the_account_while_its_body_came_is_refused(
    world: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_limits, "BODY_SECONDS", 15.0)
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    boss = world.add_person("UZ_CONSULATE_ALMATY", {Role.SUPERVISOR})
    draft = unwrap(officer.create_case())
    heads = (
        f"GET /v1{get_path(draft)}/sections/identity HTTP/1.1\r\nPurpose: assistance",
        f"POST /v1{get_path(draft)}/risk-assessments HTTP/1.1",
    )
    lines = [open_line(world) for _ in heads]
    for line, head in zip(lines, heads, strict=True):
        said = f"Host: localhost\r\nAuthorization: Bearer {officer.key}"
        line.sendall(f"{head}\r\n{said}\r\nContent-Length: 2\r\n\r\n".encode())
    time.sleep(1)  # the accounts are cached by now

    unwrap(boss.send(f"{get_account_path(officer)}/disable"))

    for line in lines:
        with line:
            line.sendall(b"{}")
            assert line.recv(4096).startswith(b"HTTP/1.1 401 ")
