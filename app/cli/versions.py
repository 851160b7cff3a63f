"""The versions that decide what a host computes and stores; hosts must agree on them."""

import platform
import sqlite3
import unicodedata
from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from app.cli.grounds import NotReady
from app.kernel import time_zones

OLDEST_SQLITE: Final = (3, 40)
OLDEST_POSTGRESQL: Final = 15
"""The oldest versions that the tests were run on."""
VERSION_NUMBERS: Final = 10_000
"""PostgreSQL gives its version as a number: 180006 is 18.6."""


def list_versions(session: Session, url: str) -> Iterator[str]:
    """List what two hosts of one mechanism must have in common, one line each."""
    yield f"Time zones: IANA {time_zones.version()}, package tzdata {version('tzdata')}."
    yield f"Holidays: package holidays {version('holidays')}."
    yield f"Names of countries and languages: package Babel {version('babel')}."
    yield f"Unicode {unicodedata.unidata_version}, Python {platform.python_version()}."
    if make_url(url).get_backend_name() == "sqlite":
        yield f"Database: SQLite {sqlite3.sqlite_version}."
    else:
        yield f"Database: PostgreSQL {shown(session, 'server_version')}."


def must_be_supported(session: Session, url: str) -> None:
    """Raise NotReady unless the database stores text as we do, and is not too old."""
    if make_url(url).get_backend_name() == "sqlite":
        must_be_recent_sqlite(sqlite3.sqlite_version_info)
    else:
        must_be_recent_postgresql(int(shown(session, "server_version_num")))
        must_be_utf8(shown(session, "server_encoding"))


def must_be_recent_sqlite(version: tuple[int, ...]) -> None:
    """Raise NotReady for an SQLite library that is older than the tests were run on."""
    if version < OLDEST_SQLITE:
        raise NotReady(
            f"This Python uses SQLite {'.'.join(map(str, version))}; 3.40 or newer is "
            "needed. Use another Python, or PostgreSQL."
        )


def must_be_recent_postgresql(number: int) -> None:
    """Raise NotReady for a server that is older than 15."""
    if number < OLDEST_POSTGRESQL * VERSION_NUMBERS:
        raise NotReady(
            f"The server is PostgreSQL {number // VERSION_NUMBERS}; "
            f"{OLDEST_POSTGRESQL} or newer is needed."
        )


def must_be_utf8(encoding: str) -> None:
    """Raise NotReady for a database that cannot store every name."""
    if encoding != "UTF8":
        raise NotReady(
            f"The database has the encoding {encoding} and cannot store every name. Make "
            "another: createdb --template=template0 --encoding=UTF8 NAME"
        )


def shown(session: Session, parameter: str) -> str:
    """Return a parameter of the PostgreSQL server."""
    return str(session.scalar(text(f"SHOW {parameter}")))
