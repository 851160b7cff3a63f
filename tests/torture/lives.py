"""The processes of one installation: begun, killed, and begun again, on the same ports."""

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

from tests.torture.service import Orders, begin

PORTS: Final = range(20_000, 30_000)
"""Below those that a client's own end of a connection is given."""
BEGINS: Final = 30.0
"""Seconds that a process may take to answer: more is a finding."""
ENDS: Final = 5.0
"""Seconds that a process may take to end when it is told to (R57)."""
BEGUN: Final = "worker.begun"
LOOKS: Final = 0.01


class Broken(Exception):  # noqa: N818 - it says what happened
    """The run cannot go on; this is a finding too."""


@dataclass
class Life:
    """One process of the service, in the life it is in."""

    name: str
    orders: Orders
    run: str
    port: int | None = None
    process: ForkServerProcess | None = None
    lives: int = 0
    logged: int = 0
    """How long the log was when this life began."""

    @property
    def address(self) -> str:
        """Where it answers, if it serves."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process, as long as there is one; raises Broken if it ended by itself."""
        if self.process is None or self.process.pid is None or not self.process.is_alive():
            raise Broken(f"The {self.name} ended by itself: see {self.orders.log}")
        return self.process.pid

    def begin(self) -> None:
        """Begin a life."""
        log = self.orders.log
        self.logged = log.stat().st_size if log.exists() else 0
        self.process, self.lives = begin(self.orders, self.run), self.lives + 1

    def is_up(self) -> bool:
        """Say whether it answers; whoever only works says in its log that it has begun."""
        if self.port is None:
            return BEGUN in self.said()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=2)) as asked:
            try:
                asked.request("GET", "/livez")
                return asked.getresponse().status == HTTPStatus.OK
            except (OSError, HTTPException):
                return False

    def said(self) -> str:
        """Read what it logged in this life."""
        log = self.orders.log
        if not log.exists():
            return ""
        with log.open() as lines:
            lines.seek(self.logged)
            return lines.read()

    def must_be_up(self) -> None:
        """Wait until it answers; raises Broken if it ends, or takes too long."""
        until = time.monotonic() + BEGINS
        while not self.is_up():
            if not self.pid or time.monotonic() > until:
                raise Broken(f"The {self.name} did not answer in {BEGINS} seconds.")
            time.sleep(LOOKS)

    def signals(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def dies(self) -> None:
        """Kill it: it can say nothing more."""
        self.signals(signal.SIGKILL)
        self.ends()

    def ends(self, within: float = BEGINS) -> float:
        """Wait until it has ended; say how long that took, or raise Broken."""
        began = time.monotonic()
        if self.process is not None:
            self.process.join(within)
            if self.process.is_alive():
                raise Broken(f"The {self.name} did not end in {within} seconds.")
            self.process.close()
            self.process = None
        return time.monotonic() - began

    def is_wrong_by(self, seconds: int) -> None:
        """Give the machine of the next life a wrong clock."""
        self.orders = replace(self.orders, wrong_by=seconds)


@dataclass
class Installation:
    """What an operator would run: one process on SQLite, else servers and a worker."""

    url: str
    lives: list[Life]

    @property
    def servers(self) -> list[Life]:
        """List those that answer."""
        return [life for life in self.lives if life.port is not None]

    def begin(self) -> None:
        """Begin all that is not there, and wait until it is."""
        for life in self.lives:
            if life.process is None:
                life.begin()
        for life in self.lives:
            life.must_be_up()

    def end(self) -> None:
        """End it all, whatever state it is in."""
        for life in self.lives:
            if life.process is not None:
                life.process.kill()
                life.process.join()
                life.process = None


@dataclass(frozen=True)
class Plan:
    """What to install: where, with which keys, and which fault in it."""

    url: str
    home: Path
    keys: Path
    log: Path
    speed: int
    plant: str | None = None
    servers: int = 2
    ports: list[int] = field(default_factory=list)

    def settings(self, **more: object) -> Mapping[str, str]:
        """Spell the settings, of an installation that slows nobody down on purpose."""
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

    def orders(self, **more: object) -> Orders:
        """Say how a process is to live."""
        return Orders(self.settings(**more), self.log, plant=self.plant)

    def server(self, name: str, chance: Random, **more: object) -> Life:
        """Plan a process that serves, on a port of its own."""
        port = free_port(chance)
        return Life(name, self.orders(PORT=port, **more), "serve", port)

    def installed(self, chance: Random) -> Installation:
        """Plan what an operator would run."""
        if self.url.startswith("sqlite"):
            return Installation(self.url, [self.server("server and worker", chance)])
        servers = [self.server("server", chance) for _ in range(self.servers)]
        orders = replace(self.orders(LOG_LEVEL="info"), log=self.home / "worker.log")
        worker = Life("worker", orders, "work")
        return Installation(self.url, [*servers, worker])


def free_port(chance: Random) -> int:
    """Find a port that is free now and that no client is given by chance."""
    while True:
        port = chance.choice(PORTS)
        with socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) != 0:
                return port
