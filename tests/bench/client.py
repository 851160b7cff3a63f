"""A fast HTTP client, which uses one thread and epoll, and takes requests as bytes.

Each connection sends its next request as soon as it has a response. Each run measures how
many trivial responses the client can get (`tests.bench.machine.measure_client`).
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
TIMEOUT: Final = 60
"""Number of seconds to wait for a response."""


class WrongAnswer(Exception):  # noqa: N818 - without a suffix, as Problem classes are
    """A server sent no response or an unexpected one, so the measurement is invalid."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    head: bytes
    body: bytes

    def get_header(self, name: str) -> str:
        """Return the value of a header, or raise WrongAnswer if the header is missing."""
        found = re.search(HEADER.format(name).encode(), self.head)
        if found is None:
            raise WrongAnswer(f"The header {name} is missing in {self.head!r}.")
        return found[1].decode()


@dataclass
class Sample:
    """The duration of one load, the durations of its responses, and any kept responses."""

    seconds: float = 0
    waits: list[float] = field(default_factory=list)
    """The seconds between each request and its response."""
    answers: list[Answer] = field(default_factory=list)


class ClientConnection:
    """A connection of a client, with the part of a response that has arrived."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began, self.arrived = 0.0, b""

    def ask(self, request: bytes) -> None:
        """Send a request, which is short enough to be sent without blocking."""
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> Answer | None:
        """Receive data, and return the response, or None if it is not complete.

        Raises WrongAnswer if the server has closed the connection.
        """
        data = self.socket.recv(CHUNK)
        if not data:
            raise WrongAnswer(f"The server closed the connection after {self.arrived!r}.")
        self.arrived += data
        answer = read(self.arrived)
        if answer is not None:
            self.arrived = b""
        return answer


def read(arrived: bytes) -> Answer | None:
    """Parse a response, or return None if it is not complete.

    Raises WrongAnswer if a response with a body has no content length.
    """
    end = arrived.find(END)
    if end < 0:
        return None
    status, head = int(arrived[9:12]), arrived[: end + 2]
    body = arrived[end + len(END) :]
    if status in WITHOUT_BODY:
        return Answer(status, head, b"")
    length = LENGTH.search(head)
    if length is None:
        raise WrongAnswer(f"The answer has no length: {head!r}")
    return Answer(status, head, body) if len(body) >= int(length[1]) else None


def require_status(answer: Answer, status: int) -> Answer:
    """Return the response, or raise WrongAnswer if its status is not the expected one."""
    if answer.status != status:
        raise WrongAnswer(f"{answer.status}, not {status}: {answer.body[:600]!r}")
    return answer


def send_once(port: int, request: bytes, status: int) -> Answer:
    """Send one request on a new connection and return the response."""
    return load(port, iter([request]), status, clients=1, keep=True).answers[0]


def load(  # noqa: PLR0913 - each is a parameter of the load
    port: int,
    requests: Iterator[bytes],
    status: int,
    *,
    clients: int,
    seconds: float = TIMEOUT,
    keep: bool = False,
) -> Sample:
    """Send requests on several connections until the time is over or no request is left.

    The responses to requests that were sent in time are awaited. Raises WrongAnswer if a
    response is missing or has another status.
    """
    connections = {
        connection.socket.fileno(): connection
        for connection in (ClientConnection(port) for _ in range(clients))
    }
    try:
        return send_all(connections, requests, status, seconds, keep=keep)
    finally:
        for connection in connections.values():
            connection.socket.close()


def send_all(
    connections: dict[int, ClientConnection],
    requests: Iterator[bytes],
    status: int,
    seconds: float,
    *,
    keep: bool,
) -> Sample:
    """On each connection, send the next request as soon as the previous one is answered."""
    sample, waiting = Sample(), set[int]()
    began = time.perf_counter()
    with select.epoll() as poll:
        for number, connection in connections.items():
            poll.register(number, select.EPOLLIN)
            if (request := next(requests, None)) is not None:
                waiting.add(number)
                connection.ask(request)
        while waiting:
            events = poll.poll(TIMEOUT)
            if not events:
                raise WrongAnswer(f"No answer for {TIMEOUT} seconds.")
            for number, _ in events:
                connection = connections[number]
                if (answer := connection.receive()) is None:
                    continue
                now = time.perf_counter()
                sample.waits.append(now - connection.began)
                require_status(answer, status)
                if keep:
                    sample.answers.append(answer)
                more = next(requests, None) if now - began < seconds else None
                if more is None:
                    waiting.discard(number)
                else:
                    connection.ask(more)
    sample.seconds = time.perf_counter() - began
    return sample
