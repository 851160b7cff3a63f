"""The service as the world meets it: a real server, on a port of its own.

`Served` is a world whose people speak HTTP to a server in a thread; `started` runs one in a
process that can be killed.
"""

import base64
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import SystemRandom
from socket import socket
from threading import Barrier, Thread
from typing import Final, override

import httpx2
import structlog
from fastapi import FastAPI
from httpx2 import Client, Response
from uvicorn import Config

import app.kernel.db
import app.main
from app.api.throttling import Throttle
from app.api.turns import Turns
from app.api.waiting import bell_over
from app.cli.serving import PROTOCOL, Server
from app.ground import lay_ground
from app.kernel.keyfile import FileKeys
from app.main import create_app
from tests.support.child_processes import Child, Says
from tests.support.world import NOON, PUBLIC, World

ROOT: Final = Path(__file__).parents[2]
CHANCE: Final = SystemRandom()
NARROW: Final = 10
"""Connections to the database of a server that has few."""
PATIENCE: Final = 60
"""Tries of a client that obeys; the wait between them is what the server asks."""


def report(what: str, found: Iterable[Hashable]) -> None:
    """Say how a load was answered: `pytest --log-cli-level INFO` shows it."""
    logging.getLogger("safe_conduct.load").info("%s: %s", what, dict(Counter(found)))


def server_of(app: FastAPI) -> Server:
    """A server with nothing of its own to say; it keeps connections as long as we do."""
    return Server(
        Config(
            app,
            log_config=None,
            log_level="error",
            timeout_keep_alive=600,
            **PROTOCOL,
        )
    )


def own_port() -> socket:
    """Take a free port of this machine, which nobody else can reach."""
    listener = socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def client_of(port: int, most: int = 400) -> Client:
    """A client that waits for a connection as long as for an answer: 30 seconds."""
    limits = httpx2.Limits(max_connections=most, max_keepalive_connections=most)
    return Client(base_url=address(port), timeout=30, limits=limits, trust_env=False)


class Served(World):
    """A world behind a real server; what is slow or lost is so on a real connection."""

    http: Client  # the other world calls the application itself

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.app.state.bell, self.app.state.turns = bell_over(self.ground), Turns()
        listener = own_port()
        self.port: int = listener.getsockname()[1]
        self.server = server_of(self.app)
        self.thread = Thread(target=self.server.run, args=[[listener]])
        self.thread.start()
        self.http.close()
        self.http = client_of(self.port)
        while not self.server.started:
            time.sleep(0.01)

    @override
    def closes(self) -> None:
        self.http.close()
        self.server.should_exit = True
        self.thread.join()
        super().closes()


@contextmanager
def served(url: str) -> Iterator[Served]:
    """Serve a database as long as the block lasts."""
    world = Served(url)
    try:
        yield world
    finally:
        world.closes()


class Killed(Child):
    """A server in a process of its own."""

    def __init__(self, url: str, keys: Path, *can: str) -> None:
        super().__init__(serve, url, keys, *can)
        self.port = int(self.says())

    def memory(self) -> int:
        """Read how many bytes of memory it has."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) * 1024


@contextmanager
def started(url: str, keys: Path, *can: str) -> Iterator[Killed]:
    """Serve a database from another process; what it `can` do beyond, `serve` says."""
    server = Killed(url, keys, *can)
    try:
        yield server
    finally:
        server.dies()


def key_file(folder: Path) -> Path:
    """Write the keys of the test world to a file."""
    path = folder / "keys"
    path.touch(0o600)
    path.write_text(f"k1 {base64.b64encode(bytes(range(32))).decode()}\n")
    return path


def obeying(ask: Callable[[], Response], heard: list[int] | None = None) -> Response:
    """Ask until there is an answer, and wait in between as long as the server says."""
    for _ in range(PATIENCE):
        answer = ask()
        if heard is not None:
            heard.append(answer.status_code)
        if "Retry-After" not in answer.headers:
            return answer
        time.sleep(int(answer.headers["Retry-After"]))
    raise TimeoutError("The server asks for ever to come back later.")


def together(*acts: Callable[[], Response], apart: float = 0.004) -> list[Response]:
    """Do things at the same moment, give or take some milliseconds, each in its thread."""
    barrier = Barrier(len(acts))

    def start(act: Callable[[], Response]) -> Response:
        barrier.wait()
        time.sleep(CHANCE.uniform(0, apart))
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(start, acts))


@dataclass
class Handicap:
    """A delay of the first of two requests, adjusted so that each of them wins sometimes.

    The winner is delayed in the next race; if it wins again, by twice as much. Eight races
    are enough for both to win on a slow machine. Times are in seconds.
    """

    seconds: float = 0.0
    step: float = 0.002
    winners: list[bool] = field(default_factory=list)

    def adjust(self, *, first_won: bool) -> None:
        """Record who won, and adjust the delay of the next race."""
        again = self.winners[-1:] == [first_won]
        self.step = 2 * self.step if again else type(self).step
        self.seconds += self.step if first_won else -self.step
        self.winners.append(first_won)

    def must_have_raced(self) -> None:
        """Raise AssertionError unless each of the two has won."""
        assert set(self.winners) == {True, False}, "no race at all"


def serve(says: Says, url: str, keys: Path, *can: str) -> None:
    """Serve until killed; say on which port once it is open, and what was our fault.

    Nobody can wait for news, unless it is said that they can `wait`. It has as many
    connections to its database as ever, unless it is said to be `narrow`.
    """
    if "narrow" in can:
        for module in (app.kernel.db, app.main):
            vars(module)["THREADS"] = NARROW
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    ground = lay_ground(url, FileKeys.load(keys), lambda: NOON)
    if "narrow" in can:
        assert ground.database.engine.pool.size() == NARROW  # type: ignore[attr-defined]
    made = create_app(ground, public_url=PUBLIC)
    made.state.throttle = Throttle(count(step=60).__next__)  # each wrong key a minute later
    if "wait" not in can:
        made.state.bell.close()
    listener = own_port()
    listener.listen(2048)
    says.send(str(listener.getsockname()[1]))
    server_of(made).run([listener])
