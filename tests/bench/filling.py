"""SQL that fills a database quickly with copies of cases that Safe Conduct wrote.

A copy has all columns of its original, and its own ids, codes, numbers and positions in the
feeds. The copies span ten years. All copies except the newest 2 % are closed and have no
running deadline.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Integer,
    Table,
    Uuid,
    func,
    select,
    text,
)
from sqlalchemy.types import TypeDecorator

from app.kernel.db import Base
from tests.bench.checks import connect, select_numbers

KEPT: Final = frozenset({"heartbeat", "retrieval", "sighting"})
"""Tables that the worker and the pollers write, which are not part of a case."""
GREW: Final = ("entry", "delivery")
"""Tables that already have rows before the first case."""
SPREAD: Final = 2654435761
"""Knuth's factor, which spreads the first bytes of ids as evenly as in random ids."""
DECADE: Final = 10 * 365 * 24 * 3600
RECENT: Final = 0.02
"""The share of copies that are still open."""
COPIES: Final = """
    CREATE TABLE bench_copy (
        c INTEGER PRIMARY KEY, prefix TEXT, shift TEXT, due TEXT, is_over INTEGER)"""

type Say = Callable[[str], None]
type Counts = Mapping[str, int]


@dataclass(frozen=True)
class Spelling:
    """SQL expressions that give a copy its own values, for one kind of database."""

    uuid: str
    instant: str
    instant_by: str


SPELLINGS: Final = {
    "sqlite": Spelling(
        "k.prefix || substr({}, 9)",
        "strftime('%Y-%m-%d %H:%M:%f', {}, k.shift) || '000'",
        "strftime('%Y-%m-%d %H:%M:%f', {}, k.due) || '000'",
    ),
    "postgresql": Spelling(
        "(k.prefix || substr({}::text, 9))::uuid",
        "{} + k.shift::interval",
        "{} + k.due::interval",
    ),
}


def count_rows(url: str) -> Counts:
    """Return the number of rows of each table of Safe Conduct."""
    tables = Base.metadata.sorted_tables
    how_many = [f'SELECT count(*) FROM "{table.name}"' for table in tables]
    return dict(
        zip([table.name for table in tables], select_numbers(url, *how_many), strict=True)
    )


def copy_cases(url: str, before: Counts, cases: int, say: Say) -> None:
    """Copy the existing cases with their rows until there are about `cases` cases.

    The copies have no MAC, because the MACs of the originals do not match them.
    """
    after = count_rows(url)
    copies = max(1, round(cases / after["case"])) - 1
    with connect(url) as connection:
        disable_durability(connection)
        Multiplier(connection, say, before, after).run(copies)
        enable_durability(connection)


def disable_durability(connection: Connection) -> None:
    """Turn off durable commits, and on PostgreSQL also triggers, to write faster."""
    statements = (
        (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "PRAGMA cache_size = -500000",
        )
        if connection.dialect.name == "sqlite"
        else ("SET session_replication_role = replica", "SET synchronous_commit = off")
    )
    for statement in statements:
        connection.execute(text(statement))


def enable_durability(connection: Connection) -> None:
    """Drop the table `bench_copy`, and prepare the filled database for the benchmark.

    SQLite uses a write-ahead log again; PostgreSQL is vacuumed and analyzed. Every other
    setting ends with the connection.
    """
    connection.execute(text("DROP TABLE bench_copy"))
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA journal_mode = WAL"))
    else:
        connection.execute(text("VACUUM ANALYZE"))


