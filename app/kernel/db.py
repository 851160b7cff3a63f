"""The database: one code path; where SQLite and PostgreSQL differ, they differ here."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Connection,
    Engine,
    Enum,
    Integer,
    MetaData,
    create_engine,
    event,
    func,
    inspect,
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

from app.kernel.fairness import FairLock
from app.kernel.instants import UtcDateTime
from app.kernel.sqlite import DriverConnection, is_in_transaction, prepare_sqlite
from app.kernel.traces import scrub_postgresql, scrub_sqlite
from app.kernel.trouble import map_transient_errors

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
OWNER_ROLE: Final = "safe_conduct_owner"
APP_ROLE: Final = "safe_conduct_app"
POSTGRESQL_SETTINGS = (
    "SET search_path = 'public'",
    "SET timezone = 'UTC'",
    "SET synchronous_commit = 'on'",
    "SET lock_timeout = '5s'",
    "SET statement_timeout = '10s'",
    "SET idle_in_transaction_session_timeout = '30s'",
)
ACTS_FOR: Final = "safe_conduct.acts_for"
"""The setting that row security asks, and where a session keeps what it is set to."""
BIND: Final = f"SELECT set_config('{ACTS_FOR}', %s, true)"
"""True: until the transaction ends, whoever has the connection next."""
THREADS: Final = 40
"""Requests served at once; each holds at most one connection, so the pool has as many."""

STATEMENTS: Final = 512
"""Statements that a connection of SQLite keeps prepared; an action issues some dozens."""

Counter = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts only INTEGER keys


class Base(DeclarativeBase):
    """Parent of every table."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(none_as_null=True),
        list[str]: JSON(),
        StrEnum: Enum(  # text that a CHECK keeps to the closed list
            StrEnum,
            native_enum=False,
            create_constraint=True,
            length=40,
            values_callable=lambda kind: [member.value for member in kind],
        ),
    }


class Listed:
    """A record with a random public id, and a private number to list it by.

    The number says how many records there are, so it never leaves the house.
    """

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        """Never give the number of a deleted row to another."""
        return ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(Counter, primary_key=True, sort_order=-1)
    id: Mapped[UUID] = mapped_column(unique=True)


