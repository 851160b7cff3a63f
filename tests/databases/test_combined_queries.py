"""A combined query returns the values that its queries return one by one."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import JSON, Column, Enum, LargeBinary, String, insert
from sqlalchemy.orm.exc import UnmappedInstanceError

from app.cases.records import VitalInterest
from app.casework.case_file_queries import BY_IDS
from app.kernel.actors import SERVICE, SYSTEM
from app.kernel.combined_queries import build_record
from app.kernel.db import Database
from app.kernel.id_lists import select_listed
from app.kernel.instants import UtcDateTime
from app.kernel.transactions import ReadTransaction, Runtime
from tests.support.table_rows import make_rows
from tests.support.world import NOON, Someone

TEXT = 'Ойгүл\'s "بيت\\مأمن" 😀\n\t\x01%s'
"""Cyrillic and Arabic letters, quotes, a backslash, an emoji, control characters, `%s`."""
SAMPLES: Mapping[type[Any], object] = {
    UtcDateTime: datetime(
        2026, 6, 1, 23, 59, 59, 123456, timezone(timedelta(hours=5, minutes=45))
    ),
    JSON: {TEXT: [TEXT, None, 1.5, 2**53, True, {}]},
    LargeBinary: bytes(range(256)),
}
ONE = UUID(int=1)
PARAMETERS = {"cases": [ONE], "me": ONE, "account": ONE}
KEPT = {"purpose", "kind", "stopped_at"}
"""Columns by which the queries select rows."""


def make_sample(column: Column[Any], usual: object, *, filled: bool) -> object:
    """Return a value that is difficult to convert, or the usual value of the column.

    A column that is a key, or by which the queries select rows, gets its usual value, but
    `stopped_at` gets None. Unless `filled`, each other nullable column also gets None.
    """
    if column.primary_key or column.foreign_keys or column.unique or column.name in KEPT:
        return None if column.name == "stopped_at" else usual
    if column.nullable and not filled:
        return None
    if isinstance(column.type, String) and not isinstance(column.type, Enum):
        return TEXT[: column.type.length]
    return next((SAMPLES[one] for one in SAMPLES if isinstance(column.type, one)), usual)


def write_samples(database: Database, *, filled: bool) -> None:
    """Write one row to every table."""
    with database.begin_write(SERVICE) as session:
        for table, row in make_rows():
            samples = {
                column.key: make_sample(column, row[column.key], filled=filled)
                for column in table.columns
            }
            session.execute(insert(table), samples)


@pytest.mark.parametrize("filled", [True, False])
def test_values_equal_those_of_the_single_queries(
    database: Database, *, filled: bool
) -> None:
    write_samples(database, filled=filled)

    with database.begin_read(SERVICE) as session:
        tx = ReadTransaction(session, SYSTEM, NOON, cast("Runtime", None))
        found = BY_IDS.read(tx, PARAMETERS)
        single = {
            name: [dict(row) for row in session.execute(query, PARAMETERS).mappings()]
            for name, query in BY_IDS.queries.items()
        }

    assert found == single
    assert [name for name, rows in found.items() if not rows] == []


def test_many_ids_are_one_parameter(database: Database) -> None:
    ids = [uuid4() for _ in range(300)]

    with database.begin_read(SERVICE) as session:
        assert list(session.scalars(select_listed("some"), {"some": ids})) == ids
        assert list(session.scalars(select_listed("some"), {"some": []})) == []


def test_row_in_a_read_cannot_be_changed(officer: Someone) -> None:
    with officer.begin_read() as tx:
        vital = build_record(tx, VitalInterest, {"reason": "RISK_TO_LIFE"})

    assert vital.reason == "RISK_TO_LIFE"
    with pytest.raises(AttributeError):
        vital.holds_until = NOON
    with pytest.raises(UnmappedInstanceError):
        str(vital.holds_until)
