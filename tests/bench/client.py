"""A client that costs little: one thread, sockets that never block, requests made of bytes.

Each of its connections asks again as soon as it was answered. That it is faster than any
server here is measured, not assumed: see `tests.bench.ceiling`.
"""

import re
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

END: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
HEADER: Final = r"(?i)\r\n{}: *([^\r\n]+)"
WITHOUT_BODY: Final = frozenset({204, 304})
CHUNK: Final = 256 * 1024
SILENCE: Final = 60
"""Seconds without any answer, after which a server is given up."""


class WrongAnswer(Exception):  # noqa: N818 - it says what happened, as Problem does
    """A server answered something else than was asked for: what it cost means nothing."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """Read a header; it must be there."""
        found = re.search(HEADER.format(name).encode(), self.head)
        if found is None:
            raise WrongAnswer(f"There is no {name} in {self.head!r}.")
        return found[1].decode()


@dataclass
class Sample:
    """How one load was answered."""

    seconds: float = 0
    waits: list[float] = field(default_factory=list)
    """How long each answer took, in seconds."""
    answers: list[Answer] = field(default_factory=list)


class Line:
    """A connection, and what has arrived on it of one answer."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SILENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began, self.arrived = 0.0, b""

    def ask(self, request: bytes) -> None:
        """Send a request; a few kilobytes always fit."""
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def hear(self) -> Answer | None:
        """Take what has arrived; None: not all of it yet."""
        data = self.socket.recv(CHUNK)
        if not data:
            raise WrongAnswer(f"It hung up after {self.arrived!r}.")
        self.arrived += data
        answer = read(self.arrived)
        if answer is not None:
            self.arrived = b""
        return answer


def read(arrived: bytes) -> Answer | None:
    """Read an answer, which must say its length; None: it is not all there yet."""
    end = arrived.find(END)
    if end < 0:
        return None
    status, head = int(arrived[9:12]), arrived[: end + 2]
    body = arrived[end + len(END) :]
    if status in WITHOUT_BODY:
        return Answer(status, head, b"")
    length = LENGTH.search(head)
    if length is None:
        raise WrongAnswer(f"It does not say how long it is: {head!r}")
    return Answer(status, head, body) if len(body) >= int(length[1]) else None


def must_be(answer: Answer, status: int) -> Answer:
    """Raise WrongAnswer unless it is what was asked for."""
    if answer.status != status:
        raise WrongAnswer(f"{answer.status}, not {status}: {answer.body[:600]!r}")
    return answer


def once(port: int, request: bytes, status: int) -> Answer:
    """Ask one thing on a connection of its own."""
    return load(port, iter([request]), status, clients=1, keep=True).answers[0]


def load(  # noqa: PLR0913 - each says one thing of the load
    port: int,
    requests: Iterator[bytes],
    status: int,
    *,
    clients: int,
    seconds: float = SILENCE,
    keep: bool = False,
) -> Sample:
    """Ask from so many connections until the time is over, or nothing is left to ask.

    What was asked by then is waited for. Raises WrongAnswer.
    """
    lines = {line.socket.fileno(): line for line in (Line(port) for _ in range(clients))}
    try:
        return rush(lines, requests, status, seconds, keep=keep)
    finally:
        for line in lines.values():
            line.socket.close()


def rush(
    lines: dict[int, Line],
    requests: Iterator[bytes],
    status: int,
    seconds: float,
    *,
    keep: bool,
) -> Sample:
    """Ask on each line again once it was answered."""
    sample, waiting = Sample(), set[int]()
    began = time.perf_counter()
    with select.epoll() as poll:
        for number, line in lines.items():
            poll.register(number, select.EPOLLIN)
            if (request := next(requests, None)) is not None:
                waiting.add(number)
                line.ask(request)
        while waiting:
            heard = poll.poll(SILENCE)
            if not heard:
                raise WrongAnswer(f"Nothing came for {SILENCE} seconds.")
            for number, _ in heard:
                line = lines[number]
                if (answer := line.hear()) is None:
                    continue
                now = time.perf_counter()
                sample.waits.append(now - line.began)
                must_be(answer, status)
                if keep:
                    sample.answers.append(answer)
                more = next(requests, None) if now - began < seconds else None
                if more is None:
                    waiting.discard(number)
                else:
                    line.ask(more)
    sample.seconds = time.perf_counter() - began
    return sample
