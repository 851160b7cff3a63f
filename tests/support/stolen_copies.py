"""Copies of a database that are read without a key, and the differences between them."""

from typing import Any

from sqlalchemy import LargeBinary, create_engine, select

from app.kernel.db import Base
from tests.support.world import World

type Rows = dict[str, list[dict[str, Any]]]
"""The rows of each table; an encrypted value is replaced by its length."""


def read_copy(world: World, *, without: frozenset[str]) -> Rows:
    """Return the rows of every table, read as the database owner and sorted by content.

    `without` names the columns that differ between any two worlds, as `table.column`.
    """
    engine = create_engine(world.database.engine.url)
    try:
        with engine.connect() as connection:
            return {
                table.name: sorted(
                    (
                        {
                            column.name: len(row[column])
                            if isinstance(column.type, LargeBinary) and row[column]
                            else row[column]
                            for column in table.columns
                            if f"{table.name}.{column.name}" not in without
                        }
                        for row in connection.execute(select(table)).mappings()
                    ),
                    key=repr,
                )
                for table in Base.metadata.sorted_tables
            }
    finally:
        engine.dispose()


def list_differences(one: Rows, other: Rows) -> list[str]:
    """Return a message for each difference in a column, or in the number of rows."""
    found = []
    for table, rows in one.items():
        if len(rows) != len(other[table]):
            found.append(f"{table}: {len(rows)} and {len(other[table])} rows")
            continue
        for mine, yours in zip(rows, other[table], strict=True):
            found += [
                f"{table}.{name}: {mine[name]!r} and {yours[name]!r}"
                for name in mine
                if mine[name] != yours[name]
            ]
    return found
