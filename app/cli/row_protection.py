"""MACs of rows that have none, or that SQL has changed (ADR 82): directory and webhooks."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

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
from app.kernel.db import lock_name
from app.kernel.macs import MACS, NotAuthentic, RowMacs
from app.kernel.protected_rows import matches_mac, select_rows, write_mac
from app.kernel.statements import lock_rows
from app.kernel.transactions import Runtime
from app.webhooks.models import Webhook

WEBHOOKS: Final = Register(Webhook, ("id",), "webhooks")
REGISTERS: Final = (
    *(COUNTRIES, FOCAL_POINTS, AGREEMENTS, TIME_LIMITS, CONTACTS),
    WEBHOOKS,
)
"""The tables whose rows have a MAC that `directory protect` writes."""

type Row = Mapping[str, Any]


def has_unprotected(session: Session) -> bool:
    """Return whether no row of the directory has a MAC, as after an upgrade."""
    offices = read_rows(session, FOCAL_POINTS)
    return bool(offices) and all(one["mac"] is None for one in offices)


def protect_directory(runtime: Runtime) -> int:
    """Write the MAC of each row that has none, and return how many rows these were.

    The rows are taken as they are in the database.
    """
    with runtime.database.begin_write() as session:
        lock_name(session, WRITE_LOCK)
        found = [
            (register, row)
            for register in REGISTERS
            for row in read_rows(session, register, lock=True)
            if row["mac"] is None
        ]
        for register, row in found:
            write_mac(session, register.table, row)
    return len(found)


def list_altered(session: Session) -> Iterator[str]:
    """Yield the subject of each row that does not match its MAC."""
    macs: RowMacs = session.info[MACS]
    for register in REGISTERS:
        for row in read_rows(session, register):
            if not matches_mac(macs, register.table, row):
                yield register.get_subject(row)


def find_row(session: Session, subject: str, *, lock: bool = False) -> Row | None:
    """Return the row with a subject, such as `focal-points/KZ_LEAD`, unverified."""
    register = find_register(subject)
    if register is None:
        return None
    rows = read_rows(session, register, lock=lock)
    return next((one for one in rows if register.get_subject(one) == subject), None)


def protect_row_again(runtime: Runtime, subject: str, seen: Row) -> None:
    """Write the MAC of a row anew, as an operator has seen it. Raises NotAuthentic."""
    with runtime.database.begin_write() as session:
        lock_name(session, WRITE_LOCK)
        register, row = find_register(subject), find_row(session, subject, lock=True)
        if register is None or row is None or row != seen:
            raise NotAuthentic(f"{subject} was changed again meanwhile. Look at it again.")
        write_mac(session, register.table, row)


def find_register(subject: str) -> Register | None:
    """Return the table of a subject, or None if there is no such table."""
    path = subject.partition("/")[0]
    return next((one for one in REGISTERS if one.path == path), None)


def read_rows(
    session: Session, register: Register, *, lock: bool = False
) -> list[dict[str, Any]]:
    """Return all rows of a table as they are in the database, and lock them if asked."""
    statement = select_rows(register.table)
    found = session.connection().execute(lock_rows(statement) if lock else statement)
    return [dict(row) for row in found.mappings()]
