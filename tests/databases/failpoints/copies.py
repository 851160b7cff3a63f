"""Copies of a database, from which a test can restore the database repeatedly."""

import hashlib
import marshal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, text

from app.kernel.db import Base
from tests.support.snapshots import (
    Snapshot,
    copy_file_to,
    restore_file_from,
    restore_rows,
    take_snapshot,
)

type Rows = dict[str, tuple[int, str]]
"""The number of rows of each table, and a digest of their content."""

PLAIN: Final = 2
"""Version of the `marshal` format that always writes equal values as equal bytes."""
TABLES: Final = tuple(sorted(table.name for table in Base.metadata.sorted_tables))


def counts(rows: Rows) -> dict[str, int]:
    return {name: number for name, (number, _) in rows.items()}


def changed(before: Rows, after: Rows) -> list[str]:
    """Return the tables in which two states of a database differ."""
    return [name for name, rows in after.items() if rows != before[name]]


@dataclass
class SqliteCopies:
    """A SQLite file and its copies. No connection is open while the file is copied."""

    engine: Engine
    folder: Path

    def keep(self, name: str) -> None:
        """Keep a copy of the database under a name."""
        copy_file_to(self.folder / f"{name}.db", self.engine)

    def back(self, name: str) -> None:
        """Restore the database from a copy."""
        restore_file_from(self.folder / f"{name}.db", self.engine)

    def rows(self) -> Rows:
        """Return the number of rows and the digest of each table, read from the file."""
        with closing(sqlite3.connect(str(self.engine.url.database))) as connection:
            return {name: hash_table(connection, name) for name in TABLES}


def hash_table(connection: sqlite3.Connection, table: str) -> tuple[int, str]:
    """Return the number of rows of a table, and one digest of all rows."""
    rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
    return len(rows), hashlib.sha256(marshal.dumps(rows, PLAIN)).hexdigest()


@dataclass
class PostgresqlCopies:
    """A PostgreSQL database and snapshots of its earlier content."""

    engine: Engine
    kept: dict[str, Snapshot] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.looking = create_engine(self.engine.url)

    def keep(self, name: str) -> None:
        """Take a snapshot of the database, after removing dead rows that restores left."""
        self.engine.dispose()
        every = ", ".join(f'"{name}"' for name in TABLES)
        with self.looking.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            alone.execute(text(f"VACUUM {every}"))
        self.kept[name] = take_snapshot(self.looking)

    def back(self, name: str) -> None:
        self.engine.dispose()  # a new connection is a point that may fail
        self.kept[name] = restore_rows(self.looking, self.kept[name])

    def rows(self) -> Rows:
        """Return the number of rows and the digest of each table, as the database owner."""
        each = " UNION ALL ".join(
            f"SELECT '{name}', count(*), md5(coalesce(string_agg(r, '' ORDER BY r), ''))"
            f' FROM (SELECT t::text AS r FROM "{name}" t) AS all_of_it'
            for name in TABLES
        )
        with self.looking.connect() as connection:
            return {name: (n, told) for name, n, told in connection.execute(text(each))}


type Copies = SqliteCopies | PostgresqlCopies


@contextmanager
def copies_of(engine: Engine, folder: Path) -> Iterator[Copies]:
    """Yield an object that copies and restores the database of an engine."""
    if engine.dialect.name == "sqlite":
        yield SqliteCopies(engine, folder)
        return
    made = PostgresqlCopies(engine)
    try:
        yield made
    finally:
        made.looking.dispose()
