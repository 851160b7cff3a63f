"""Which databases this code speaks to, as an operator names one."""

from pathlib import Path
from secrets import token_hex
from typing import Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.kernel.db import Database, hold, try_hold

DRIVERS: Final = frozenset(
    {"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"}
)
"""How the URL of one begins."""


def is_database(url: str) -> bool:
    """Say whether a URL names a database of a kind that this code was tried on."""
    try:
        return make_url(url).drivername in DRIVERS
    except (ArgumentError, ValueError):
        return False


def are_one(one: Database, other: Database) -> bool:
    """Say whether two logins lead to the same database.

    On PostgreSQL what one of them holds is held for the other: a copy has the same name,
    and one that was made file by file has the server's identifier as well.
    """
    if one.is_sqlite or other.is_sqlite:
        files = [Path(it.engine.url.database or "").resolve() for it in (one, other)]
        return one.is_sqlite == other.is_sqlite and files[0] == files[1]
    name = token_hex(16)
    with one.reading() as first, other.reading() as second:
        hold(first, name)
        return not try_hold(second, name)
