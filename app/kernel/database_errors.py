"""Classification of database errors by their codes, because messages may contain data."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from app.kernel.problems import Busy

TRANSIENT = frozenset(
    {
        "40001",
        "40P01",
        "55P03",
        "57014",
        "57P01",
        "57P02",
        "57P03",
        "53300",
        "53100",  # disk full: transient, as on SQLite, once space is freed
    }
)
"""SQLSTATEs of errors after which a retry may succeed, such as a deadlock, a timeout, a
shutdown, a crash, too many connections or a full disk."""
CONNECTION: Final = "08"
"""The SQLSTATE class of connection errors: a connection was lost or could not be opened."""
IN_RECOVERY: Final = frozenset({"25006", "0A000"})
"""SQLSTATEs with which a standby refuses writes. On a primary, they indicate a bug."""
PRIVILEGE_MISSING: Final = "42501"


@contextmanager
def map_transient_errors(is_standby: Callable[[], bool]) -> Iterator[None]:
    """Raise Busy (503) instead of a database error after which a retry may succeed.

    The block must contain the whole transaction. `is_standby` returns whether the database
    is a standby, which accepts no writes and may get requests during a failover.
    """
    try:
        yield
    except PoolExhausted as error:
        raise Busy("Try again in a moment.") from error
    except DBAPIError as error:
        if is_transient(error) or (get_code(error.orig) in IN_RECOVERY and is_standby()):
            raise Busy("Try again in a moment.") from error
        raise


@contextmanager
def require_recording() -> Iterator[None]:
    """Raise Busy (503) if the block fails to record an action (R35)."""
    try:
        yield
    except (DBAPIError, OSError, RuntimeError) as error:
        raise Busy(
            "The action could not be recorded, so it was not done. Try again."
        ) from error


def describe_error(error: BaseException) -> dict[str, object]:
    """Return the type, code and source lines of an error, but not its message (R71)."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/app/" in frame.filename] or frames
    return {
        "error": type(error).__name__,
        "sqlstate": get_code(getattr(error, "orig", None)),
        "where": [f"{frame.name}:{frame.lineno}" for frame in ours[-3:]],
    }


def get_code(error: object) -> str | None:
    """Return the error code of the database, or None for any other kind of error."""
    name: str | None = getattr(error, "sqlite_errorname", None)
    return getattr(error, "sqlstate", name)


def is_transient(error: DBAPIError) -> bool:
    """Return whether an error is transient, so that a retry may succeed."""
    code = getattr(error.orig, "sqlstate", None)
    name = getattr(error.orig, "sqlite_errorname", "")
    retryable = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL")  # prefixes
    unreached = code is None and type(error.orig).__module__.startswith("psycopg")
    lost = unreached and isinstance(error, OperationalError)
    passing = code is not None and (code in TRANSIENT or code.startswith(CONNECTION))
    return name.startswith(retryable) or lost or passing or error.connection_invalidated


def is_operator_error(error: DBAPIError) -> bool:
    """Return whether an operator can fix the cause of an error, such as a full disk."""
    denied = getattr(error.orig, "sqlstate", None) == PRIVILEGE_MISSING
    return denied or isinstance(error, OperationalError)
