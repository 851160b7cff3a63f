"""A way to make a database fail at its Nth call, as a real database can.

The calls are counted when they reach the driver: each new connection, each statement
including BEGIN and PRAGMA, and each COMMIT both before and after it takes effect. Each of
these is called a point.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Final, NoReturn
from unittest.mock import patch

import psycopg

from app.kernel.db import Database
from tests.support.databases import listen_to

CONNECT: Final = "CONNECT"
COMMIT: Final = "COMMIT"
AFTER: Final = "after COMMIT"


class Way(StrEnum):
    """A way in which a database fails."""

    FULL = "full"
    BROKEN = "broken"
    LOST = "lost"


WAYS: Final = tuple(Way)
SAID: Final = {
    Way.FULL: ("SQLITE_FULL", 13, "53100", "database or disk is full"),
    Way.BROKEN: ("SQLITE_IOERR_WRITE", 778, "58030", "disk I/O error"),
}
"""The error of each way: name and number on SQLite, SQLSTATE on PostgreSQL, and text."""


@dataclass
class Failing:
    """A failure that is injected into one of the counted calls to a database."""

    points: list[str] = field(default_factory=list)
    """The database calls since `begin`, one entry for each."""
    at: int | None = None
    way: Way = Way.FULL
    happened: bool = False

    def begin(self, at: int | None = None, way: Way = Way.FULL) -> None:
        """Start to count the calls from 0. If `at` is given, the call `at` fails."""
        self.points, self.at, self.way, self.happened = [], at, way, False

    def is_due(self, what: str) -> bool:
        """Count a call, and return whether this call has to fail."""
        self.points.append(what)
        due = self.at is not None and len(self.points) == self.at + 1
        self.happened = self.happened or due
        return due

    def fails(self, driver: Any, cursor: Any = None) -> NoReturn:
        """Fail as the driver would, so that the transaction is left in the right state."""
        if isinstance(driver, sqlite3.Connection):
            fail_sqlite(driver, self.way)
        fail_postgresql(driver, self.way, cursor)


def fail_sqlite(driver: sqlite3.Connection, way: Way) -> NoReturn:
    """Raise the error that SQLite raises for a fault.

    The transaction ends before the error of a full disk, and a lost connection is closed.
    """
    if way is Way.LOST:
        driver.close()
        driver.execute("SELECT 1")
    if way is Way.FULL and driver.in_transaction:
        driver.execute("ROLLBACK")
    error = sqlite3.OperationalError(SAID[way][3])
    error.sqlite_errorname, error.sqlite_errorcode = SAID[way][:2]
    raise error


def fail_postgresql(driver: Any, way: Way, cursor: Any) -> NoReturn:
    """Fail as PostgreSQL would: let the server raise an error in the transaction.

    If the way is `LOST`, close the connection and raise `OperationalError` instead.
    """
    if way is not Way.LOST:
        _, _, state, words = SAID[way]
        used_cursor = cursor or driver.cursor()
        used_cursor.execute(
            f"DO $$ BEGIN RAISE '{words}' USING ERRCODE = '{state}'; END $$"
        )
    driver.close()
    raise psycopg.OperationalError("server closed the connection unexpectedly")


@contextmanager
def failing(database: Database) -> Iterator[Failing]:
    """Intercept the calls between a database and its driver while the block runs."""
    watch = Failing()

    def connect(dialect: Any, *_: Any) -> None:
        if watch.is_due(CONNECT):
            raise dialect.loaded_dbapi.OperationalError("no connection")

    def execute(cursor: Any, statement: str, *_: Any) -> None:
        if watch.is_due(statement):
            watch.fails(cursor.connection, cursor)

    def commit(really: Callable[[Any], None], connection: Any) -> None:
        if watch.is_due(COMMIT):
            watch.fails(connection.driver_connection)
        really(connection)
        if watch.is_due(AFTER):
            watch.fails(connection.driver_connection)

    with (
        listen_to(database, "do_connect", connect),
        listen_to(database, "do_execute", execute),
        listen_to(database, "do_executemany", execute),
        listen_to(database, "do_execute_no_params", execute),
        ExitStack() as commits,
    ):
        for dialect in (engine.dialect for engine in database.engines):
            instead = partial(commit, dialect.do_commit)
            commits.enter_context(patch.object(dialect, "do_commit", instead))
        yield watch
