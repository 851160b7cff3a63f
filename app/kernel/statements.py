"""Statements that are spelled once, when a module is loaded, and run with what is asked.

To spell one anew at every request costs more than to run it.
"""

from typing import Any

from sqlalchemy import BindParameter, Select, bindparam


def any_of(name: str) -> BindParameter[Any]:
    """Stand for a list that is given when the statement runs: `id.in_(any_of("ids"))`."""
    return bindparam(name, expanding=True)


def held[T](statement: Select[T]) -> Select[T]:
    """Lock the rows that are found, and read them as they are once they are locked."""
    locking = statement.with_for_update(key_share=True)
    return locking.execution_options(populate_existing=True)
