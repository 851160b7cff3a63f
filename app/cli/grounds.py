"""What a command stands on: one database that is migrated, its keys, and nobody beside."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import structlog
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from app.ground import lay_ground
from app.kernel.db import OWNER_ROLE, Database, hold, migrated_to, try_hold
from app.kernel.free_space import MIB, FreeSpace, Place
from app.kernel.keyfile import FileKeys
from app.kernel.migrations import PooledConnection, head, upgrade
from app.kernel.quotas import Quotas
from app.kernel.work import Ground
from app.metrics.exposing import Scrapes, exposed
from app.settings import Environment, Settings
from app.webhooks.addresses import read_hosts


class NotReady(Exception):  # noqa: N818 - it says what is missing, as Problem does
    """Something must be done before the service can start."""


def ground_of(settings: Settings) -> Ground:
    """Lay the ground that the settings name; raises KeyRefused."""
    keys = FileKeys.load(settings.key_file)
    return lay_ground(
        settings.database_url,
        keys,
        speed=settings.clock_speed,
        daily_cap=settings.daily_cap,
        refusals=settings.refused_openings_per_minute,
        quotas=Quotas(settings.open_drafts, settings.sealed_mib_per_day * MIB),
        hosts=read_hosts(settings.webhook_hosts),
        free_space=free_space_of(settings),
        drill=settings.environment == Environment.DRILL,
    )


def free_space_of(settings: Settings) -> FreeSpace:
    """Watch the disks of the files that the settings name; PostgreSQL's own is not seen."""
    url = make_url(settings.database_url)
    files = {
        Place.KEY_FILE: settings.key_file,
        Place.ERASURE_LEDGER: settings.erasure_ledger,
    }
    if url.get_backend_name() == "sqlite" and url.database:
        files[Place.DATABASE] = Path(url.database)
    return FreeSpace(files, settings.low_space_mib * MIB, settings.reserved_space_mib * MIB)


def about_drill(ground: Ground) -> str | None:
    """Say that this is a drill, if it is one."""
    if not ground.is_drill:
        return None
    if ground.speed == 1:
        return "This is a drill: no real person may be in it. Deadlines run as in life."
    return f"This is a drill: deadlines run {ground.speed} times as fast."


def log_drill(ground: Ground) -> None:
    """Log that this is a drill, if it is one."""
    if drill := about_drill(ground):
        structlog.get_logger().warning("drill", said=drill)


def must_be_one(settings: Settings) -> None:
    """Raise NotReady if the migrator and the service would sign in at two databases.

    A copy would be restored and the one that is served renamed, or the other way round.
    """
    if settings.migration_database_url is None:
        return
    owners = Database(settings.migration_database_url, OWNER_ROLE)
    ours = Database(settings.database_url)
    try:
        if not are_one(owners, ours):
            raise NotReady(
                "SAFE_CONDUCT_DATABASE_URL and SAFE_CONDUCT_MIGRATION_DATABASE_URL lead to "
                "two databases: nothing was changed in either. Set both to the same one."
            )
    finally:
        owners.engine.dispose()
        ours.engine.dispose()


def are_one(one: Database, other: Database) -> bool:
    """Say whether two logins lead to the same database.

    On PostgreSQL what one of them holds is held for the other: a copy has the same name,
    and one that was made file by file has the server's identifier as well.
    """
    if one.is_sqlite or other.is_sqlite:
        files = [Path(it.engine.url.database or "").resolve() for it in (one, other)]
        return one.is_sqlite == other.is_sqlite and files[0] == files[1]
    name = token_hex(16)
    with one.reading() as first, other.reading() as second:
        hold(first, name)
        return not try_hold(second, name)


def migrate(settings: Settings) -> None:
    """Bring the database to the newest migration; SQLite's file and folder are made.

    Raises NotReady where the folder cannot be, or two databases are named.
    """
    must_be_one(settings)
    url = make_url(settings.migration_database_url or settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotReady(f"{folder} cannot be made: {error.strerror}.") from error
    try:
        upgrade(url.render_as_string(hide_password=False))
    except PooledConnection as error:
        raise NotReady(str(error)) from error


def new_keys(path: Path) -> FileKeys:
    """Make the first key of a file, or the next one; raises KeyRefused, or NotReady."""
    try:
        return FileKeys.create(path)
    except OSError as error:
        raise NotReady(f"{path} cannot be written: {error.strerror}.") from error


def must_be_migrated(session: Session) -> None:
    """Raise NotReady unless the tables are those this code knows."""
    if migrated_to(session) != head():
        raise NotReady("The database is not at the newest migration: safe-conduct migrate")


@contextmanager
def alone(url: str) -> Iterator[None]:
    """Be the only process that serves this SQLite file; raises NotReady.

    Writers take turns within one process; two would starve each other.
    """
    path = make_url(url).database
    if not url.startswith("sqlite") or path is None:
        yield
        return
    if not Path(path).is_file():
        raise NotReady(f"There is no database at {path}: safe-conduct migrate")
    with Path(f"{path}.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotReady(
                "Another process serves this SQLite file. More than one: PostgreSQL."
            ) from error
        yield


@contextmanager
def exposing(ground: Ground, settings: Settings) -> Iterator[None]:
    """Tell Prometheus how it goes, where the settings say so; raises NotReady."""
    if settings.metrics_port is None:
        yield
        return
    try:
        scrapes = Scrapes(settings.metrics_host, settings.metrics_port)
    except OSError as error:
        where = f"{settings.metrics_host}:{settings.metrics_port}"
        raise NotReady(f"SAFE_CONDUCT_METRICS_PORT: {where} is not to be had.") from error
    with exposed(scrapes, ground):
        yield
