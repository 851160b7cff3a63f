"""Functions that prepare a command: runtime, migrations, SQLite lock and metrics."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from secrets import token_hex

import structlog
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from app.cli.transit import build_key_service
from app.kernel import durable, keyfile
from app.kernel.db import OWNER_ROLE, Database, claim_name, lock_name
from app.kernel.file_keys import FileKeys
from app.kernel.free_space import MIB, FreeSpace, Place
from app.kernel.quotas import Quotas
from app.kernel.schema_version import get_current_migration, get_newest_migration
from app.kernel.transactions import Runtime
from app.metrics.server import MetricsServer, run_metrics_server
from app.runtime import build_runtime
from app.settings import Environment, Settings
from app.webhooks.addresses import parse_hosts


class NotReady(Exception):  # noqa: N818 - named by its meaning, like Problem
    """The command cannot run until the operator has corrected the setup."""


def load_runtime(settings: Settings) -> Runtime:
    """Build the runtime from the settings. Raises KeyRefused for an invalid key file."""
    keys = FileKeys.load(settings.key_file, build_key_service(settings))
    return build_runtime(
        settings.database_url,
        keys,
        speed=settings.clock_speed,
        daily_cap=settings.daily_cap,
        refusals=settings.refused_openings_per_minute,
        quotas=Quotas(settings.open_drafts, settings.sealed_mib_per_day * MIB),
        hosts=parse_hosts(settings.webhook_hosts),
        free_space=build_free_space(settings),
        drill=settings.environment == Environment.DRILL,
        person_keys=settings.person_keys,
        unprotected_until=settings.unprotected_until,
    )


def replace_file(path: Path, text: str) -> None:
    """Replace the content of a file atomically. Raises NotReady if it cannot be written."""
    try:
        durable.replace(path, text)
    except OSError as error:
        raise NotReady(f"{path} cannot be written: {error.strerror}.") from error


def build_free_space(settings: Settings) -> FreeSpace:
    """Return an object that checks the free disk space for the files in the settings.

    The disk of a PostgreSQL server is not checked.
    """
    url = make_url(settings.database_url)
    files = {
        Place.KEY_FILE: settings.key_file,
        Place.ERASURE_LEDGER: settings.erasure_ledger,
    }
    if url.get_backend_name() == "sqlite" and url.database:
        files[Place.DATABASE] = Path(url.database)
    return FreeSpace(files, settings.low_space_mib * MIB, settings.reserved_space_mib * MIB)


def describe_drill(runtime: Runtime) -> str | None:
    """Return the sentence that announces a drill, or None if this is not a drill."""
    if not runtime.is_drill:
        return None
    if runtime.speed == 1:
        return "This is a drill: store no real person in it. Deadlines run at normal speed."
    return f"This is a drill: deadlines run {runtime.speed} times as fast."


def log_drill(runtime: Runtime) -> None:
    """Log a warning if this is a drill."""
    if drill := describe_drill(runtime):
        structlog.get_logger().warning("drill", said=drill)


def require_one_database(settings: Settings) -> None:
    """Raise NotReady if the two database settings name different databases.

    Otherwise, a restore could change one database while the service uses the other.
    """
    if settings.migration_database_url is None:
        return
    owners = Database(settings.migration_database_url, OWNER_ROLE)
    service = Database(settings.database_url)
    try:
        if not is_same_database(owners, service):
            raise NotReady(
                "SAFE_CONDUCT_DATABASE_URL and SAFE_CONDUCT_MIGRATION_DATABASE_URL name "
                "two databases. Neither was changed. Set both to the same database."
            )
    finally:
        owners.engine.dispose()
        service.engine.dispose()


def is_same_database(one: Database, other: Database) -> bool:
    """Return whether two logins use the same database.

    On PostgreSQL, one login takes an advisory lock, and the other login tries to take the
    same lock. The name of the database and the identifier of the server are not compared,
    because a copy can have the same name and identifier.
    """
    if one.is_sqlite or other.is_sqlite:
        paths = [database.engine.url.database or "" for database in (one, other)]
        first_file, second_file = (Path(path).resolve() for path in paths)
        return one.is_sqlite == other.is_sqlite and first_file == second_file
    name = token_hex(16)
    with one.begin_read() as first, other.begin_read() as second:
        lock_name(first, name)
        return not claim_name(second, name)


def migrate(settings: Settings) -> None:
    """Upgrade the database to the newest migration, and create an SQLite file if needed.

    Raises NotReady if the folder of the file cannot be created, if the settings name two
    different databases, or if the connection goes through a pooler.
    """
    from app.kernel.migrations import (  # noqa: PLC0415 - only commands that migrate need it
        PooledConnection,
        upgrade,
    )

    require_one_database(settings)
    url = make_url(settings.migration_database_url or settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotReady(f"{folder} cannot be created: {error.strerror}.") from error
    try:
        upgrade(url.render_as_string(hide_password=False))
    except PooledConnection as error:
        raise NotReady(str(error)) from error


def add_key(settings: Settings, *, is_standby: bool = False) -> str:
    """Add a key to the key file, or create the file, and return the version of the key.

    Raises NotReady if the file cannot be written.
    """
    service = build_key_service(settings)
    add = partial(keyfile.add_key, is_standby=is_standby, service=service)
    return write_keys(settings.key_file, add)


def write_keys[A](path: Path, write: Callable[[Path], A]) -> A:
    """Call `write`, which changes a key file, and return the result.

    Raises NotReady if the file cannot be written. A FileExistsError is not converted.
    """
    try:
        return write(path)
    except FileExistsError:
        raise
    except OSError as error:
        raise NotReady(f"{path} cannot be written: {error.strerror}.") from error


def require_migrated(session: Session) -> None:
    """Raise NotReady unless the database is at the newest migration of this code."""
    if get_current_migration(session) != get_newest_migration():
        raise NotReady(
            "The database is not at the newest migration. Run: safe-conduct migrate"
        )


@contextmanager
def claim_sqlite_file(url: str) -> Iterator[None]:
    """Lock an SQLite file for this process, or raise NotReady if another process has it.

    Writers take turns within one process, but two processes would block each other. Raises
    NotReady if there is no file. Nothing is locked for PostgreSQL.
    """
    path = make_url(url).database
    if not url.startswith("sqlite") or path is None:
        yield
        return
    if not Path(path).is_file():
        raise NotReady(f"There is no database at {path}. Run: safe-conduct migrate")
    with Path(f"{path}.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotReady(
                "Another process uses this SQLite file. Stop that process, or use "
                "PostgreSQL to run several processes."
            ) from error
        yield


@contextmanager
def serve_metrics(runtime: Runtime, settings: Settings) -> Iterator[None]:
    """Serve metrics for Prometheus if a port is set, or raise NotReady if that fails."""
    if settings.metrics_port is None:
        yield
        return
    try:
        scrapes = MetricsServer(settings.metrics_host, settings.metrics_port)
    except OSError as error:
        where = f"{settings.metrics_host}:{settings.metrics_port}"
        raise NotReady(
            f"SAFE_CONDUCT_METRICS_PORT: {where} is not available. Set another port."
        ) from error
    with run_metrics_server(scrapes, runtime):
        yield
