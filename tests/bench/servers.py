"""The two servers: the floor, and Safe Conduct as `safe-conduct serve` runs it."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from app.cli.demo_command import prepare, prepare_demo_keys
from app.cli.startup import load_runtime
from app.demo.demo_accounts import KZ_LEAD, UZ_OFFICER, DemoAccount
from app.settings import Settings
from tests.bench.client import send_once
from tests.bench.places import Place
from tests.bench.processes import (
    CLIENTS,
    ROOT,
    SERVERS,
    find_free_port,
    measure_cpu,
    run_program,
    wait_until,
)
from tests.bench.sides import Side, render

BIN: Final = Path(sys.executable).parent
READY: Final = b"GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n"
PER_MINUTE: Final = "1000000"
"""Requests per minute of an account: the maximum, because all clients share one account."""
FIRST_BEAT: Final = 3.0
"""Seconds until the first heartbeat of a separate worker."""

type Keys = Mapping[DemoAccount, str]


@contextmanager
def run_floor(place: Place) -> Iterator[Side]:
    """Run the floor, a minimal server for comparison, while the context is open."""
    port, log = find_free_port(), place.folder / "floor.log"
    command = [sys.executable, "-m", "tests.bench.floor", str(port), place.floor]
    with run_program(command, SERVERS, log) as process:
        ask = partial(send_once, port, render("GET", ""), 200)
        wait_until(process, ask, log)
        cpu = partial(measure_cpu, process.pid)
        yield Side("floor", port, "none", "none", cpu, place.measure_cpu)


@dataclass(frozen=True)
class Product:
    """The running product, and its start-up time in seconds."""

    side: Side
    pid: int
    ready_after: float


def get_environment(place: Place) -> dict[str, str]:
    """Return the settings of Safe Conduct.

    Copied cases cannot be opened, so the settings declare their key as lost.
    """
    return {
        "SAFE_CONDUCT_DATABASE_URL": place.product,
        "SAFE_CONDUCT_KEY_FILE": str(place.folder / "keys"),
        "SAFE_CONDUCT_ERASURE_LEDGER": str(place.folder / "erasures"),
        "SAFE_CONDUCT_REQUESTS_PER_MINUTE": PER_MINUTE,
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
        "SAFE_CONDUCT_UNPROTECTED_UNTIL": "2100-01-01T00:00:00Z",  # copies have no MAC
        "SAFE_CONDUCT_LOST_KEYS": read_current_version(place.folder / "keys"),
    }


def read_current_version(path: Path) -> str:
    """Return the version of the current key, from the last unmarked line of a key file.

    No functions of Safe Conduct are used, because those of another commit can differ.
    """
    lines = [line.split() for line in path.read_text("ascii").splitlines()]
    return [words[0] for words in lines if len(words) == 2][-1]


def prepare_keys(place: Place) -> Keys:
    """Create the tables, load the demonstration offices, and return their API keys."""
    settings = Settings(
        database_url=place.product,
        key_file=place.folder / "keys",
        erasure_ledger=place.folder / "erasures",
    )
    prepare(settings)
    runtime = load_runtime(settings)
    keys = prepare_demo_keys(runtime)
    runtime.database.engine.dispose()
    return keys


@contextmanager
def run_product(
    place: Place, keys: Keys | None = None, root: Path = ROOT
) -> Iterator[Product]:
    """Run `safe-conduct serve`, and on PostgreSQL also a separate worker process.

    `root` is the folder of the working tree that is run.
    """
    keys = keys or prepare_keys(place)
    log, port, env = place.folder / "product.log", find_free_port(), get_environment(place)
    program = str(BIN / "safe-conduct")
    with ExitStack() as stack:
        if place.postmaster:  # the worker is a separate process
            worker = [program, "worker", "run"]
            stack.enter_context(
                run_program(worker, CLIENTS, place.folder / "worker.log", root, **env)
            )
            time.sleep(FIRST_BEAT)
        serve = run_program(
            [program, "serve"], SERVERS, log, root, SAFE_CONDUCT_PORT=str(port), **env
        )
        process = stack.enter_context(serve)
        after = wait_until(process, partial(send_once, port, READY, 200), log)
        cpu, beside = partial(measure_cpu, process.pid), place.measure_cpu
        side = Side("product", port, keys[UZ_OFFICER], keys[KZ_LEAD], cpu, beside)
        yield Product(side, process.pid, after)
