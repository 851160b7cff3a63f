"""Snapshots of a database that can be restored.

On SQLite a snapshot is a copy of the file. On PostgreSQL a copy of a database would cost
the server a thousand files, and every connection would have to be closed. Instead, the few
changes of a test are found and undone within milliseconds. A table has changed if its
number of rows or the last transaction that wrote a row is different. While a snapshot is
taken or restored, no transaction may be open.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

type Mark = tuple[int, int]
"""A count of rows and the last transaction that wrote one, or a position of a sequence."""
type Marks = dict[str, Mark]

SHAPES: Final = (
    "pg_class",
    "pg_attribute",
    "pg_constraint",
    "pg_index",
    "pg_trigger",
    "pg_proc",
    "pg_policy",
    "pg_namespace",
    "pg_extension",
    "pg_type",
)
"""Catalogs in which PostgreSQL stores everything about a database except its rows."""
MARKED: Final = "SELECT '{0}', count(*), coalesce(max(xmin::text::bigint), 0) FROM {0}"
COUNTED: Final = "SELECT '{0}', last_value, is_called::int FROM {0}"
NAMED: Final = """SELECT oid::regclass::text FROM pg_class
    WHERE relkind = %s AND relnamespace = 'public'::regnamespace ORDER BY 1"""
# The role that signed in sees every row; in replica mode no trigger fires.
BEGIN: Final = "SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica"
EMPTY: Final = (0, 0)


class NotAsBeforeError(Exception):
    """A database differs from its first state, and restoring its rows is not enough."""


@dataclass(frozen=True)
class Snapshot:
    """The content of a database at one moment."""

    sequences: frozenset[str]
    marks: Marks
    rows: dict[str, bytes]


def copy_file_to(path: Path, engine: Engine) -> Path:
    """Copy the SQLite file of an engine. No other process may have the file open."""
    engine.dispose()
    return Path(shutil.copyfile(str(engine.url.database), path))


def restore_file_from(path: Path, engine: Engine) -> None:
    """Restore the SQLite file of an engine from a copy."""
    engine.dispose()
    place = Path(str(engine.url.database))
    for left in place.parent.glob(f"{place.name}-*"):  # its journal and its index
        left.unlink()
    shutil.copyfile(path, place)


@contextmanager
def open_cursor(engine: Engine) -> Iterator[Any]:
    """Yield a cursor that sees all rows and fires no triggers."""
    borrowed = engine.raw_connection()
    try:
        cursor: Any = borrowed.cursor()
        cursor.execute(BEGIN)
        yield cursor
        borrowed.commit()
    finally:
        borrowed.close()


def take_snapshot(engine: Engine) -> Snapshot:
    """Return a snapshot of the database."""
    with open_cursor(engine) as cursor:
        tables, sequences = list_names(cursor, "r"), frozenset(list_names(cursor, "S"))
        marks = read_marks(cursor, [*SHAPES, *tables, *sequences], sequences)
        full = [table for table in tables if marks[table] != EMPTY]
        return Snapshot(
            sequences, marks, {table: copy_table(cursor, table) for table in full}
        )


def list_names(cursor: Any, kind: str) -> list[str]:
    return [name for (name,) in cursor.execute(NAMED, (kind,))]


def read_marks(cursor: Any, all_of: Iterable[str], sequences: frozenset[str]) -> Marks:
    """Return marks that change whenever a table or sequence changes, read in one query."""
    each = [(COUNTED if name in sequences else MARKED).format(name) for name in all_of]
    found = cursor.execute(" UNION ALL ".join(each))
    return {name: (many, last) for name, many, last in found}


def copy_table(cursor: Any, table: str) -> bytes:
    with cursor.copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(copy)


def restore_rows(engine: Engine, then: Snapshot) -> Snapshot:
    """Restore the rows of a snapshot, and return the snapshot with its new marks.

    Raises NotAsBeforeError if tables, rights or triggers have changed.
    """
    with open_cursor(engine) as cursor:
        now = read_marks(cursor, SHAPES, then.sequences)
        if not now.items() <= then.marks.items():
            raise NotAsBeforeError  # a table may be gone, so its rows cannot be counted
        rows = [name for name in then.marks if name not in now]
        now |= read_marks(cursor, rows, then.sequences)
        changed = [name for name, mark in now.items() if mark != then.marks[name]]
        if not changed:
            return then
        for name in changed:
            if name in then.sequences:
                at, called = then.marks[name]
                cursor.execute("SELECT setval(%s, %s, %s)", (name, at, bool(called)))
            else:
                fill(cursor, name, then.rows.get(name, b""))
        now |= read_marks(cursor, changed, then.sequences)
    return Snapshot(then.sequences, now, then.rows)


def fill(cursor: Any, table: str, rows: bytes) -> None:
    cursor.execute(f"DELETE FROM {table}")
    if rows:
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            copy.write(rows)
