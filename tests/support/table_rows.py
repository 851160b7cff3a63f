"""One row for every table except the epoch table, with a value in every column."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Enum,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    insert,
)
from sqlalchemy.types import TypeEngine

from app.kernel.actors import SERVICE
from app.kernel.db import Base, Database
from app.kernel.instants import UtcDateTime
from app.kernel.journal import Epoch
from app.kernel.stored_names import EventFacts, EventTypeName

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXAMPLES: dict[type[TypeEngine[Any]], object] = {
    Uuid: UUID(int=1),
    Date: NOON.date(),
    UtcDateTime: NOON,
    EventFacts: {"state": "a"},
    JSON: ["a", "b"],
    Boolean: True,
    Integer: 1_000_000,  # greater than any value of the directory
    LargeBinary: b"sealed",
}

type Key = tuple[str, str]


def make_value(column: Column[object]) -> object:
    if isinstance(column.type, Enum):
        return column.type.enums[0]
    if isinstance(column.type, String | EventTypeName):
        return "x" * (column.type.length or 10)
    return next(value for kind, value in EXAMPLES.items() if isinstance(column.type, kind))


def make_row(table: Table, known: dict[Key, object]) -> dict[str, object]:
    """Return a row with a value in every column; foreign keys point to known rows."""
    row: dict[str, object] = {}
    for column in table.columns:
        targets = [key.column for key in column.foreign_keys]
        keys = [(target.table.name, target.name) for target in targets]
        values = [
            known[key] for key in keys if key[0] != table.name
        ]  # a foreign key to its own table has no known row
        row[column.key] = values[0] if values else make_value(column)
        known[table.name, column.name] = row[column.key]
    return row


def fill_tables(url: str) -> None:
    """Write one row to every table, except to the epoch table, which already has a row."""
    database = Database(url)
    with database.begin_write(SERVICE) as session:
        for table, row in make_rows():
            session.execute(insert(table), row)
    database.engine.dispose()


def make_rows() -> list[tuple[Table, dict[str, object]]]:
    """Return a row for each table, in an order that the foreign keys allow."""
    known = dict[Key, object]()
    return [
        (table, make_row(table, known))
        for table in Base.metadata.sorted_tables
        if table.name != Epoch.__tablename__
    ]
