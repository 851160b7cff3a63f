"""Transactions, connections, and all code that differs between SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Connection,
    Dialect,
    Engine,
    Integer,
    MetaData,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    SessionTransaction,
    declared_attr,
    mapped_column,
)

from app.kernel.database_errors import map_transient_errors
from app.kernel.deleted_rows import erase_deleted_postgresql, erase_deleted_sqlite
from app.kernel.fair_lock import FairLock
from app.kernel.instants import UtcDateTime
from app.kernel.macs import MACS, RowMacs
from app.kernel.postgresql import POSTGRESQL_SETTINGS, prepare_postgresql
from app.kernel.protected_groups import finish_transaction, verify_loaded
from app.kernel.sqlite import is_in_transaction, prepare_sqlite
from app.kernel.stored_names import store_enum

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
OWNER_ROLE: Final = "safe_conduct_owner"
APP_ROLE: Final = "safe_conduct_app"
ACTS_FOR: Final = "safe_conduct.acts_for"
"""The setting that row security reads, and the key of its value in `Session.info`."""
OPENED_FOR: Final = "opened_for"
"""The key, in `Session.info`, of the office for which a session was opened in a transaction
that has set `ACTS_FOR` already."""
SET_ACTS_FOR: Final = f"SELECT set_config('{ACTS_FOR}', %s, true)"
"""The SQL that sets `ACTS_FOR`; `true` limits the setting to the current transaction."""
THREADS: Final = 40
"""The maximum number of simultaneous requests, each of which uses a pooled connection."""
CACHED_STATEMENTS: Final = 512
"""The number of statements that an SQLite connection caches; an action runs dozens."""

Counter = BigInteger().with_variant(Integer(), "sqlite")  # autoincrement needs INTEGER


class Base(DeclarativeBase):
    """The base class of every table."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(none_as_null=True),
        dict[str, str]: JSON(),
        list[str]: JSON(),
        StrEnum: store_enum(StrEnum, None),
    }


class Listed:
    """A record with a random public id, and a private number by which lists are sorted.

    The number reveals how many records exist, so it is never part of a response.
    """

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        """Return the option that keeps SQLite from reusing the number of a deleted row."""
        return ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(Counter, primary_key=True, sort_order=-1)
    id: Mapped[UUID] = mapped_column(unique=True)


