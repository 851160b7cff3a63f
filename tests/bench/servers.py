"""The two servers: the floor, and the product as `safe-conduct serve` runs it."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from app.cli.demonstrating import keys_for, prepare
from app.cli.grounds import ground_of
from app.demo.cast import KZ_LEAD, UZ_OFFICER, Part
from app.kernel.keyfile import FileKeys
from app.settings import Settings
from tests.bench.client import once
from tests.bench.places import Place
from tests.bench.processes import CLIENTS, SERVERS, cpu_of, free_port, running, wait_until
from tests.bench.sides import Side, request

BIN: Final = Path(sys.executable).parent
READY: Final = b"GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n"
PER_MINUTE: Final = "1000000"
"""The one limit that is not the default: one account asks for all eight clients."""
FIRST_BEAT: Final = 3.0
"""Seconds until a worker of its own was heard of."""

type Keys = Mapping[Part, str]


@contextmanager
def floor_side(place: Place) -> Iterator[Side]:
    """Serve the floor."""
    port, says = free_port(), place.folder / "floor.log"
    command = [sys.executable, "-m", "tests.bench.floor", str(port), place.floor]
    with running(command, SERVERS, says) as process:
        ask = partial(once, port, request("GET", ""), 200)
        wait_until(process, ask, says)
        cpu = partial(cpu_of, process.pid)
        yield Side("floor", port, "none", "none", cpu, place.beside)


@dataclass(frozen=True)
class Product:
    """The product as it is served, and how it started."""

    side: Side
    pid: int
    ready_after: float


def environment(place: Place) -> dict[str, str]:
    """Spell the settings of the product; cases that were copied open by no key."""
    return {
        "SAFE_CONDUCT_DATABASE_URL": place.product,
        "SAFE_CONDUCT_KEY_FILE": str(place.folder / "keys"),
        "SAFE_CONDUCT_ERASURE_LEDGER": str(place.folder / "erasures"),
        "SAFE_CONDUCT_REQUESTS_PER_MINUTE": PER_MINUTE,
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
        "SAFE_CONDUCT_LOST_KEYS": FileKeys.load(place.folder / "keys").current,
    }


def keys_of(place: Place) -> Keys:
    """Make the tables if need be, load the made-up mechanism, and give its cast keys."""
    settings = Settings(
        database_url=place.product,
        key_file=place.folder / "keys",
        erasure_ledger=place.folder / "erasures",
    )
    prepare(settings)
    ground = ground_of(settings)
    keys = keys_for(ground)
    ground.database.engine.dispose()
    return keys


@contextmanager
def product_side(place: Place, keys: Keys | None = None) -> Iterator[Product]:
    """Serve the product as `safe-conduct serve` does, its worker where the settings say."""
    keys = keys or keys_of(place)
    says, port, env = place.folder / "product.log", free_port(), environment(place)
    program = str(BIN / "safe-conduct")
    with ExitStack() as stack:
        if place.postmaster:  # there the worker is a process of its own
            worker = [program, "worker", "run"]
            stack.enter_context(
                running(worker, CLIENTS, place.folder / "worker.log", **env)
            )
            time.sleep(FIRST_BEAT)
        serve = running(
            [program, "serve"], SERVERS, says, SAFE_CONDUCT_PORT=str(port), **env
        )
        process = stack.enter_context(serve)
        after = wait_until(process, partial(once, port, READY, 200), says)
        cpu, beside = partial(cpu_of, process.pid), place.beside
        side = Side("product", port, keys[UZ_OFFICER], keys[KZ_LEAD], cpu, beside)
        yield Product(side, process.pid, after)
