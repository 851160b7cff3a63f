"""Renewal of MACs, which replaces MACs made with earlier keys (ADR 84)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any, Final, Protocol

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from app.access.protected_tables import OWNERS, Owner
from app.access.row_verification import parse_owner
from app.access.stored_groups import store_entries
from app.cases.case_macs import CaseGroups
from app.cases.models import Case
from app.cases.protected_records import select_row
from app.cli import wrapped_keys
from app.cli.row_protection import REGISTERS
from app.deadlines.models import Clock
from app.kernel.actors import SYSTEM
from app.kernel.macs import MACS, RowMacs
from app.kernel.protected_rows import (
    MAC,
    ProtectedRow,
    list_values,
    select_rows,
    store_macs,
)
from app.kernel.statements import lock_rows
from app.kernel.transactions import Runtime, begin_read, begin_write

BATCH: Final = 100
"""The maximum number of rows in a transaction, so that requests do not wait long."""

type Row = Mapping[str, Any]
type PrimaryKey = tuple[Any, ...]
type Versions = dict[PrimaryKey, str | None]
"""The version of the key with which the MAC of each row was made. The version is None if
the row does not match its MAC."""


class MacTable(Protocol):
    """A table in which each row has a MAC."""

    @property
    def model(self) -> Any:
        """The model of the rows, whose MAC is in the column `mac`."""

    def build_select(self) -> Select[*tuple[Any, ...]]:
        """Build the query for the MAC of each row and the values that it covers."""

    def find_version(self, macs: RowMacs, row: Row) -> str | None:
        """Return the version of the key of a MAC, or None if the row does not match it."""

    def renew(self, session: Session, row: Row) -> None:
        """Replace the matching MAC of a locked row with a MAC of the current key."""


@dataclass(frozen=True)
class OwnerTable:
    """The table of accounts, or of persons. A MAC covers the row and its credentials."""

    model: type[Owner]

    def build_select(self) -> Select[*tuple[Any, ...]]:
        """Build the statement that selects the rows."""
        return select(OWNERS[self.model].table)

    def find_version(self, macs: RowMacs, row: Row) -> str | None:
        """Return the version of the key of a MAC, or None if the row does not match it."""
        table = OWNERS[self.model]
        return macs.find_group_version(table.name, table.get_values(row), row[MAC])

    def renew(self, session: Session, row: Row) -> None:
        """Replace the MAC of a locked row with one of the current key."""
        if group := parse_owner(session.info[MACS], self.model, row):
            store_entries(session, (self.model, row["id"]), row, group, group.entries)


@dataclass(frozen=True)
class CaseTable:
    """The table of cases. A MAC covers the case and its records."""

    model: type[Case] = Case

    def build_select(self) -> Select[*tuple[Any, ...]]:
        """Build the statement that selects the rows."""
        return select_row(Case)

    def find_version(self, macs: RowMacs, row: Row) -> str | None:
        """Return the version of the key of a MAC, or None if the row does not match it."""
        owner = [row["id"], Case.name_values(Case.get_values(row))]
        return macs.find_group_version(Case.__tablename__, owner, row[MAC])

    def renew(self, session: Session, row: Row) -> None:
        """Verify a locked row, and mark its MAC to be replaced before the commit."""
        groups = CaseGroups.get_for(session)
        groups.owned.add(row["id"])
        groups.verify_case(row)
        groups.due.add(row["id"])


@dataclass(frozen=True)
class RowTable:
    """A table in which each MAC covers one row."""

    model: type[ProtectedRow]

    def build_select(self) -> Select[*tuple[Any, ...]]:
        """Build the statement that selects the rows."""
        return select_rows(self.model)

    def find_version(self, macs: RowMacs, row: Row) -> str | None:
        """Return the version of the key of a MAC, or None if the row does not match it."""
        values = list_values(self.model, row)
        return macs.find_row_version(self.model.__tablename__, values, row[MAC])

    def renew(self, session: Session, row: Row) -> None:
        """Replace the MAC of a locked row with one of the current key."""
        store_macs(session, self.model, [row])


TABLES: Final[tuple[MacTable, ...]] = (
    *(OwnerTable(model) for model in OWNERS),
    CaseTable(),
    *(RowTable(register.table) for register in REGISTERS),
    RowTable(Clock),
)
"""Each table whose rows have a MAC."""


def renew_macs(runtime: Runtime, altered: Counter[str]) -> Iterator[tuple[int, int]]:
    """Recompute, with the current key, the MACs that were made with earlier keys.

    Yields the numbers of finished rows and of all rows. A row that does not match its MAC,
    or whose MAC was made with a retired key, is not changed. `altered` gets the number of
    such rows in each table. Each batch of rows has its own transaction, so the command can
    be run again.

    Rows that another transaction has locked are skipped. At the end, each of them is
    renewed in a transaction of its own, so that no deadlock can occur. Raises KeyRefused if
    a MAC was made with the standby key, and Busy (503) if a row stays locked.
    """
    work, skipped = list_batches(runtime), list[tuple[MacTable, PrimaryKey]]()
    done, total = 0, sum(len(rows) for _, rows in work)
    for table, rows in work:
        versions = renew_batch(runtime, table, rows)
        valid = runtime.row_macs.secrets.accepted
        wrong = [one for one in versions.values() if one not in valid]
        altered[table.model.__tablename__] += len(wrong)
        skipped += [(table, row) for row in list_replaced_rows(runtime, versions)]
        done += len(rows)
        yield done - len(skipped), total
    for table, row in skipped:
        renew_row(runtime, table, row)
    yield total, total


def count_by_version(runtime: Runtime, found: Counter[str]) -> Iterator[tuple[int, int]]:
    """Count the MACs by the version of their key, and add the counts to `found`.

    Yields the numbers of checked rows and of all rows. Rows that do not match their MACs
    are not counted.
    """
    work = list_batches(runtime)
    done, total = 0, sum(len(rows) for _, rows in work)
    for table, rows in work:
        versions = find_versions(runtime, table, rows).values()
        found.update(version for version in versions if version is not None)
        done += len(rows)
        yield done, total


def list_batches(runtime: Runtime) -> list[tuple[MacTable, Sequence[PrimaryKey]]]:
    """List the primary keys of all rows that have a MAC, in batches of one table each."""
    with begin_read(runtime, SYSTEM) as tx:
        return [
            (table, batch)
            for table in TABLES
            for batch in batched(list_primary_keys(tx.session, table), BATCH)
        ]


def list_primary_keys(session: Session, table: MacTable) -> list[PrimaryKey]:
    """List the primary keys of the rows of a table that have a MAC, in order."""
    columns = list(table.model.__table__.primary_key)
    found = select(*columns).where(table.model.__table__.c.mac.is_not(None))
    return [tuple(row) for row in session.execute(found.order_by(*columns))]


def find_versions(
    runtime: Runtime, table: MacTable, wanted: Sequence[PrimaryKey]
) -> Versions:
    """Return the versions of the keys with which the MACs of the given rows were made.

    The version of a row is None if its values cannot be read or do not match the MAC.
    """
    macs = runtime.row_macs
    try:
        with begin_read(runtime, SYSTEM) as tx:
            rows = read_rows(tx.session, table, table.build_select(), wanted)
    except (LookupError, ValueError):
        if len(wanted) == 1:
            return {wanted[0]: None}
        each = (find_versions(runtime, table, [one]) for one in wanted)
        return {key: version for one in each for key, version in one.items()}
    return {key: table.find_version(macs, row) for key, row in rows}


def read_rows(
    session: Session,
    table: MacTable,
    statement: Select[*tuple[Any, ...]],
    wanted: Sequence[PrimaryKey],
) -> list[tuple[PrimaryKey, Row]]:
    """Return the rows with keys in `wanted` that a statement selects and that have MACs."""
    columns = list(table.model.__table__.primary_key)
    some = tuple_(*columns).in_(wanted) & table.model.__table__.c.mac.is_not(None)
    found = session.connection().execute(statement.where(some).order_by(*columns))
    rows = found.mappings().all()
    return [(tuple(row[one.key] for one in columns), dict(row)) for row in rows]


def renew_batch(
    runtime: Runtime, table: MacTable, wanted: Sequence[PrimaryKey]
) -> Versions:
    """Renew the MACs of the rows in `wanted` that no other transaction has locked.

    Returns the version of the key of each row's MAC afterwards, including locked rows.
    Raises KeyRefused if a MAC was made with the standby key.
    """
    versions = find_versions(runtime, table, wanted)
    wrapped_keys.require_no_standby(runtime, versions.values())
    if replaced := list_replaced_rows(runtime, versions):
        unlocked = lock_rows(table.build_select(), skip_locked=True)
        with begin_write(runtime, SYSTEM) as tx:
            rows = read_rows(tx.session, table, unlocked, replaced)
            versions |= renew_rows(tx.session, table, rows)
    return versions


def renew_row(runtime: Runtime, table: MacTable, wanted: PrimaryKey) -> None:
    """Wait until a row is not locked by another transaction, and renew its MAC."""
    locked = lock_rows(table.build_select())
    with begin_write(runtime, SYSTEM) as tx:
        renew_rows(tx.session, table, read_rows(tx.session, table, locked, [wanted]))


def list_replaced_rows(runtime: Runtime, versions: Versions) -> list[PrimaryKey]:
    """List the rows whose MAC was made with an earlier key that is not retired."""
    replaced = runtime.row_macs.secrets.replaced
    return [key for key, version in versions.items() if version in replaced]


def renew_rows(
    session: Session, table: MacTable, rows: Sequence[tuple[PrimaryKey, Row]]
) -> Versions:
    """Renew the MACs of locked rows that were made with an earlier key.

    Returns the version of the key of each row's MAC afterwards.
    """
    macs: RowMacs = session.info[MACS]
    versions: Versions = {}
    for key, row in rows:
        versions[key] = table.find_version(macs, row)
        if versions[key] in macs.secrets.replaced:
            table.renew(session, row)
            versions[key] = macs.secrets.current_version
    return versions
