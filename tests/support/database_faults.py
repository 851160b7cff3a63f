"""Faults that make a database refuse a write: a trigger, a lock, a full disk."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Final

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from tests.support.databases import ask, listen_to
from tests.support.world import World

type Break = Callable[[World, str, str], AbstractContextManager[None]]

REFUSING = {
    "sqlite": (
        """CREATE TRIGGER full BEFORE INSERT ON {table}
        BEGIN SELECT RAISE(ABORT, 'full'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'full'; END $$""",
        """CREATE TRIGGER full_now BEFORE INSERT ON {table}
        EXECUTE FUNCTION refuse()""",
    ),
}
ALLOWING = {
    "sqlite": ("DROP TRIGGER full",),
    "postgresql": ("DROP FUNCTION refuse CASCADE",),
}


def get_dialect(world: World) -> str:
    return world.database.engine.dialect.name


@contextmanager
def fail_inserts(world: World, url: str, table: str) -> Iterator[None]:
    """Refuse every insert into a table while the block runs."""
    ask(url, *(how.format(table=table) for how in REFUSING[get_dialect(world)]))
    yield
    ask(url, *ALLOWING[get_dialect(world)])


@contextmanager
def lock_table(world: World, url: str, table: str) -> Iterator[None]:
    """Lock a table (on SQLite the database), and make the service wait only briefly."""
    with limit_lock_wait(world), lock_from_outside(world, url, table):
        yield


@contextmanager
def lock_from_outside(world: World, url: str, table: str) -> Iterator[None]:
    """Lock a table from a separate connection. On SQLite, lock the whole database."""
    if get_dialect(world) == "sqlite":
        file = str(make_url(url).database)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    engine = create_engine(make_url(url), poolclass=NullPool)
    with engine.begin() as other:
        other.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
        yield


@contextmanager
def limit_lock_wait(world: World) -> Iterator[None]:
    """Limit the time for which the service waits for a lock to 20 milliseconds."""
    if get_dialect(world) == "sqlite":
        with run_pragma(world, "PRAGMA busy_timeout = 20"):
            yield
        return

    def limit_wait(connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '20ms'")

    with listen_to(world.database, "begin", limit_wait):
        yield


@contextmanager
def run_pragma(world: World, pragma: str) -> Iterator[None]:
    """Run a pragma on every SQLite connection that is opened within the block."""

    def execute(connection: Any, _: object) -> None:
        connection.execute(pragma)

    world.database.engine.dispose()
    with listen_to(world.database, "connect", execute):
        yield
    world.database.engine.dispose()


FULL: Final = {
    "sqlite": (
        "CREATE TABLE ballast (weight BLOB)",
        """CREATE TRIGGER full AFTER INSERT ON {table}
        BEGIN INSERT INTO ballast VALUES (zeroblob(1000000)); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$""",
        """CREATE TRIGGER full_now AFTER INSERT ON {table}
        EXECUTE FUNCTION refuse()""",
    ),
}
"""Statements that make an insert need 1 MB on SQLite, and make it fail on PostgreSQL."""


@contextmanager
def fill_disk(world: World, url: str, table: str) -> Iterator[None]:
    """Make every insert into a table fail as if the disk were full."""
    ask(url, *(how.format(table=table) for how in FULL[get_dialect(world)]))
    if get_dialect(world) == "sqlite":
        [(pages,)] = ask(url, "PRAGMA page_count")
        with run_pragma(world, f"PRAGMA max_page_count = {pages}"):
            yield
        ask(url, "DROP TRIGGER full", "DROP TABLE ballast")
        return
    yield
    ask(url, *ALLOWING["postgresql"])


BREAKS: Final[dict[str, Break]] = {
    "refused": fail_inserts,
    "locked": lock_table,
    "full": fill_disk,
}
