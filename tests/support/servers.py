"""The service behind a real server on its own port.

`Served` is a world whose people send requests to a server in a thread. `start_server` runs
a server in a process that can be killed.
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
from app.api.http.long_polling import build_feed_watcher
from app.api.http.rate_limits import WrongKeyLimit
from app.api.http.read_slots import ReadSlots
from app.cli.http_server import PROTOCOL, Server
from app.kernel.file_keys import FileKeys
from app.main import create_app
from app.runtime import build_runtime
from tests.support.child_processes import Child, ReportPipe
from tests.support.world import NOON, PUBLIC, World

ROOT: Final = Path(__file__).parents[2]
CHANCE: Final = SystemRandom()
NARROW: Final = 10
"""Number of database connections of a server that has few."""
PATIENCE: Final = 60
"""Maximum number of attempts of a client that obeys Retry-After."""


def report(what: str, found: Iterable[Hashable]) -> None:
    """Log how many times each outcome occurred; `--log-cli-level INFO` shows it."""
    logging.getLogger("safe_conduct.load").info("%s: %s", what, dict(Counter(found)))


def make_server(app: FastAPI) -> Server:
    """Return a server that logs little and keeps idle connections open for ten minutes."""
    return Server(
        Config(
            app,
            log_config=None,
            log_level="error",
            timeout_keep_alive=600,
            server_header=False,
            **PROTOCOL,
        )
    )


def open_port() -> socket:
    """Return a socket that is bound to a free port of this machine."""
    listener = socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def get_address(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def make_client(port: int, most: int = 400) -> Client:
    """Return a client that waits up to 30 seconds for a connection and for a response."""
    limits = httpx2.Limits(max_connections=most, max_keepalive_connections=most)
    return Client(base_url=get_address(port), timeout=30, limits=limits, trust_env=False)


class Served(World):
    """A world whose service runs behind a real server, with real connections."""

    http: Client  # a plain World calls the application itself

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.app.state.bell, self.app.state.turns = (
            build_feed_watcher(self.runtime),
            ReadSlots(),
        )
        listener = open_port()
        self.port: int = listener.getsockname()[1]
        self.server = make_server(self.app)
        self.thread = Thread(target=self.server.run, args=[[listener]])
        self.thread.start()
        self.http.close()
        self.http = make_client(self.port)
        while not self.server.started:
            time.sleep(0.01)

    @override
    def close(self) -> None:
        self.http.close()
        self.server.should_exit = True
        self.thread.join()
        super().close()


@contextmanager
def serve_world(url: str) -> Iterator[Served]:
    """Serve a database while the block runs."""
    world = Served(url)
    try:
        yield world
    finally:
        world.close()


class Killed(Child):
    """A server in a child process, which can be killed."""

    def __init__(self, url: str, keys: Path, *can: str) -> None:
        super().__init__(serve, url, keys, *can)
        self.port = int(self.wait_for_report())

    def get_memory(self) -> int:
        """Return how many bytes of memory the process uses."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) * 1024


@contextmanager
def start_server(url: str, keys: Path, *can: str) -> Iterator[Killed]:
    """Serve a database from another process; `serve` describes the options in `can`."""
    server = Killed(url, keys, *can)
    try:
        yield server
    finally:
        server.kill()


def write_key_file(folder: Path) -> Path:
    """Write the encryption keys of the test world to a file."""
    path = folder / "keys"
    path.touch(0o600)
    path.write_text(f"k1 {base64.b64encode(bytes(range(32))).decode()}\n")
    return path


def retry_as_told(
    ask: Callable[[], Response], statuses: list[int] | None = None
) -> Response:
    """Repeat a request after each `Retry-After` delay until a response has no such header.

    Append each status code to `statuses`. Raises TimeoutError after `PATIENCE` attempts.
    """
    for _ in range(PATIENCE):
        answer = ask()
        if statuses is not None:
            statuses.append(answer.status_code)
        if "Retry-After" not in answer.headers:
            return answer
        time.sleep(int(answer.headers["Retry-After"]))
    raise TimeoutError("The server still answers Retry-After after every try.")


def run_together(*acts: Callable[[], Response], apart: float = 0.004) -> list[Response]:
    """Run functions in threads, each after a random delay of up to `apart` seconds."""
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

    The winner is delayed in the next race, and by twice as much if it wins again. Eight
    races are enough for both to win even on a slow machine. Times are in seconds.
    """

    seconds: float = 0.0
    step: float = 0.002
    winners: list[bool] = field(default_factory=list)

    def update(self, *, first_won: bool) -> None:
        """Record which request won, and adjust the delay of the next race."""
        again = self.winners[-1:] == [first_won]
        self.step = 2 * self.step if again else type(self).step
        self.seconds += self.step if first_won else -self.step
        self.winners.append(first_won)

    def require_race(self) -> None:
        """Raise AssertionError unless each of the two requests was first at least once."""
        assert set(self.winners) == {True, False}, "one side won every race"


def serve(says: ReportPipe, url: str, keys: Path, *can: str) -> None:
    """Serve until the process is killed, and report the port once it is open.

    With the option `wait`, requests can wait for new events. With `narrow`, the server has
    only a few connections to its database.
    """
    if "narrow" in can:
        for module in (app.kernel.db, app.main):
            vars(module)["THREADS"] = NARROW
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    runtime = build_runtime(url, FileKeys.load(keys), lambda: NOON)
    if "narrow" in can:
        assert runtime.database.engine.pool.size() == NARROW  # type: ignore[attr-defined]
    made = create_app(runtime, public_url=PUBLIC)
    made.state.throttle = WrongKeyLimit(
        count(step=60).__next__
    )  # each wrong key seems to come a minute after the last one
    if "wait" not in can:
        made.state.bell.close()
    listener = open_port()
    listener.listen(2048)
    says.send(str(listener.getsockname()[1]))
    make_server(made).run([listener])
