"""PostgreSQL databases that many tests use in turn, and the connections to them.

Creating and dropping a database takes a sixth of the time of a test, and on a new
connection the server has to plan every statement again. Instead, the changes of a test are
undone (see snapshots.py). A database is dropped only if its changes cannot be undone, or
after many uses.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from time import monotonic, sleep
from typing import Any, Final

from psycopg import OperationalError
from sqlalchemy import Engine, NullPool, QueuePool, create_engine

from app.kernel.db import Database
from tests.support.snapshots import (
    NotAsBeforeError,
    Snapshot,
    open_cursor,
    restore_rows,
    take_snapshot,
)

FEW: Final = 4
"""Maximum number of connections that stay open for the next test."""
MOST: Final = 50
"""Maximum number of uses of one database, because deleted rows keep their space."""
PATIENCE: Final = 10.0
"""Maximum number of seconds that requests of a test may take after its end."""
OTHERS: Final = """SELECT pid, pid = ANY(%(ours)s) OR pg_terminate_backend(pid, 5000)
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid != pg_backend_pid()"""
LENT: Final = set[str]()
"""URLs of the existing databases that tests use in turn."""

type Making = Callable[[], AbstractContextManager[str]]


@cache
def open_database(url: str) -> Database:
    """Return the database of a URL; it is cached together with its compiled statements."""
    return Database(url)


def leave_database(url: str) -> None:
    """Close the connections of a test, unless the database is reused and has only a few."""
    engine = open_database(url).engine
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    wait_until_returned(pool)
    if url not in LENT or pool.checkedin() > FEW:
        engine.dispose()


def wait_until_returned(pool: QueuePool) -> None:
    """Wait until every connection has been returned to its pool.

    A connection that is returned later would stay open. Raises AssertionError if the test
    has ended but its requests still use the database.
    """
    end = monotonic() + PATIENCE
    while pool.checkedout():
        assert monotonic() < end, f"{pool.checkedout()} connections are still in use"
        gc.collect()  # a traceback may hold the session
        sleep(0.01)


@dataclass
class Reused:
    """A database that many tests use, with the snapshot of its first state."""

    url: str
    snapshot: Snapshot
    stack: ExitStack
    uses: int = 0

    def is_as_before(self) -> bool:
        """Try to restore the first state, and return whether that succeeded.

        After `MOST` uses, return False without trying.
        """
        if self.uses == MOST:
            return False
        engine = open_database(self.url).engine
        try:
            close_others(engine)
            self.snapshot = restore_rows(engine, self.snapshot)
        except (NotAsBeforeError, OperationalError):
            return False
        return True

    def drop_database(self) -> None:
        LENT.discard(self.url)
        open_database(self.url).engine.dispose()
        self.stack.close()


def close_others(engine: Engine) -> None:
    """Close all connections except the engine's, so that none writes in the next test.

    Raises NotAsBeforeError if a connection of the engine is lost, or if another connection
    cannot be closed.
    """
    ours = get_backend_ids(engine)
    with open_cursor(engine) as cursor:
        found = dict(cursor.execute(OTHERS, {"ours": list(ours)}).fetchall())
        found[cursor.connection.info.backend_pid] = True
    if not ours <= found.keys() or not all(found.values()):
        raise NotAsBeforeError


def get_backend_ids(engine: Engine) -> set[int]:
    """Return the ids of the server processes behind the idle connections of the pool."""
    pool: Any = engine.pool
    with ExitStack() as stack:
        borrowed: list[Any] = [
            stack.enter_context(closing(engine.raw_connection()))
            for _ in range(pool.checkedin())
        ]
        return {one.driver_connection.info.backend_pid for one in borrowed}


@contextmanager
def offer_copies(template: str, make: Making) -> Iterator[Making]:
    """Yield a function that lends copies of the present state of the template database."""
    owner = create_engine(template, poolclass=NullPool)
    then, free = take_snapshot(owner), list[Reused]()
    owner.dispose()

    def create() -> Reused:
        drop = ExitStack()
        url = drop.enter_context(make())
        LENT.add(url)
        return Reused(url, then, drop)

    @contextmanager
    def claim() -> Iterator[str]:
        one = free.pop() if free else create()
        if one.uses and not one.is_as_before():
            one.drop_database()
            one = create()
        one.uses += 1
        try:
            yield one.url
        finally:
            free.append(one)

    yield claim
    for one in free:
        one.drop_database()
