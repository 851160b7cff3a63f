"""Transactions: a session with its actor, its time and the dependencies of the service."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Protocol, override
from uuid import UUID

from sqlalchemy import CompoundSelect, Connection, CursorResult, Row, Select
from sqlalchemy.orm import Session

from app.kernel.actors import Actor
from app.kernel.db import (
    Database,
    get_database_time,
    limit_to_office,
    open_session,
)
from app.kernel.free_space import UNWATCHED, FreeSpace
from app.kernel.journal import Entry, Posting, deliver
from app.kernel.macs import RowMacs
from app.kernel.problems import Facts
from app.kernel.protected_groups import verify_loaded
from app.kernel.quotas import Quotas
from app.kernel.vault import Vault

type Rows[*Ts] = Select[*Ts] | CompoundSelect[*Ts]
"""A statement that reads columns."""


READ_ONLY: Final = frozenset({"query_only", "postgresql_readonly"})
"""Execution options with which the database refuses the writes of a transaction."""


def is_read_only(session: Session) -> bool:
    """Return whether a transaction only reads, in one snapshot of the data."""
    options = session.connection().get_execution_options()
    return any(options.get(name) for name in READ_ONLY)


class RefusalCounter(Protocol):
    """A counter of the refused attempts of accounts to open sealed data."""

    def count(self, account: UUID, now: datetime) -> None:
        """Count a refused attempt. Raises a problem (429) if there were too many."""

    def was_reported(self, account: UUID, now: datetime) -> bool:
        """Return whether this process reported the account within the last hour."""

    def record_reported(self, account: UUID, now: datetime) -> None:
        """Record that the refused attempts of the account were reported."""


@dataclass(frozen=True)
class Runtime:
    """The dependencies of all transactions: database, vault, clock, ids and limits.

    `clock` and `ids` are injected, so that a test can repeat a run exactly. `time` returns
    the time of the database, by which all machines count deadlines (R55). `speed` is the
    speed of deadlines and is more than 1 in drills only. `drill` is true in a drill, at any
    speed. `daily_cap` is the maximum number of cases that a person may open in a UTC day
    (R18); None means no limit. `hosts` contains the hosts that webhooks may call (R62).
    `refused_openings` counts refused attempts to open sealed data; None means that they are
    not counted. `quotas` limits the content that accounts write. `free_space` measures the
    disks of this machine. `person_keys` is whether people may use API keys.
    """

    database: Database
    vault: Vault
    clock: Callable[[], datetime]
    ids: Callable[[], UUID]
    time: Callable[[Session], datetime] = get_database_time
    speed: int = 1
    daily_cap: int | None = None
    hosts: frozenset[str] = frozenset()
    refused_openings: "RefusalCounter | None" = None
    quotas: Quotas = field(default_factory=Quotas)
    free_space: FreeSpace = UNWATCHED
    drill: bool = False
    person_keys: bool = True

    @property
    def row_macs(self) -> RowMacs:
        """The `RowMacs` of the database. Raises RuntimeError if it has no keys."""
        if self.database.macs is None:
            raise RuntimeError("The database was opened without keys.")
        return self.database.macs

    @property
    def is_drill(self) -> bool:
        """Whether this is a drill, an exercise whose database contains no real person."""
        return self.drill or self.speed > 1


class Recorded(Protocol):
    """A record that a journal entry can refer to."""

    @property
    def id(self) -> UUID:
        """The id of the record."""

    @property
    def case_id(self) -> UUID:
        """The id of the case that the record belongs to."""

    @property
    def reference(self) -> str:
        """The public reference of the record, such as `cases/SC-...` or `referrals/...`."""


@dataclass(frozen=True)
class RecordIdentity:
    """The ids and the reference of a record, for deadlines and the journal."""

    id: UUID
    case_id: UUID
    reference: str


@dataclass
class ReadTransaction:
    """A transaction that only reads; the database refuses writes."""

    session: Session
    actor: Actor
    now: datetime
    runtime: Runtime
    kept_alive: set[object] = field(default_factory=set)
    """Records that are referenced here, so that the session keeps them in memory."""
    created: set[UUID] = field(default_factory=set)
    """The ids that this transaction created. No row that was stored before has them."""

    @property
    def vault(self) -> Vault:
        """The vault, which seals and opens personal data."""
        return self.runtime.vault

    def read_columns[*Ts](
        self, statement: Rows[*Ts], parameters: Mapping[str, Any]
    ) -> CursorResult[*Ts]:
        """Read columns without creating objects, after flushing pending writes.

        Do not use this for statements that lock rows, because objects that are loaded
        already would keep their old values.
        """
        self.session.flush()
        return self.session.connection().execute(statement, parameters)


class AuthenticatedRead(ReadTransaction):
    """A read transaction in which the caller was authenticated.

    `credential` is the row that was read to authenticate the caller. The session is opened
    only when it is first used, because reads of the feed and the worklist need none.
    """

    def __init__(
        self, connection: Connection, actor: Actor, runtime: Runtime, credential: Row[Any]
    ) -> None:
        self.connection, self.actor, self.runtime = connection, actor, runtime
        self.now, self.credential = runtime.clock(), credential
        self.kept_alive, self.created = set(), set()

    @cached_property
    def own_rows(self) -> Connection:
        """The connection, limited to the rows that the caller's focal point may access."""
        limit_to_office(self.connection, self.actor.acts_for)
        return self.connection

    @cached_property
    @override
    def session(self) -> Session:  # type: ignore[override]  # opened late
        """The session, which is opened for reads that need objects."""
        macs = self.runtime.database.macs
        return open_session(self.own_rows, macs, self.actor.acts_for)

    @override
    def read_columns[*Ts](
        self, statement: Rows[*Ts], parameters: Mapping[str, Any]
    ) -> CursorResult[*Ts]:
        return self.own_rows.execute(statement, parameters)

    def verify(self) -> None:
        """Verify the protected rows that were loaded. Raises NotAuthentic."""
        if "session" in vars(self):
            verify_loaded(self.session)

    def close(self) -> None:
        """Close the session, if it was opened."""
        if "session" in vars(self):
            self.session.close()


