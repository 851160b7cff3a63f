"""Helpers for statements that are built once, when a module is loaded.

Building a statement for every request costs more than running it. ORM objects cost time
too, because the session creates one for each row and tracks it. Reading columns or writing
rows through the connection takes at most a third of that time.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, CursorResult, Select, bindparam
from sqlalchemy.orm import Session


def make_list_parameter(name: str) -> BindParameter[Any]:
    """Return a parameter for a list that is given at execution, for `column.in_()`."""
    return bindparam(name, expanding=True)


def read_columns[*Ts](
    session: Session, statement: Select[*Ts], parameters: Mapping[str, Any]
) -> CursorResult[*Ts]:
    """Read columns without creating objects, after flushing pending writes.

    Do not use it for statements that lock rows, because cached reads would not be dropped.
    """
    session.flush()
    return session.connection().execute(statement, parameters)


def get_values(record: object) -> dict[str, Any]:
    """Return the columns and values of an object that was not added to a session."""
    return {name: value for name, value in vars(record).items() if name[0] != "_"}


def lock_rows[T](statement: Select[T]) -> Select[T]:
    """Return the statement with row locks; it also refreshes objects that are loaded."""
    locking = statement.with_for_update(key_share=True)
    return locking.execution_options(populate_existing=True)
