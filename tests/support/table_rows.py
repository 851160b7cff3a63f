"""One row in every table, as the service writes it: for what is promised of tables."""

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

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXAMPLES: dict[type[TypeEngine[Any]], object] = {
    Uuid: UUID(int=1),
    UtcDateTime: NOON,
    Date: NOON.date(),
    JSON: ["a", "b"],
    Boolean: True,
    Integer: 1_000_000,  # beyond what the directory has written already
    LargeBinary: b"sealed",
}

type Key = tuple[str, str]


def example(column: Column[object]) -> object:
    if isinstance(column.type, Enum):
        return column.type.enums[0]
    if isinstance(column.type, String):
        return "x" * (column.type.length or 10)
    return next(value for kind, value in EXAMPLES.items() if isinstance(column.type, kind))


def example_row(table: Table, known: dict[Key, object]) -> dict[str, object]:
    """Spell one row without an empty column; what refers to a table refers to its row."""
    row: dict[str, object] = {}
    for column in table.columns:
        targets = [key.column for key in column.foreign_keys]
        keys = [(target.table.name, target.name) for target in targets]
        values = [known[key] for key in keys if key[0] != table.name]  # itself: alike
        row[column.name] = values[0] if values else example(column)
        known[table.name, column.name] = row[column.name]
    return row


def fill(url: str) -> None:
    """Write one row in every table, as the service does; the epoch has its own."""
    database = Database(url)
    with database.writing(SERVICE) as session:
        for table, row in example_rows():
            session.execute(insert(table), row)
    database.engine.dispose()


def example_rows() -> list[tuple[Table, dict[str, object]]]:
    """Spell a row for each table, so that they can be written in this order."""
    known = dict[Key, object]()
    return [
        (table, example_row(table, known))
        for table in Base.metadata.sorted_tables
        if table.name != Epoch.__tablename__
    ]
