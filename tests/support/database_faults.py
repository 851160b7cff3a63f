"""Ways in which something cannot be written: the rules of a table, a lock, a full disk."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Final

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from tests.support.databases import ask, listening
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


def kind(world: World) -> str:
    return world.database.engine.dialect.name


@contextmanager
def refusing(world: World, url: str, table: str) -> Iterator[None]:
    """As long as the block lasts, nothing can be written to a table."""
    ask(url, *(how.format(table=table) for how in REFUSING[kind(world)]))
    yield
    ask(url, *ALLOWING[kind(world)])


@contextmanager
def locked(world: World, url: str, table: str) -> Iterator[None]:
    """Let somebody else hold a table, on SQLite the whole file; nobody waits for long."""
    with in_haste(world), holding(world, url, table):
        yield


@contextmanager
def holding(world: World, url: str, table: str) -> Iterator[None]:
    """Hold a table from outside of the service."""
    if kind(world) == "sqlite":
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
def in_haste(world: World) -> Iterator[None]:
    """Let the service wait for a lock for a moment, and not for seconds."""
    if kind(world) == "sqlite":
        with saying(world, "PRAGMA busy_timeout = 20"):
            yield
        return

    def hurry(connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '20ms'")

    with listening(world.database, "begin", hurry):
        yield


@contextmanager
def saying(world: World, pragma: str) -> Iterator[None]:
    """Say something to every connection of SQLite that is opened within the block."""

    def say(connection: Any, _: object) -> None:
        connection.execute(pragma)

    world.database.engine.dispose()
    with listening(world.database, "connect", say):
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
"""On SQLite the disk is really full; on PostgreSQL the server says so."""


@contextmanager
def without_room(world: World, url: str, table: str) -> Iterator[None]:
    """Let there be no room on the disk for a row of a table and what goes with it."""
    ask(url, *(how.format(table=table) for how in FULL[kind(world)]))
    if kind(world) == "sqlite":
        [(pages,)] = ask(url, "PRAGMA page_count")
        with saying(world, f"PRAGMA max_page_count = {pages}"):
            yield
        ask(url, "DROP TRIGGER full", "DROP TABLE ballast")
        return
    yield
    ask(url, *ALLOWING["postgresql"])


BREAKS: Final[dict[str, Break]] = {
    "refused": refusing,
    "locked": locked,
    "full": without_room,
}
