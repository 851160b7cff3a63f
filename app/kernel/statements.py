"""Statements that are spelled once, when a module is loaded, and run with what is asked.

To spell one anew at every request costs more than to run it.
"""

from typing import Any

from sqlalchemy import BindParameter, bindparam


def any_of(name: str) -> BindParameter[Any]:
    """Stand for a list that is given when the statement runs: `id.in_(any_of("ids"))`."""
    return bindparam(name, expanding=True)
