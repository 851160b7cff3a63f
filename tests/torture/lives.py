"""The processes of an installation, which are killed and restarted on the same ports."""

import os
import signal
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from socket import socket
from typing import Final

from tests.torture.service import ProcessOptions, start

PORTS: Final = range(20_000, 30_000)
"""Ports of servers, below the ports that the system gives to clients."""
START_TIMEOUT: Final = 30.0
"""Seconds that a process may take to start. A longer start is a finding."""
STOP_TIMEOUT: Final = 5.0
"""Seconds that a process may take to end after SIGTERM (R57)."""
STARTED_EVENT: Final = "worker.begun"
POLL_SECONDS: Final = 0.01


class Broken(Exception):  # noqa: N818 - without a suffix, as Problem classes are
    """The run cannot continue, which counts as a finding."""


@dataclass
class ServiceProcess:
    """A process of the service, which may be restarted several times."""

    name: str
    options: ProcessOptions
    run: str
    port: int | None = None
    process: ForkServerProcess | None = None
    lives: int = 0
    logged: int = 0
    """The size of the log when the process was last started."""

    @property
    def address(self) -> str:
        """The URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The id of the running process. Raises Broken if the process is not running."""
        if self.process is None or self.process.pid is None or not self.process.is_alive():
            raise Broken(f"The {self.name} ended by itself: see {self.options.log}")
        return self.process.pid

    def start(self) -> None:
        """Start the process."""
        log = self.options.log
        self.logged = log.stat().st_size if log.exists() else 0
        self.process, self.lives = start(self.options, self.run), self.lives + 1

    def is_up(self) -> bool:
        """Return whether a server answers, or a worker has logged that it started."""
        if self.port is None:
            return STARTED_EVENT in self.read_log()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=2)) as connection:
            try:
                connection.request("GET", "/livez")
                return connection.getresponse().status == HTTPStatus.OK
            except (OSError, HTTPException):
                return False

    def read_log(self) -> str:
        """Return the log since the last start."""
        log = self.options.log
        if not log.exists():
            return ""
        with log.open() as lines:
            lines.seek(self.logged)
            return lines.read()

    def wait_until_up(self) -> None:
        """Wait until the process is up, or raise Broken if it ends or takes too long."""
        until = time.monotonic() + START_TIMEOUT
        while not self.is_up():
            if not self.pid or time.monotonic() > until:
                raise Broken(f"The {self.name} did not answer in {START_TIMEOUT} seconds.")
            time.sleep(POLL_SECONDS)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process, and wait until it has ended."""
        self.send_signal(signal.SIGKILL)
        self.wait_for_end()

    def wait_for_end(self, within: float = START_TIMEOUT) -> float:
        """Wait until the process ends, and return the seconds that it took.

        Raises Broken if the process still runs after `within` seconds.
        """
        began = time.monotonic()
        if self.process is not None:
            self.process.join(within)
            if self.process.is_alive():
                raise Broken(f"The {self.name} did not end in {within} seconds.")
            self.process.close()
            self.process = None
        return time.monotonic() - began

    def set_clock_error(self, seconds: int) -> None:
        """Set the error of the clock for the next start."""
        self.options = replace(self.options, wrong_by=seconds)


@dataclass
class Installation:
    """The processes of an installation.

    On SQLite there is one process. On PostgreSQL there are several servers and a worker.
    """

    url: str
    lives: list[ServiceProcess]

    @property
    def servers(self) -> list[ServiceProcess]:
        """The processes that serve requests."""
        return [life for life in self.lives if life.port is not None]

    def start(self) -> None:
        """Start all processes that are not running, and wait until they are up."""
        for life in self.lives:
            if life.process is None:
                life.start()
        for life in self.lives:
            life.wait_until_up()

    def stop(self) -> None:
        """Kill all processes."""
        for life in self.lives:
            if life.process is not None:
                life.process.kill()
                life.process.join()
                life.process = None


@dataclass(frozen=True)
class Plan:
    """The settings of an installation, and the fault that is planted in it."""

    url: str
    home: Path
    keys: Path
    log: Path
    speed: int
    plant: str | None = None
    servers: int = 2
    ports: list[int] = field(default_factory=list)

    def make_settings(self, **more: object) -> Mapping[str, str]:
        """Return the settings as environment variables, with rate limits disabled."""
        values: dict[str, object] = {
            "DATABASE_URL": self.url,
            "KEY_FILE": self.keys,
            "ERASURE_LEDGER": self.home / "erasures",
            "ENVIRONMENT": "drill",
            "CLOCK_SPEED": self.speed,
            "REQUESTS_PER_MINUTE": 1_000_000,
            "DAILY_CAP": 100_000,
            "REFUSED_OPENINGS_PER_MINUTE": 100_000,
            "LOG_LEVEL": "warning",
        }
        return {
            f"SAFE_CONDUCT_{name}": str(value) for name, value in (values | more).items()
        }

    def make_options(self, **more: object) -> ProcessOptions:
        """Return the options of a process."""
        return ProcessOptions(self.make_settings(**more), self.log, plant=self.plant)

    def make_server(self, name: str, chance: Random, **more: object) -> ServiceProcess:
        """Return a server with its own port."""
        port = find_free_port(chance)
        return ServiceProcess(name, self.make_options(PORT=port, **more), "serve", port)

    def make_installation(self, chance: Random) -> Installation:
        """Return an installation like that of an operator."""
        if self.url.startswith("sqlite"):
            return Installation(self.url, [self.make_server("server and worker", chance)])
        servers = [self.make_server("server", chance) for _ in range(self.servers)]
        options = replace(self.make_options(LOG_LEVEL="info"), log=self.home / "worker.log")
        worker = ServiceProcess("worker", options, "work")
        return Installation(self.url, [*servers, worker])


def find_free_port(chance: Random) -> int:
    """Return a random port on which no process listens, outside the range for clients."""
    while True:
        port = chance.choice(PORTS)
        with socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) != 0:
                return port