@dataclass
class WriteTransaction(ReadTransaction):
    """A transaction that may write, and records events in the journal."""

    postings: list[Posting] = field(default_factory=list)
    is_exempt_from_quota: bool = False
    """Whether the transaction may exceed the account's daily quota for sealed content."""

    def create_id(self) -> UUID:
        """Return a new random id."""
        new = self.runtime.ids()
        self.created.add(new)
        return new

    def record(
        self,
        event: str,
        subject: Recorded,
        audience: frozenset[UUID],
        facts: Facts | None = None,
        *,
        by_system: bool = False,
    ) -> None:
        """Record an event, which is published if and only if the transaction commits.

        Facts are codes and ids, never personal data.
        """
        by_system = by_system or self.actor.is_system
        entry = Entry(
            id=self.create_id(),
            at=self.now,
            type=event,
            case_id=subject.case_id,
            record_id=subject.id,
            reference=subject.reference,
            account_id=None if by_system else self.actor.account_id,
            focal_point_id=None if by_system else self.actor.focal_point_id,
            facts=dict(facts or {}),
        )
        self.postings.append(Posting(entry, audience))


@contextmanager
def begin_read(runtime: Runtime, actor: Actor) -> Iterator[ReadTransaction]:
    """Open a transaction that only reads."""
    with runtime.database.begin_read(actor.acts_for) as session:
        yield ReadTransaction(
            session=session, actor=actor, now=runtime.clock(), runtime=runtime
        )


@contextmanager
def begin_write(
    runtime: Runtime, actor: Actor, *, acts_for: str | None = None
) -> Iterator[WriteTransaction]:
    """Open a transaction that may write, and add its events to the feeds before the commit.

    If the system acts, the time is that of the database, not of this machine. Row security
    limits access to the cases of the actor's focal point, or of the focal point `acts_for`.
    """
    with runtime.database.begin_write(acts_for or actor.acts_for) as session:
        now = runtime.time(session) if actor.is_system else runtime.clock()
        tx = WriteTransaction(session=session, actor=actor, now=now, runtime=runtime)
        yield tx
        session.flush()
        deliver(session, tx.postings)
