"""Statements that are spelled once, when a module is loaded, and run with what is asked.

To spell one anew at every request costs more than to run it. Records cost too: a session
makes one of each row, and keeps it in step with what is written. What reads columns, or
writes rows that nobody looks at, asks the connection: that takes a third, or less.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, CursorResult, Select, bindparam
from sqlalchemy.orm import Session


def any_of(name: str) -> BindParameter[Any]:
    """Stand for a list that is given when the statement runs: `id.in_(any_of("ids"))`."""
    return bindparam(name, expanding=True)


def columns[*Ts](
    session: Session, statement: Select[*Ts], asked: Mapping[str, Any]
) -> CursorResult[*Ts]:
    """Read columns, and make no records of them; what waits to be written counts.

    Not for what locks: what is remembered would not be dropped.
    """
    session.flush()
    return session.connection().execute(statement, asked)


def values_of(record: object) -> dict[str, Any]:
    """Spell a record that no session knows as the row that it will be."""
    return {name: value for name, value in vars(record).items() if name[0] != "_"}


def held[T](statement: Select[T]) -> Select[T]:
    """Lock the rows that are found, and read them as they are once they are locked."""
    locking = statement.with_for_update(key_share=True)
    return locking.execution_options(populate_existing=True)