class Database:
    """The database, which opens transactions; any exception rolls the transaction back.

    `engines` contains each engine with a connection pool. SQLite has a second engine for
    reads; disposing of `engine` disposes of both. `macs` verify and write MACs of rows.
    """

    def __init__(self, url: str, role: str = APP_ROLE, macs: RowMacs | None = None) -> None:
        self.engine, self.macs = open_engine(url), macs
        self._write_lock: AbstractContextManager[None]
        if self.is_sqlite:
            readers = open_engine(url)
            self.engines: tuple[Engine, ...] = (self.engine, readers)
            prepare_sqlite(self.engine, query_only=False)
            prepare_sqlite(readers, query_only=True)
            event.listen(self.engine, "engine_disposed", lambda _: readers.dispose())
            self._read_engine = readers.execution_options(query_only=True)
            self._write_lock, self._write_engine = FairLock(), self.engine
        else:
            self.engines = (self.engine,)
            prepare_postgresql(self.engine, role)
            self._read_engine = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._write_lock = nullcontext()
            self._write_engine = self.engine.execution_options(
                isolation_level="READ COMMITTED"
            )

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database (SQLite), which only one process uses."""
        return self.engine.dialect.name == "sqlite"

    def is_standby(self) -> bool:
        """Return whether the server is a standby; False for SQLite or on an error."""
        if self.is_sqlite:
            return False
        try:
            with self._read_engine.connect() as connection:
                return bool(connection.scalar(select(func.pg_is_in_recovery())))
        except DBAPIError:
            return False

    def erase_deleted_rows(self, table: str) -> bool:
        """Remove the remains of deleted rows of a table; return whether that succeeded.

        The table must be small, because it is locked while it is rewritten. Raises Busy
        (503) if the database is not available.
        """
        with map_transient_errors(self.is_standby), self._write_lock:
            if self.is_sqlite:
                return erase_deleted_sqlite(self.engine, table)
            engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                try:
                    return erase_deleted_postgresql(connection, table)
                finally:
                    for setting in POSTGRESQL_SETTINGS:
                        connection.execute(text(setting))

    @contextmanager
    def begin_read(self, acts_for: str | None = None) -> Iterator[Session]:
        """Open a read-only transaction on one snapshot of the data, or raise Busy (503).

        On PostgreSQL, rows of cases are accessible only with `acts_for`, the id of the
        focal point that acts, or `system`.
        """
        self._load_secrets()
        with (
            map_transient_errors(self.is_standby),
            begin(self._read_engine, {ACTS_FOR: acts_for, MACS: self.macs}) as session,
        ):
            yield session
            verify_loaded(session)

    @contextmanager
    def connect_read(self) -> Iterator[Connection]:
        """Open a read-only transaction without a session, or raise Busy (503)."""
        self._load_secrets()
        with map_transient_errors(self.is_standby), self._read_engine.begin() as connection:
            yield connection

    def _load_secrets(self) -> None:
        """Use the keys of the key file, which may have been replaced."""
        if self.macs is not None:
            self.macs.load_secrets()

    @contextmanager
    def begin_write(self, acts_for: str | None = None) -> Iterator[Session]:
        """Open a transaction that may write. See `begin_read` for `acts_for`.

        On SQLite, only one such transaction runs at a time. On PostgreSQL, transactions use
        READ COMMITTED and row locks. If there is a deadlock or a timeout, Busy (503) is
        raised and nothing is changed.
        """
        self._load_secrets()
        with (
            map_transient_errors(self.is_standby),
            self._write_lock,
            begin(self._write_engine, {ACTS_FOR: acts_for, MACS: self.macs}) as session,
        ):
            yield session
            finish_transaction(session)
            require_open_transaction(session)


def open_engine(url: str) -> Engine:
    """Create an engine whose pool reuses the connection that was returned last."""
    parsed = make_url(url)
    lite = parsed.get_backend_name() == "sqlite"
    return create_engine(
        parsed,
        pool_size=THREADS,
        max_overflow=0,
        pool_timeout=10,
        pool_use_lifo=True,
        hide_parameters=True,
        json_deserializer=from_json,  # faster than `json.loads`
        connect_args={"cached_statements": CACHED_STATEMENTS} if lite else {},
    )


@contextmanager
def begin(engine: Engine, info: dict[str, Any]) -> Iterator[Session]:
    """Run the block in one transaction of a new session, and commit it at the end."""
    with Session(engine, expire_on_commit=False, info=info) as session, session.begin():
        yield session


def open_session(connection: Connection, macs: RowMacs | None, acts_for: str) -> Session:
    """Open a session in the transaction of a connection. The caller must end it."""
    info = {MACS: macs, OPENED_FOR: acts_for}
    # A rollback would remove the prepared statements of psycopg.
    return Session(connection, join_transaction_mode="rollback_only", info=info)


def get_own_office(session: Session) -> str | None:
    """Return the id of the office of a session, or `system`, or None if neither is set."""
    office: str | None = session.info.get(OPENED_FOR) or session.info.get(ACTS_FOR)
    return office


@event.listens_for(Session, "after_begin")
def set_acts_for(session: Session, _: SessionTransaction, connection: Connection) -> None:
    """Limit a new transaction to the rows that the session's focal point may access."""
    if (acts_for := session.info.get(ACTS_FOR)) is not None:
        limit_to_office(connection, acts_for)


def limit_to_office(connection: Connection, acts_for: str) -> None:
    """Set the office for row security in a transaction (ADR 21). No effect on SQLite."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(SET_ACTS_FOR, (acts_for,))


def require_open_transaction(session: Session) -> None:
    """Raise RuntimeError if the database has already rolled the transaction back.

    If the disk is full, SQLite may roll back without an error. Later statements would then
    be committed without the earlier ones (R51).
    """
    if not is_in_transaction(session.connection()):
        raise RuntimeError("The database has already ended this transaction.")


def claim_name(session: Session, name: str) -> bool:
    """Lock a name for this transaction; return False if another transaction has locked it.

    Always returns True on SQLite, which has only one writer at a time.
    """
    if session.get_bind().dialect.name == "sqlite":
        return True
    free = func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0), type_=Boolean)
    return session.scalars(select(free)).one()


def lock_name(session: Session, name: str) -> None:
    """Wait until a name is free, and lock it for this transaction. No effect on SQLite."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def get_database_time(session: Session) -> datetime:
    """Return the time of the database, which all machines of the service share.

    On SQLite, it is the time of this machine, because only one process uses the database.
    """
    if session.get_bind().dialect.name == "sqlite":
        now = session.scalars(select(func.strftime("%Y-%m-%dT%H:%M:%f", "now"))).one()
        return datetime.fromisoformat(now).replace(tzinfo=UTC)
    database_time: datetime = session.scalars(select(func.clock_timestamp())).one()
    return database_time.astimezone(UTC)


def get_dialect(session: Session) -> Dialect:
    """Return the dialect of the database, whose name is `sqlite` or `postgresql`."""
    return session.get_bind().dialect
