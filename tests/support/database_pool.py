"""Databases of PostgreSQL that one test after the other uses, and the connections to them.

To make one and to drop it again takes a sixth of a test, and who comes to it anew has the
server plan every statement anew. What was done to one is undone instead (snapshots.py). One
of which that is not sure is dropped, as is one that was used often.
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
from tests.support.snapshots import NotAsBeforeError, Snapshot, looking, put_back, taken

FEW: Final = 4
"""Connections that the next test finds open; a crowd leaves more, and they are closed."""
MOST: Final = 50
"""Times that one is used: what was deleted takes room until then."""
PATIENCE: Final = 10.0
"""Seconds that the last requests of a test may take after the test."""
OTHERS: Final = """SELECT pid, pid = ANY(%(ours)s) OR pg_terminate_backend(pid, 5000)
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid != pg_backend_pid()"""
LENT: Final = set[str]()
"""The URLs of those that will be used again."""

type Making = Callable[[], AbstractContextManager[str]]


@cache
def opened(url: str) -> Database:
    """Open a database once, though another takes its place: what was worked out is kept."""
    return Database(url)


def leave(url: str) -> None:
    """Close what a test opened, but for a few connections where another test follows."""
    engine = opened(url).engine
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    wait_until_returned(pool)
    if url not in LENT or pool.checkedin() > FEW:
        engine.dispose()


def wait_until_returned(pool: QueuePool) -> None:
    """Wait until every connection is back in its pool: one returned later stays open.

    Raises AssertionError if the test ended while its requests still use the database.
    """
    end = monotonic() + PATIENCE
    while pool.checkedout():
        assert monotonic() < end, f"{pool.checkedout()} connections are still in use"
        gc.collect()  # a traceback may refer to the session
        sleep(0.01)


@dataclass
class Reused:
    """One database, what was in it before any test, and how to drop it."""

    url: str
    then: Snapshot
    drop: ExitStack
    uses: int = 0

    def is_as_before(self) -> bool:
        """Put back what is not; say whether that could be done."""
        if self.uses == MOST:
            return False
        engine = opened(self.url).engine
        try:
            alone(engine)
            self.then = put_back(engine, self.then)
        except (NotAsBeforeError, OperationalError):
            return False
        return True

    def ends(self) -> None:
        LENT.discard(self.url)
        opened(self.url).engine.dispose()
        self.drop.close()


def alone(engine: Engine) -> None:
    """End the connections of all others: who still writes would write into the next test.

    Raises NotAsBeforeError: one of ours is gone, or one of theirs stays.
    """
    ours = pooled(engine)
    with looking(engine) as cursor:
        found = dict(cursor.execute(OTHERS, {"ours": list(ours)}).fetchall())
        found[cursor.connection.info.backend_pid] = True
    if not ours <= found.keys() or not all(found.values()):
        raise NotAsBeforeError


def pooled(engine: Engine) -> set[int]:
    """Tell which processes of the server our connections are."""
    pool: Any = engine.pool
    with ExitStack() as stack:
        borrowed: list[Any] = [
            stack.enter_context(closing(engine.raw_connection()))
            for _ in range(pool.checkedin())
        ]
        return {one.driver_connection.info.backend_pid for one in borrowed}


@contextmanager
def lending(template: str, make: Making) -> Iterator[Making]:
    """Lend copies of a database, each of them as that is now."""
    owner = create_engine(template, poolclass=NullPool)
    then, free = taken(owner), list[Reused]()
    owner.dispose()

    def fresh() -> Reused:
        drop = ExitStack()
        url = drop.enter_context(make())
        LENT.add(url)
        return Reused(url, then, drop)

    @contextmanager
    def lent() -> Iterator[str]:
        one = free.pop() if free else fresh()
        if one.uses and not one.is_as_before():
            one.ends()
            one = fresh()
        one.uses += 1
        try:
            yield one.url
        finally:
            free.append(one)

    yield lent
    for one in free:
        one.ends()
