"""The kinds of databases that the service supports."""

from typing import Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

DRIVERS: Final = frozenset(
    {"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"}
)
"""Driver names that a database URL may begin with."""


def is_database(url: str) -> bool:
    """Return whether a URL names a kind of database that the service supports."""
    try:
        return make_url(url).drivername in DRIVERS
    except (ArgumentError, ValueError):
        return False
