"""Tests of limits on request bodies that are sent without sign-in, and on connections."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.api.http import anonymous_bodies
from app.api.http.anonymous_bodies import MAX_BYTES, AnonymousBodies
from app.cli.connections import GRACE_SECONDS
from app.kernel.problems import Busy
from tests.support.servers import Served, serve_world

type Pieces = list[tuple[float, bytes, bool]]
"""Pieces of a body: seconds until the piece arrives, its bytes, and whether more follow."""


def request_of(pieces: Pieces, **headers: str) -> Request:
    """Return a request whose body arrives in the given pieces."""
    coming = [*pieces, (60.0, b"", True)]

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(coming[0][0])
        _, body, more = coming.pop(0)
        return {"type": "http.request", "body": body, "more_body": more}

    heads = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": heads}, receive)


def get_refusal(request: Request, bodies: AnonymousBodies) -> int:
    """Return the status code with which a body is refused."""
    with pytest.raises((HTTPException, Busy)) as error:
        asyncio.run(bodies.read(request))
    return int(getattr(error.value, "status_code", getattr(error.value, "status", 0)))


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anonymous_bodies, "PROMPT_SECONDS", 0.05)
    monkeypatch.setattr(anonymous_bodies, "SECONDS", 0.2)


def test_a_body_that_comes_at_once_needs_no_place() -> None:
    bodies = AnonymousBodies(places=0)

    assert (
        asyncio.run(bodies.read(request_of([(0, b"a=", True), (0, b"b", False)]))) == b"a=b"
    )


def test_a_late_body_needs_a_place_and_gives_it_back() -> None:
    late: Pieces = [(0, b"a=", True), (0.1, b"b", False)]
    bodies = AnonymousBodies(places=1)

    assert get_refusal(request_of(late), AnonymousBodies(places=0)) == 503
    assert asyncio.run(bodies.read(request_of(late))) == b"a=b"
    assert get_refusal(request_of([(0, b"a", True)]), bodies) == 408
    assert bodies.free == 1


@pytest.mark.parametrize(
    ("pieces", "headers"),
    [
        ([(0, b"x" * (MAX_BYTES + 1), False)], {}),
        ([(0, b"x" * MAX_BYTES, True), (0, b"x", False)], {}),
        ([], {"Content-Length": str(MAX_BYTES + 1)}),
    ],
)
def test_a_long_body_is_refused_as_soon_as_that_is_known(
    pieces: Pieces, headers: dict[str, str]
) -> None:
    bodies = AnonymousBodies()

    assert get_refusal(request_of(pieces, **headers), bodies) == 413
    assert bodies.free == anonymous_bodies.MAX_SLOW_BODIES


def test_part_of_a_body_is_not_used_if_the_client_disconnects() -> None:
    pieces = iter([{"type": "http.request", "body": b"a=", "more_body": True}])

    async def receive() -> dict[str, Any]:
        return next(pieces, {"type": "http.disconnect"})

    bodies = AnonymousBodies(places=1)

    with pytest.raises(ClientDisconnect):
        asyncio.run(bodies.read(Request({"type": "http", "headers": []}, receive)))
    assert bodies.free == 1


# Connections.

MOST = 16


@pytest.fixture
def limited_world(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Yield a service with a limit of 16 connections."""
    monkeypatch.setattr("app.cli.connections.MAX_CONNECTIONS", MOST)
    with serve_world(sqlite_url) as world:
        yield world


def open_connection(world: Served, said: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", world.port), timeout=10)
    made.sendall(said)
    return made


def is_closed(line: socket.socket) -> bool:
    line.settimeout(0.2)
    try:
        return line.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.slow
def test_who_opens_many_and_sends_nothing_loses_the_oldest(limited_world: Served) -> None:
    with ExitStack() as stack:
        lines = [stack.enter_context(open_connection(limited_world)) for _ in range(MOST)]
        time.sleep(GRACE_SECONDS + 0.2)
        asked = stack.enter_context(
            open_connection(limited_world, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        )
        answered = asked.recv(4096)
        closed = [is_closed(line) for line in lines]

    assert answered.startswith(b"HTTP/1.1 200 ")
    assert closed == [True] + [False] * (MOST - 1)


@pytest.mark.slow
def test_a_connection_that_was_answered_makes_room_first(limited_world: Served) -> None:
    ask = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as stack:
        idle = stack.enter_context(open_connection(limited_world, ask))
        idle.recv(4096)
        lines = [
            stack.enter_context(open_connection(limited_world)) for _ in range(MOST - 1)
        ]
        time.sleep(0.2)
        asked = stack.enter_context(open_connection(limited_world, ask))
        answered = asked.recv(4096)
        closed = [is_closed(line) for line in (idle, *lines)]

    assert answered.startswith(b"HTTP/1.1 200 ")
    assert closed == [True] + [False] * (MOST - 1)
