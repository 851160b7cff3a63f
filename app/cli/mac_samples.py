"""Samples of rows whose MACs show which keys the database needs."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from app.cli.renewed_macs import TABLES, MacTable
from app.kernel.macs import MACS, RowMacs

SAMPLE: Final = 5
"""The number of rows of each table that are read."""


def find_sample_versions(session: Session) -> list[frozenset[str]]:
    """Return, for each table, the versions of the keys of its last MACs.

    The last rows are those that `renew_macs` changes last. So a backup that was made while
    it was running is recognised. Rows that do not match their MACs are left out.
    """
    macs: RowMacs = session.info[MACS]
    return [
        frozenset(
            version
            for row in read_last_rows(session, table)
            if (version := table.find_version(macs, row)) is not None
        )
        for table in TABLES
    ]


def read_last_rows(session: Session, table: MacTable) -> list[Mapping[str, Any]]:
    """Return the last rows of a table that have a MAC, or none if one cannot be read."""
    columns = table.model.__table__.primary_key
    last = table.build_select().where(table.model.__table__.c.mac.is_not(None))
    last = last.order_by(*(one.desc() for one in columns)).limit(SAMPLE)
    try:
        return [dict(row) for row in session.connection().execute(last).mappings()]
    except (LookupError, ValueError):
        return []
