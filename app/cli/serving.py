"""Serving: what must hold before the first request, and one process on SQLite."""

import fcntl
import gc
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from typing import Any, Final, override

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from app.api.waiting import Bell
from app.cli.connections import Connection
from app.kernel.db import OWNER_ROLE, Database, hold, migrated_to, try_hold
from app.kernel.keyfile import FileKeys
from app.kernel.migrations import head, upgrade
from app.kernel.trouble import described
from app.kernel.work import Ground
from app.main import lay_ground
from app.metrics.exposing import Scrapes, exposed
from app.settings import Environment, LogLevel, Settings
from app.webhooks.addresses import read_hosts

HEAD_BYTES: Final = 64 * 1024
"""At most so much of a head is kept; what is over our own limit is refused in words."""
PROTOCOL: Final[Mapping[str, Any]] = {
    "http": Connection,
    "ws": "none",
    "h11_max_incomplete_event_size": HEAD_BYTES,
}
"""How HTTP is read: by h11. The faster parser drops the body of who offers HTTP/2 on the
way, as Java's own client does with each request (uvicorn#2722): referrals arrived empty."""
OFFERS: Final = ("Unsupported upgrade request", "No supported WebSocket library")


class NotReady(Exception):  # noqa: N818 - it says what is missing, as Problem does
    """Something must be done before the service can start."""


def ground_of(settings: Settings) -> Ground:
    """Lay the ground that the settings name; raises KeyRefused, or NotReady.

    Where deadlines ran faster than people can answer, cases would be taken from those who
    help, and erased: so production refuses it.
    """
    if settings.clock_speed > 1 and settings.environment != Environment.DRILL:
        raise NotReady(
            "SAFE_CONDUCT_CLOCK_SPEED is for drills: take it away, or, where no real "
            "person is in the database, set SAFE_CONDUCT_ENVIRONMENT=drill."
        )
    return ground_at_speed(settings)


def ground_at_speed(settings: Settings) -> Ground:
    """Lay the ground for what is made up, however fast its deadlines run."""
    keys = FileKeys.load(settings.key_file)
    return lay_ground(
        settings.database_url,
        keys,
        speed=settings.clock_speed,
        daily_cap=settings.daily_cap,
        hosts=read_hosts(settings.webhook_hosts),
    )


def about_drill(ground: Ground) -> str | None:
    """Say that this is a drill, if it is one."""
    if ground.speed == 1:
        return None
    return f"This is a drill: deadlines run {ground.speed} times as fast."


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
    upgrade(url.render_as_string(hide_password=False))


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
    with Path(f"{path}.lock").open("w") as lock:
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


def listener(settings: Settings) -> socket:
    """Take the port before anything begins that would have to end again; raises NotReady.

    Nobody is let in before it serves: until then connections are refused, as they were.
    """
    taken = socket(AF_INET6 if ":" in settings.host else AF_INET)
    taken.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
    except OSError as error:
        taken.close()
        where = f"{settings.host}:{settings.port}"
        raise NotReady(
            f"SAFE_CONDUCT_PORT: {where} is not to be had. End what listens there, or "
            "set another; SAFE_CONDUCT_HOST is an address of this machine."
        ) from error
    return taken


class Server(uvicorn.Server):
    """A server that lets everybody go who waits for news, before it waits for them."""

    @override
    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End."""
        app: Any = self.config.app
        bell: Bell = app.state.bell
        bell.close()
        await super().shutdown(sockets)


def server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """Make a server that tells nothing of itself and logs nothing but our own lines.

    What was made by now stays: a look for garbage through it would hold up every request
    for a tenth of a second.
    """
    gc.freeze()
    return Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=10,
            **PROTOCOL,
        )
    )


class Lines(logging.Formatter):
    """What libraries log, as lines like ours: without values, and no message of an error.

    Of what they say the first line alone: asyncio puts whole objects into those below.
    """

    @override
    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        line = {
            "event": str(record.msg).partition("\n")[0],
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
        }
        return json.dumps(line | (described(error) if error else {}), ensure_ascii=False)


def is_told(line: logging.LogRecord) -> bool:
    """Say whether what a library logs tells anybody anything: not that of every request."""
    return not str(line.msg).startswith(OFFERS)


def log_lines(level: LogLevel) -> None:
    """Write one JSON line for each thing logged, to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    of_libraries = logging.StreamHandler()
    of_libraries.setFormatter(Lines())
    of_libraries.addFilter(is_told)
    logging.basicConfig(level=logging.WARNING, handlers=[of_libraries])
