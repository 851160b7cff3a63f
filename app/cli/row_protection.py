"""Functions that check and write the MACs of directory rows and webhooks."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.administration.directory_load import TIME_LIMITS
from app.directory.actions import (
    AGREEMENTS,
    CONTACTS,
    COUNTRIES,
    FOCAL_POINTS,
    WRITE_LOCK,
    Register,
)
from app.directory.models import FocalPoint
from app.kernel.db import lock_name
from app.kernel.macs import MACS, NotAuthentic, RowMacs
from app.kernel.protected_rows import (
    ProtectedRow,
    lock_row,
    matches_mac,
    select_rows,
    store_macs,
)
from app.kernel.transactions import Runtime
from app.webhooks.models import Webhook

WEBHOOKS: Final = Register(Webhook, ("id",), "webhooks")
REGISTERS: Final = (
    COUNTRIES,
    FOCAL_POINTS,
    AGREEMENTS,
    TIME_LIMITS,
    CONTACTS,
    WEBHOOKS,
)
"""The tables whose rows have a MAC that `directory protect` writes."""

type Row = Mapping[str, Any]
type Altered = dict[str, tuple[type[ProtectedRow], Row]]
"""The models and the rows that do not match their MACs, by subject."""


def is_unprotected(session: Session) -> bool:
    """Return whether the rows of the directory or of webhooks have no MACs.

    While rows without a MAC are accepted, as after an upgrade, one such row is enough.
    Later, such a row counts as altered, and must not keep the service from starting.
    """
    macs: RowMacs = session.info[MACS]
    if macs.accepts_missing():
        tables = (one.table.__table__ for one in REGISTERS)
        return any(
            session.scalar(select(exists().where(table.c.mac.is_(None))))
            for table in tables
        )
    offices = read_rows(session, FocalPoint)
    return bool(offices) and all(one["mac"] is None for one in offices)


def protect_directory(runtime: Runtime) -> int:
    """Write the MAC of each row that has none, and return the number of these rows.

    The rows are accepted as they are in the database.
    """
    count = 0
    with runtime.database.begin_write() as session:
        lock_name(session, WRITE_LOCK)
        for register in REGISTERS:
            for row in read_rows(session, register.table):
                if row["mac"] is None:
                    protect_row(session, register.table, row)
                    count += 1
    return count


def find_altered(session: Session) -> Altered:
    """Return the rows that do not match their MACs, by subject such as `countries/KZ`."""
    macs: RowMacs = session.info[MACS]
    return {
        register.get_subject(row): (register.table, row)
        for register in REGISTERS
        for row in read_rows(session, register.table)
        if not matches_mac(macs, register.table, row)
    }


def protect_again(runtime: Runtime, altered: Altered) -> None:
    """Write new MACs for altered rows, after an operator has confirmed their values.

    Raises NotAuthentic, and writes no MAC, if a row has changed since it was shown.
    """
    with runtime.database.begin_write() as session:
        for model, row in altered.values():
            protect_row(session, model, row)


def protect_row(session: Session, model: type[ProtectedRow], seen: Row) -> None:
    """Write the MAC of a row. Raises NotAuthentic if the stored row differs from `seen`."""
    if lock_row(session, model, seen) != seen:
        table = model.__tablename__
        raise NotAuthentic(f"A row of the table {table} was changed meanwhile. Try again.")
    store_macs(session, model, [seen])


def read_rows(session: Session, model: type[ProtectedRow]) -> list[dict[str, Any]]:
    """Return all rows of a table as they are in the database, without verifying them."""
    found = session.connection().execute(select_rows(model)).mappings()
    return [dict(row) for row in found]
