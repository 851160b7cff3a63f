"""What goes wrong at a database, told by codes: its messages carry values."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from app.kernel.problems import Busy

PASSING = frozenset(
    {
        *("40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "53300"),
        "53100",  # no room: as on SQLite, somebody makes some
    }
)
"""SQLSTATEs of what a later try may not meet: deadlock, time-out, shutdown, crash."""
CONNECTION: Final = "08"
"""The class of errors of the connection: it broke, or could not be made."""
IN_RECOVERY: Final = frozenset({"25006", "0A000"})
"""What a standby answers to writes. Elsewhere the same codes tell of a fault of ours."""

NO_RIGHT: Final = "42501"


@contextmanager
def map_transient_errors(is_standby: Callable[[], bool]) -> Iterator[None]:
    """Turn what a later try may not meet into Busy (503), outside of the unit of work.

    `is_standby` asks the database whether it is one: during a failover requests may reach a
    server that takes no writes yet, or takes none any more.
    """
    try:
        yield
    except PoolExhausted as error:
        raise Busy("Try again in a moment.") from error
    except DBAPIError as error:
        if is_passing(error) or (code_of(error.orig) in IN_RECOVERY and is_standby()):
            raise Busy("Try again in a moment.") from error
        raise


@contextmanager
def recorded_or_refused() -> Iterator[None]:
    """Turn whatever keeps a record from being written into Busy (503): R35."""
    try:
        yield
    except (DBAPIError, OSError, RuntimeError) as error:
        raise Busy("What cannot be recorded is not done. Try again in a moment.") from error


def described(error: BaseException) -> dict[str, object]:
    """Say what went wrong and where, for a log: never its message (R71)."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/app/" in frame.filename] or frames
    return {
        "error": type(error).__name__,
        "sqlstate": code_of(getattr(error, "orig", None)),
        "where": [f"{frame.name}:{frame.lineno}" for frame in ours[-3:]],
    }


def code_of(error: object) -> str | None:
    """Say by which code a database names its trouble; None: it is not a database's."""
    name: str | None = getattr(error, "sqlite_errorname", None)
    return getattr(error, "sqlstate", name)


def is_passing(error: DBAPIError) -> bool:
    """Say whether a later try may fare better; by code, since messages carry values."""
    code = getattr(error.orig, "sqlstate", None)
    name = getattr(error.orig, "sqlite_errorname", "")
    later = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL")  # and what extends them
    unreached = code is None and type(error.orig).__module__.startswith("psycopg")
    lost = unreached and isinstance(error, OperationalError)
    passing = code is not None and (code in PASSING or code.startswith(CONNECTION))
    return name.startswith(later) or lost or passing or error.connection_invalidated


def is_operators(error: DBAPIError) -> bool:
    """Say whether an operator can mend it: no such server or file, no room, no right."""
    denied = getattr(error.orig, "sqlstate", None) == NO_RIGHT
    return denied or isinstance(error, OperationalError)
