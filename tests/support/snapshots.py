"""What is in a database, kept, and put back into it later.

Of SQLite that is its file. On PostgreSQL to copy a database costs the server a thousand
files, and whoever is connected has to go and to come again. What a test wrote is little:
that is found, and undone, in some milliseconds. Which tables were changed is told by how
many rows they have and by which transaction wrote the last of them: who looks makes sure
that none is on its way.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

type Mark = tuple[int, int]
"""How many rows, and the last transaction that wrote one; of a sequence, where it is."""
type Marks = dict[str, Mark]

SHAPES: Final = (
    *("pg_class", "pg_attribute", "pg_constraint", "pg_index", "pg_trigger"),
    *("pg_proc", "pg_policy", "pg_namespace", "pg_extension", "pg_type"),
)
"""Where PostgreSQL writes what a database is like, but for its rows."""
MARKED: Final = "SELECT '{0}', count(*), coalesce(max(xmin::text::bigint), 0) FROM {0}"
COUNTED: Final = "SELECT '{0}', last_value, is_called::int FROM {0}"
NAMED: Final = """SELECT oid::regclass::text FROM pg_class
    WHERE relkind = %s AND relnamespace = 'public'::regnamespace ORDER BY 1"""
# As who signed in, whom no row is kept from; and no trigger fires.
BEGIN: Final = "SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica"
EMPTY: Final = (0, 0)


class NotAsBeforeError(Exception):
    """A database is not as it was, and to put back its rows is not enough."""


@dataclass(frozen=True)
class Snapshot:
    """What was in a database at one moment."""

    sequences: frozenset[str]
    marks: Marks
    rows: dict[str, bytes]


def copied_to(path: Path, engine: Engine) -> Path:
    """Copy the file of SQLite, which nobody has open meanwhile."""
    engine.dispose()
    return Path(shutil.copyfile(str(engine.url.database), path))


def copied_from(path: Path, engine: Engine) -> None:
    """Make the file of SQLite what it was when it was copied."""
    engine.dispose()
    place = Path(str(engine.url.database))
    for left in place.parent.glob(f"{place.name}-*"):  # its journal and its index
        left.unlink()
    shutil.copyfile(path, place)


@contextmanager
def looking(engine: Engine) -> Iterator[Any]:
    """Look past the service, through a connection that it has open anyway."""
    borrowed = engine.raw_connection()
    try:
        cursor: Any = borrowed.cursor()
        cursor.execute(BEGIN)
        yield cursor
        borrowed.commit()
    finally:
        borrowed.close()


def taken(engine: Engine) -> Snapshot:
    """Keep what is there now."""
    with looking(engine) as cursor:
        tables, sequences = names(cursor, "r"), frozenset(names(cursor, "S"))
        marks = marks_of(cursor, [*SHAPES, *tables, *sequences], sequences)
        full = [table for table in tables if marks[table] != EMPTY]
        return Snapshot(sequences, marks, {table: copied(cursor, table) for table in full})


def names(cursor: Any, kind: str) -> list[str]:
    return [name for (name,) in cursor.execute(NAMED, (kind,))]


def marks_of(cursor: Any, all_of: Iterable[str], sequences: frozenset[str]) -> Marks:
    """Look at many at once."""
    each = [(COUNTED if name in sequences else MARKED).format(name) for name in all_of]
    found = cursor.execute(" UNION ALL ".join(each))
    return {name: (many, last) for name, many, last in found}


def copied(cursor: Any, table: str) -> bytes:
    with cursor.copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(copy)


def put_back(engine: Engine, then: Snapshot) -> Snapshot:
    """Make the rows what they were; say how the same looks from now on.

    Raises NotAsBeforeError: other tables, rights or triggers are there.
    """
    with looking(engine) as cursor:
        now = marks_of(cursor, SHAPES, then.sequences)
        if not now.items() <= then.marks.items():
            raise NotAsBeforeError  # a table may be gone: it cannot be asked for its rows
        rows = [name for name in then.marks if name not in now]
        now |= marks_of(cursor, rows, then.sequences)
        changed = [name for name, mark in now.items() if mark != then.marks[name]]
        if not changed:
            return then
        for name in changed:
            if name in then.sequences:
                at, called = then.marks[name]
                cursor.execute("SELECT setval(%s, %s, %s)", (name, at, bool(called)))
            else:
                fill(cursor, name, then.rows.get(name, b""))
        now |= marks_of(cursor, changed, then.sequences)
    return Snapshot(then.sequences, now, then.rows)


def fill(cursor: Any, table: str, rows: bytes) -> None:
    cursor.execute(f"DELETE FROM {table}")
    if rows:
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            copy.write(rows)
