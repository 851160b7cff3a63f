"""The versions of libraries and data, which must be the same on all hosts."""

import platform
import sqlite3
import unicodedata
from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from app.cli.startup import NotReady
from app.kernel import time_zones

OLDEST_SQLITE: Final = (3, 40)
OLDEST_POSTGRESQL: Final = 15
"""The oldest supported version of PostgreSQL. The tests run on it and on OLDEST_SQLITE."""
VERSION_NUMBERS: Final = 10_000
"""The factor of the major version in PostgreSQL version numbers. 180006 means 18.6."""


def list_versions(session: Session, url: str) -> Iterator[str]:
    """Yield one line for each version that must be the same on all hosts."""
    zones = time_zones.get_version()
    yield f"Time zones: IANA {zones}, package tzdata {version('tzdata')}."
    yield f"Holidays: package holidays {version('holidays')}."
    yield f"Names of countries and languages: package Babel {version('babel')}."
    yield f"Unicode {unicodedata.unidata_version}, Python {platform.python_version()}."
    if make_url(url).get_backend_name() == "sqlite":
        yield f"Database: SQLite {sqlite3.sqlite_version}."
    else:
        yield f"Database: PostgreSQL {get_parameter(session, 'server_version')}."


def require_supported_database(session: Session, url: str) -> None:
    """Raise NotReady if the database is too old, or refuses writes or names in UTF-8."""
    if make_url(url).get_backend_name() == "sqlite":
        require_recent_sqlite(sqlite3.sqlite_version_info)
    else:
        require_recent_postgresql(int(get_parameter(session, "server_version_num")))
        require_utf8(get_parameter(session, "server_encoding"))
        require_writable(get_parameter(session, "default_transaction_read_only"))


def require_recent_sqlite(version: tuple[int, ...]) -> None:
    """Raise NotReady if the SQLite library is older than OLDEST_SQLITE."""
    if version < OLDEST_SQLITE:
        raise NotReady(
            f"This Python uses SQLite {'.'.join(map(str, version))}; 3.40 or newer is "
            "needed. Use another Python, or PostgreSQL."
        )


def require_recent_postgresql(number: int) -> None:
    """Raise NotReady if the server is older than PostgreSQL 15."""
    if number < OLDEST_POSTGRESQL * VERSION_NUMBERS:
        raise NotReady(
            f"The server is PostgreSQL {number // VERSION_NUMBERS}; "
            f"{OLDEST_POSTGRESQL} or newer is needed."
        )


def require_utf8(encoding: str) -> None:
    """Raise NotReady unless the encoding is UTF-8, which can store all names."""
    if encoding != "UTF8":
        raise NotReady(
            f"The database has the encoding {encoding}, which cannot store every name. "
            "Create another database: createdb --template=template0 --encoding=UTF8 NAME"
        )


def require_writable(is_read_only: str) -> None:
    """Raise NotReady if transactions of this login are read-only by default."""
    if is_read_only == "on":
        raise NotReady(
            "The database refuses writes: default_transaction_read_only is on for the "
            "server, the database or the login. Set it to off."
        )


def get_parameter(session: Session, parameter: str) -> str:
    """Return the value of a parameter of the PostgreSQL server."""
    return str(session.scalar(text(f"SHOW {parameter}")))
