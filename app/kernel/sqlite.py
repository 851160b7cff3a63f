"""Connections to the embedded database: their settings, and how a transaction begins."""

from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, ExceptionContext, event

PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    "trusted_schema = OFF",
    "recursive_triggers = ON",  # or REPLACE would rewrite what triggers keep
    "secure_delete = ON",  # what is deleted is overwritten; see kernel/traces.py
    f"journal_size_limit = {16 * 1024**2}",  # readers may make it grow; it shrinks again
)


def is_in_transaction(connection: Connection) -> bool:
    """Ask the driver, which knows better than SQLAlchemy; psycopg always is."""
    driver: Any = connection.connection.driver_connection
    return getattr(driver, "in_transaction", True)


class DriverConnection(Protocol):
    """The little we ask of the driver."""

    isolation_level: str | None
    autocommit: bool

    def execute(self, statement: str, /) -> object:
        """Run one statement."""


def prepare_sqlite(engine: Engine, *, query_only: bool) -> None:
    """Give every connection of an engine our settings, and begin its transactions.

    A deferred BEGIN that reads and then writes fails under load in spite of the busy
    timeout: the snapshot it read from is old. A writer takes the lock first. Whether
    connections may write is set once for each: to set it for each transaction would expire
    every prepared statement.
    """
    settings = (*PRAGMAS, f"query_only = {query_only}")
    begin = "BEGIN" if query_only else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "connect")
    def _(connection: DriverConnection, _: object) -> None:
        connection.isolation_level = None  # the driver must not begin for us
        for pragma in settings:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "handle_error")
    def _(context: ExceptionContext) -> None:
        if context.connection is not None and not is_in_transaction(context.connection):
            context.is_disconnect = True  # SQLAlchemy then runs nothing more in this work
            context.invalidate_pool_on_disconnect = False

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
