"""An attacker who can write to the database, but has no key."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    create_engine,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.pool import NullPool

from app.kernel.db import Base
from tests.support.world import World

BEFORE: Final = datetime(2026, 5, 1, tzinfo=UTC)

type Row = dict[str, Any]


@dataclass
class Attacker:
    """An attacker who can write every row of the database, but has no key."""

    world: World

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that ignores foreign keys and triggers.

        On SQLite, the triggers are dropped and not restored.
        """
        engine = create_engine(self.world.url, poolclass=NullPool)
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
                for (name,) in connection.execute(text(triggers)).all():
                    connection.execute(text(f'DROP TRIGGER "{name}"'))
            else:
                connection.execute(text("SET session_replication_role = replica"))
            yield connection

    def read(self, model: type[Base], key: Any) -> Row:
        """Return the row with the given primary key."""
        return self.find(model, **{get_key(model).name: key})

    def find(self, model: type[Base], **values: Any) -> Row:
        """Return the only row with these values."""
        table = get_table(model)
        conditions = [table.c[name] == value for name, value in values.items()]
        with self.connect() as connection:
            [row] = connection.execute(select(table).where(*conditions))
            return dict(zip(row._fields, row, strict=True))

    def update(self, model: type[Base], key: Any, **values: Any) -> None:
        """Write these values into the row with the given primary key."""
        changed = update(get_table(model)).where(get_key(model) == key).values(values)
        with self.connect() as connection:
            connection.execute(changed)

    def write(self, model: type[Base], row: Row, values: Row) -> None:
        """Write `values` into the stored row that has the primary key of `row`."""
        changed = update(get_table(model)).where(*match_row(model, row)).values(values)
        with self.connect() as connection:
            connection.execute(changed)

    def insert(self, model: type[Base], row: Row) -> None:
        """Insert a row."""
        with self.connect() as connection:
            connection.execute(insert(get_table(model)).values(row))

    def delete(self, model: type[Base], key: Any) -> None:
        """Delete the row with the given primary key."""
        with self.connect() as connection:
            connection.execute(delete(get_table(model)).where(get_key(model) == key))

    def delete_like(self, model: type[Base], row: Row) -> None:
        """Delete all rows whose ids, `since` and `place` equal those of `row`."""
        table = get_table(model)
        known = [name for name in ("id", "since", "record_id", "place") if name in row]
        own = [table.c[name] == row[name] for name in known]
        with self.connect() as connection:
            connection.execute(delete(table).where(*own))

    def delete_row(self, model: type[Base], row: Row) -> None:
        """Delete the stored row that has the primary key of `row`."""
        with self.connect() as connection:
            connection.execute(delete(get_table(model)).where(*match_row(model, row)))


def get_table(model: type[Base]) -> Table:
    """Return the table of a model."""
    return Base.metadata.tables[model.__tablename__]


def match_row(model: type[Base], row: Row) -> list[ColumnElement[bool]]:
    """Return the conditions that match the primary key of a row."""
    return [column == row[column.name] for column in get_table(model).primary_key]


def get_key(model: type[Base]) -> Column[Any]:
    """Return the first column of the primary key."""
    return next(iter(get_table(model).primary_key))


def list_other_values(value: Any) -> list[Any]:
    """Return null and other values of the same type; for null, values of several types."""
    year = timedelta(days=400)
    others: list[Any]
    match value:
        case None:
            others = [BEFORE, uuid4(), "other", b"other"]
        case bool():
            others = [not value]
        case StrEnum():
            others = [one for one in type(value) if one is not value]
        case int():
            others = [value + 1, 0 if value else 5]
        case date():
            others = [value - year, value + year]
        case UUID():
            others = [uuid4()]
        case bytes():
            others = [value[:-1] + bytes([value[-1] ^ 1]), b""]
        case list():
            others = [[], [*value, "other"], value[1:] or ["other"]]
        case dict():
            others = [{}, value | {"other": "value"}]
        case _:
            others = [f"{value}x", "0" * len(str(value))]
    return others if value is None else [None, *others]


def apply_changes(
    row: Row, names: Iterable[str], write: Callable[[Row, Row], None]
) -> Iterator[Row]:
    """Change the columns of a row in turn, and yield the row with each change.

    `write` takes the row as it is stored and the new values of some columns. Values that
    the database does not accept are left out. After each change, the row is restored.
    """
    for name in names:
        for value in list_other_values(row[name]):
            if value == row[name]:
                continue
            try:
                write(row, {name: value})
            except (DBAPIError, StatementError, DeprecationWarning, TypeError):
                continue
            changed = {**row, name: value}
            yield changed
            write(changed, {name: row[name]})
