"""Connections to SQLite: their settings, and the statements that begin transactions."""

from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, ExceptionContext, event

PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    "trusted_schema = OFF",
    "recursive_triggers = ON",  # so that REPLACE fires the triggers for deletion
    "secure_delete = ON",  # overwrites deleted content; see kernel/deleted_rows.py
    f"journal_size_limit = {16 * 1024**2}",  # shrinks the journal after it has grown
)


def is_in_transaction(connection: Connection) -> bool:
    """Return whether the SQLite driver has begun a transaction; always True for psycopg."""
    driver: Any = connection.connection.driver_connection
    return getattr(driver, "in_transaction", True)


class DriverConnection(Protocol):
    """The attributes and methods of a driver's connection that the service uses."""

    isolation_level: str | None
    autocommit: bool

    def execute(self, statement: str, /) -> object:
        """Execute SQL."""


def prepare_sqlite(engine: Engine, *, query_only: bool) -> None:
    """Set the pragmas of every connection of an engine, and how transactions begin.

    A transaction that may write takes the lock at its beginning. If it took the lock later,
    it could fail under load, because its snapshot could be outdated. `query_only` is set
    once for a connection, because changing it would invalidate all prepared statements.

    The driver begins the transactions of readers, which have no snapshot before their first
    statement. A separate BEGIN statement would take 5% of the time of a poll. If a result
    of an earlier transaction was not read to its end, the snapshot is still open after the
    commit, so the driver rolls back first.
    """
    settings = (*PRAGMAS, f"query_only = {query_only}")

    @event.listens_for(engine, "connect")
    def _(connection: DriverConnection, _: object) -> None:
        connection.isolation_level = None  # the driver begins no write transaction
        for pragma in settings:
            connection.execute(f"PRAGMA {pragma}")
        if query_only:
            connection.autocommit = False

    @event.listens_for(engine, "handle_error")
    def _(context: ExceptionContext) -> None:
        if context.connection is not None and not is_in_transaction(context.connection):
            context.is_disconnect = True  # SQLAlchemy then runs no further statements
            context.invalidate_pool_on_disconnect = False

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        if query_only:
            driver: Any = connection.connection.driver_connection
            driver.rollback()  # ends a snapshot that an unread result left open
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