class Multiplier:
    """The SQL statements that copy all cases in a database many times."""

    def __init__(
        self, connection: Connection, say: Say, before: Counts, after: Counts
    ) -> None:
        self.connection, self.say = connection, say
        self.spelling = SPELLINGS[connection.dialect.name]
        self.tables = [
            table
            for table in Base.metadata.sorted_tables
            if table.name in GREW
            or (after[table.name] and not before[table.name] and table.name not in KEPT)
        ]
        self.own = frozenset(
            value for table in self.tables for value in self.list_ids(table)
        )

    def list_ids(self, table: Table) -> Iterable[object]:
        """Return the ids of the rows of a table, or nothing if the table has no ids."""
        if "id" not in table.columns:
            return ()
        return self.connection.execute(select(table.columns["id"])).scalars()

    def run(self, copies: int) -> None:
        """Write the given number of copies of all rows, and update feeds and sequences."""
        self.make_copies(copies)
        for table in self.tables:
            made = self.copy(table)
            self.say(f"  {table.name}: {made} more rows")
        self.connection.execute(text(f"UPDATE mailbox SET head = head * {copies + 1}"))
        if self.connection.dialect.name == "postgresql":
            for table in self.tables:
                self.move_sequence(table)

    def make_copies(self, copies: int) -> None:
        """Store the values in which the copies differ. The last copies get recent dates."""
        self.connection.execute(text(COPIES))
        rows = [make_copy(number, copies) for number in range(1, copies + 1)]
        insert = "INSERT INTO bench_copy VALUES (:c, :prefix, :shift, :due, :is_over)"
        self.connection.execute(text(insert), rows)

    def copy(self, table: Table) -> int:
        """Insert all copies of the rows of a table, and return the number of new rows."""
        run = self.connection.execute
        run(text(f'CREATE TEMPORARY TABLE bench_form AS SELECT * FROM "{table.name}"'))
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        values = ", ".join(self.format_value(column) for column in table.columns)
        origin = "bench_copy AS k CROSS JOIN bench_form AS t"
        made = run(
            text(f'INSERT INTO "{table.name}" ({names}) SELECT {values} FROM {origin}')
        )
        run(text("DROP TABLE bench_form"))
        return made.rowcount

    def format_value(self, column: Column[Any]) -> str:
        """Return the SQL for the value of a column in a copy."""
        name = f't."{column.name}"'
        special = self.get_special(name).get((column.table.name, column.name))
        if special is None and column.name == "reference":
            copied = format_reference(name)
            return f"CASE WHEN {name} LIKE 'cases/%' THEN {copied} ELSE {name} END"
        return special or self.convert_by_type(column, name)

    def get_special(self, name: str) -> dict[tuple[str, str], str]:
        """Return the SQL for columns whose type does not show their meaning."""
        shifted, due = self.spelling.instant, self.spelling.instant_by
        over = f"COALESCE({shifted.format(name)}, {due.format('t."due_at"')})"
        head = "SELECT head FROM mailbox AS m WHERE m.focal_point_id = t.focal_point_id"
        return {
            ("case", "code"): format_code(name),
            ("case", "mac"): "NULL",
            ("clock", "mac"): "NULL",
            ("case", "state"): f"CASE WHEN k.is_over = 1 THEN 'closed' ELSE {name} END",
            ("clock", "due_at"): due.format(name),
            ("clock", "stopped_at"): (
                f"CASE WHEN k.is_over = 1 THEN {over} ELSE {shifted.format(name)} END"
            ),
            ("delivery", "position"): f"{name} + k.c * ({head})",
            ("outcome", "key"): f"{name} || '-' || k.c",
        }

    def convert_by_type(self, column: Column[Any], name: str) -> str:
        """Return the SQL for a column, chosen by the type of the column.

        Ids of copied rows and numbers get new values, and times are shifted.
        """
        if is_uuid(column):
            return self.spelling.uuid.format(name) if self.is_own(column) else name
        if isinstance(get_sql_type(column), DateTime):
            return self.spelling.instant.format(name)
        counted = next((key.column for key in column.foreign_keys), column)
        if isinstance(get_sql_type(column), Integer) and counted.name == "number":
            most = self.connection.execute(select(func.max(counted))).scalar_one()
            return f"{name} + k.c * {most}"
        return name

    def is_own(self, column: Column[Any]) -> bool:
        """Return whether a column refers to copied rows.

        Other columns refer to rows such as offices and accounts, which are not copied.
        Raises RuntimeError if a column refers to both.
        """
        named = self.connection.execute(select(column).distinct()).scalars()
        found = {value in self.own for value in named if value is not None}
        if len(found) > 1:
            raise RuntimeError(f"{column} refers to copied rows and to others.")
        return True in found

    def move_sequence(self, table: Table) -> None:
        """Set the sequence of a table, if any, to the highest number in the table."""
        if "number" in table.columns and table.columns["number"].primary_key:
            sequence = f"pg_get_serial_sequence('\"{table.name}\"', 'number')"
            most = f'(SELECT max(number) FROM "{table.name}")'
            self.connection.execute(text(f"SELECT setval({sequence}, {most})"))


def make_copy(number: int, copies: int) -> dict[str, object]:
    """Return the values of one copy. The first copy is the oldest."""
    age = DECADE * (copies - number) // copies
    over = number <= copies * (1 - RECENT)
    due = f"-{age} seconds" if over else f"+{30 * 86400 + number} seconds"
    prefix = f"{number * SPREAD % 2**32:08x}"
    return {
        "c": number,
        "prefix": prefix,
        "shift": f"-{age} seconds",
        "due": due,
        "is_over": int(over),
    }


def format_code(name: str) -> str:
    """Return the SQL for a new case code, whose check character is not correct."""
    middle = "upper(substr(k.prefix, 1, 4) || '-' || substr(k.prefix, 5, 4))"
    return f"'SC-' || {middle} || substr({name}, 13)"


def format_reference(name: str) -> str:
    """Return the SQL for the path of a copied case, such as `cases/SC-...`."""
    return f"'cases/' || {format_code(f'substr({name}, 7)')}"


def get_sql_type(column: Column[Any]) -> object:
    """Return the SQL type of a column, without the type decorator."""
    kind = column.type
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def is_uuid(column: Column[Any]) -> bool:
    """Return whether a column holds ids."""
    return isinstance(get_sql_type(column), Uuid)
