"""Which databases this code speaks to, as an operator names one."""

from typing import Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

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