class Database:
    """Opens transactions; commits on success, rolls back on any exception.

    `engines` are those with a pool of their own: on SQLite, reads have one, and to dispose
    of `engine` closes both.
    """

    def __init__(self, url: str, role: str = APP_ROLE) -> None:
        self.engine = open_engine(url)
        self._turn: AbstractContextManager[None]
        if self.is_sqlite:
            readers = open_engine(url)
            self.engines: tuple[Engine, ...] = (self.engine, readers)
            prepare_sqlite(self.engine, query_only=False)
            prepare_sqlite(readers, query_only=True)
            event.listen(self.engine, "engine_disposed", lambda _: readers.dispose())
            self._readers = readers.execution_options(query_only=True)
            self._turn, self._writers = FairLock(), self.engine
        else:
            self.engines = (self.engine,)
            prepare_postgresql(self.engine, role)
            self._readers = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._turn = nullcontext()
            self._writers = self.engine.execution_options(isolation_level="READ COMMITTED")

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database, which one process serves."""
        return self.engine.dialect.name == "sqlite"

    def is_standby(self) -> bool:
        """Return whether this is a PostgreSQL server in recovery, which takes no writes.

        False as well where it does not answer: then another error has told so.
        """
        if self.is_sqlite:
            return False
        try:
            with self._readers.connect() as connection:
                return bool(connection.scalar(select(func.pg_is_in_recovery())))
        except DBAPIError:
            return False

    def scrub(self, table: str) -> bool:
        """Leave no trace of what was deleted from a table; False: that is not done yet.

        For a table that is small: nobody else uses it meanwhile. Raises Busy (503).
        """
        with map_transient_errors(self.is_standby), self._turn:
            if self.is_sqlite:
                return scrub_sqlite(self.engine, table)
            engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                try:
                    return scrub_postgresql(connection, table)
                finally:
                    for setting in POSTGRESQL_SETTINGS:
                        connection.execute(text(setting))

    @contextmanager
    def reading(self, acts_for: str | None = None) -> Iterator[Session]:
        """Look at one moment; the database itself refuses to write. Raises Busy (503).

        For nobody, unless it is said for whom: rows of a case are then out of reach.
        """
        with (
            map_transient_errors(self.is_standby),
            begin(self._readers, acts_for) as session,
        ):
            yield session

    @contextmanager
    def writing(self, acts_for: str | None = None) -> Iterator[Session]:
        """Change things: alone on SQLite; READ COMMITTED and row locks on PostgreSQL.

        For whom, as above. Raises Busy (503) for a deadlock or a time-out: nothing was
        changed.
        """
        with (
            map_transient_errors(self.is_standby),
            self._turn,
            begin(self._writers, acts_for) as session,
        ):
            yield session
            session.flush()
            must_still_be_in_transaction(session)


def open_engine(url: str) -> Engine:
    """Open a pool of connections, of which as few as possible are in use."""
    made = make_url(url)
    lite = made.get_backend_name() == "sqlite"
    return create_engine(
        made,
        pool_size=THREADS,
        max_overflow=0,
        pool_timeout=10,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={"cached_statements": STATEMENTS} if lite else {},
    )


@contextmanager
def begin(engine: Engine, acts_for: str | None) -> Iterator[Session]:
    """Run one transaction: the only place where one begins."""
    kept = {ACTS_FOR: acts_for}
    with Session(engine, expire_on_commit=False, info=kept) as session, session.begin():
        yield session


@event.listens_for(Session, "after_begin")
def bind(session: Session, _: SessionTransaction, connection: Connection) -> None:
    """Tell row security for whom this transaction acts, and no later one (ADR 21)."""
    acts_for = session.info.get(ACTS_FOR)
    if acts_for is not None and connection.dialect.name != "sqlite":
        connection.exec_driver_sql(BIND, (acts_for,))


def must_still_be_in_transaction(session: Session) -> None:
    """Refuse to commit what the database has already rolled back.

    On SQLite a full disk ends it in silence; later statements would commit alone (R51).
    """
    if not is_in_transaction(session.connection()):
        raise RuntimeError("The database ended this transaction by itself.")


def prepare_postgresql(engine: Engine, role: str) -> None:
    """Make every PostgreSQL connection a role: the application's, which owns nothing.

    Whoever signs in need only be a member of that role; time-outs keep one slow caller
    from holding up the others.
    """

    @event.listens_for(engine, "do_connect")
    def _(_: object, __: object, ___: object, parameters: dict[str, str]) -> None:
        parameters["client_encoding"] = "utf8"  # whatever the server or the host is set to

    @event.listens_for(engine, "connect")
    def _(connection: DriverConnection, _: object) -> None:
        connection.autocommit = True
        connection.execute("; ".join((f"SET ROLE {role}", *POSTGRESQL_SETTINGS)))
        connection.autocommit = False


def try_hold(session: Session, name: str) -> bool:
    """Hold a name until this transaction ends, or say that another one holds it.

    On SQLite every name is free: the other writer has finished before we began.
    """
    if session.get_bind().dialect.name == "sqlite":
        return True
    free = func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0), type_=Boolean)
    return session.scalars(select(free)).one()


def hold(session: Session, name: str) -> None:
    """Wait for a name, then hold it until this transaction ends; SQLite has one writer."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def database_now(session: Session) -> datetime:
    """Read the clock of the database: one for all, however the machines' own differ.

    On SQLite, which lives in one process, it is that of the machine.
    """
    if session.get_bind().dialect.name == "sqlite":
        told = session.scalars(select(func.strftime("%Y-%m-%dT%H:%M:%f", "now"))).one()
        return datetime.fromisoformat(told).replace(tzinfo=UTC)
    moment: datetime = session.scalars(select(func.clock_timestamp())).one()
    return moment.astimezone(UTC)


def kind_of(session: Session) -> str:
    """Return which database this is: `sqlite` or `postgresql`."""
    return session.get_bind().dialect.name


def migrated_to(session: Session) -> str | None:
    """Name the migration this database stands at; None: it has no tables yet."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return None
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found
