"""Changes to the directory by tests, with the MACs that the service would write."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Insert, Update
from sqlalchemy.orm import Session

from app.cli.row_protection import REGISTERS, read_rows
from app.kernel.macs import MACS
from app.kernel.protected_rows import compute_mac, store_macs


def update_directory(
    session: Session, statement: Update | Insert, *rows: Mapping[str, Any], **values: Any
) -> None:
    """Run an UPDATE with `values` or an INSERT of `rows`, and write the new MACs.

    If the session has no keys for MACs, no MACs are written.
    """
    session.flush()
    changed = statement.values(values) if values else statement
    session.connection().execute(changed, rows or None)
    if session.info.get(MACS) is not None:
        write_macs(session)
    session.expire_all()


def write_macs(session: Session) -> None:
    """Write a new MAC for each row in `REGISTERS` whose stored MAC does not match."""
    macs = session.info[MACS]
    for register in REGISTERS:
        model, rows = register.table, read_rows(session, register.table)
        altered = [row for row in rows if compute_mac(macs, model, row) != row["mac"]]
        store_macs(session, model, altered)
