"""Helpers for statements that are built once, when a module is loaded.

Building a statement for every request costs more than running it, and creating ORM objects
takes at least three times as long as reading columns or writing rows without them.
"""

from typing import Any

from sqlalchemy import BindParameter, Label, Select, Text, bindparam, cast
from sqlalchemy.orm import InstrumentedAttribute


def make_list_parameter(name: str) -> BindParameter[Any]:
    """Return a parameter for `column.in_()` that takes its list when a statement runs."""
    return bindparam(name, expanding=True)


def read_text(column: InstrumentedAttribute[Any], name: str) -> Label[str]:
    """Select a column as the stored text, which SQLAlchemy then does not convert."""
    return cast(column, Text).label(name)


def get_values(record: object) -> dict[str, Any]:
    """Return the columns and values of an object that was not added to a session."""
    return {name: value for name, value in vars(record).items() if name[0] != "_"}


def lock_rows[T](statement: Select[T], *, skip_locked: bool = False) -> Select[T]:
    """Return the statement with row locks; it refreshes objects that are loaded already.

    With `skip_locked`, rows that another transaction has locked are left out.
    """
    locking = statement.with_for_update(key_share=True, skip_locked=skip_locked)
    return locking.execution_options(populate_existing=True)
