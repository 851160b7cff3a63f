"""Many cases, fast: what the product itself wrote of some is written again by SQL.

So rows are as plausible as any, and a column that is added tomorrow is filled as well. A
copy has ids, codes, numbers and places in the feeds of its own. It is ten years of cases:
all but the newest are closed and wait for nobody.
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
from tests.bench.checks import asked, connected

KEPT: Final = frozenset({"heartbeat", "retrieval", "sighting"})
"""What the worker and the pollers write of themselves is no part of a case."""
GREW: Final = ("entry", "delivery")
"""Filled before there was a case, and by cases too."""
SPREAD: Final = 2654435761
"""Knuth's factor: the beginnings of ids are as far apart as those of random ones."""
DECADE: Final = 10 * 365 * 24 * 3600
RECENT: Final = 0.02
"""So many of a hundred are not over yet."""
COPIES: Final = """
    CREATE TABLE bench_copy (
        c INTEGER PRIMARY KEY, prefix TEXT, shift TEXT, due TEXT, is_over INTEGER)"""

type Say = Callable[[str], None]
type Counts = Mapping[str, int]


@dataclass(frozen=True)
class Spelling:
    """How one kind of database spells what a copy changes."""

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


def counts(url: str) -> Counts:
    """Count the rows of each table of the product."""
    tables = Base.metadata.sorted_tables
    how_many = [f'SELECT count(*) FROM "{table.name}"' for table in tables]
    return dict(zip([table.name for table in tables], asked(url, *how_many), strict=True))


def multiply(url: str, before: Counts, cases: int, say: Say) -> None:
    """Copy the cases that are there, with all that is theirs, until there are so many."""
    after = counts(url)
    copies = max(1, round(cases / after["case"])) - 1
    with connected(url) as connection:
        hurry(connection)
        Multiplier(connection, say, before, after).run(copies)
        settle(connection)


def hurry(connection: Connection) -> None:
    """Do without what keeps a database safe: this one is thrown away."""
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


def settle(connection: Connection) -> None:
    """Leave it as the product would find it: PostgreSQL knows what is in its tables."""
    connection.execute(text("DROP TABLE bench_copy"))
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA journal_mode = WAL"))
    else:
        connection.execute(text("VACUUM ANALYZE"))


class Multiplier:
    """Writes the cases of one database again and again."""

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
        self.own = frozenset(value for table in self.tables for value in self.ids(table))

    def ids(self, table: Table) -> Iterable[object]:
        """Read the ids that a table gives."""
        if "id" not in table.columns:
            return ()
        return self.connection.execute(select(table.columns["id"])).scalars()

    def run(self, copies: int) -> None:
        """Write everything so many times more."""
        self.make_copies(copies)
        for table in self.tables:
            made = self.copy(table)
            self.say(f"  {table.name}: {made} rows more")
        self.connection.execute(text(f"UPDATE mailbox SET head = head * {copies + 1}"))
        if self.connection.dialect.name == "postgresql":
            for table in self.tables:
                self.move_sequence(table)

    def make_copies(self, copies: int) -> None:
        """Write what differs from copy to copy; the last ones are of these days."""
        self.connection.execute(text(COPIES))
        rows = [copy_of(number, copies) for number in range(1, copies + 1)]
        insert = "INSERT INTO bench_copy VALUES (:c, :prefix, :shift, :due, :is_over)"
        self.connection.execute(text(insert), rows)

    def copy(self, table: Table) -> int:
        """Write the rows of a table again, for each copy."""
        run = self.connection.execute
        run(text(f'CREATE TEMPORARY TABLE bench_form AS SELECT * FROM "{table.name}"'))
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        values = ", ".join(self.value(column) for column in table.columns)
        origin = "bench_copy AS k CROSS JOIN bench_form AS t"
        made = run(
            text(f'INSERT INTO "{table.name}" ({names}) SELECT {values} FROM {origin}')
        )
        run(text("DROP TABLE bench_form"))
        return made.rowcount

    def value(self, column: Column[Any]) -> str:
        """Spell what a column of a copy holds."""
        name = f't."{column.name}"'
        special = self.special(name).get((column.table.name, column.name))
        if special is None and column.name == "reference":
            return f"CASE WHEN {name} LIKE 'cases/%' THEN {reference(name)} ELSE {name} END"
        return special or self.by_type(column, name)

    def special(self, name: str) -> dict[tuple[str, str], str]:
        """Spell what is of a meaning that its type does not tell."""
        shifted, due = self.spelling.instant, self.spelling.instant_by
        over = f"COALESCE({shifted.format(name)}, {due.format('t."due_at"')})"
        head = "SELECT head FROM mailbox AS m WHERE m.focal_point_id = t.focal_point_id"
        return {
            ("case", "code"): code(name),
            ("case", "state"): f"CASE WHEN k.is_over = 1 THEN 'closed' ELSE {name} END",
            ("clock", "due_at"): due.format(name),
            ("clock", "stopped_at"): (
                f"CASE WHEN k.is_over = 1 THEN {over} ELSE {shifted.format(name)} END"
            ),
            ("delivery", "position"): f"{name} + k.c * ({head})",
            ("outcome", "key"): f"{name} || '-' || k.c",
        }

    def by_type(self, column: Column[Any], name: str) -> str:
        """Spell it by its type: an id or a number of its own, an instant of its time."""
        if is_uuid(column):
            return self.spelling.uuid.format(name) if self.is_own(column) else name
        if isinstance(kind_of(column), DateTime):
            return self.spelling.instant.format(name)
        counted = next((key.column for key in column.foreign_keys), column)
        if isinstance(kind_of(column), Integer) and counted.name == "number":
            most = self.connection.execute(select(func.max(counted))).scalar_one()
            return f"{name} + k.c * {most}"
        return name

    def is_own(self, column: Column[Any]) -> bool:
        """Say whether a column names what is copied, and not an office or an account."""
        named = self.connection.execute(select(column).distinct()).scalars()
        found = {value in self.own for value in named if value is not None}
        if len(found) > 1:
            raise RuntimeError(f"{column} names what is copied, and what is not.")
        return True in found

    def move_sequence(self, table: Table) -> None:
        """Let the next number be one that is free."""
        if "number" in table.columns and table.columns["number"].primary_key:
            sequence = f"pg_get_serial_sequence('\"{table.name}\"', 'number')"
            most = f'(SELECT max(number) FROM "{table.name}")'
            self.connection.execute(text(f"SELECT setval({sequence}, {most})"))


def copy_of(number: int, copies: int) -> dict[str, object]:
    """Say what is different in one copy; the first is the oldest."""
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


def code(name: str) -> str:
    """Spell a case code of its own: that its check character fits is nobody's concern."""
    middle = "upper(substr(k.prefix, 1, 4) || '-' || substr(k.prefix, 5, 4))"
    return f"'SC-' || {middle} || substr({name}, 13)"


def reference(name: str) -> str:
    """Spell how the outside world names such a case."""
    return f"'cases/' || {code(f'substr({name}, 7)')}"


def kind_of(column: Column[Any]) -> object:
    """Say what a column is made of, below what the product makes of it."""
    kind = column.type
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def is_uuid(column: Column[Any]) -> bool:
    """Say whether a column holds ids."""
    return isinstance(kind_of(column), Uuid)
