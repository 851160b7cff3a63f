"""MACs that an earlier key made, made again with the current key (ADR 84)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any, Final, Protocol

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from app.access.protected_tables import OWNERS, Owner
from app.access.row_protection import store_mac
from app.access.row_verification import parse_owner
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
    matches_mac,
    select_rows,
    write_mac,
)
from app.kernel.statements import lock_rows
from app.kernel.transactions import Runtime, begin_read, begin_write

BATCH: Final = 100
"""The number of rows of a transaction, so that no request waits long for one of them."""

type Row = Mapping[str, Any]
type Key = tuple[Any, ...]
type Versions = dict[Key, str | None]
"""The version of the key that made the MAC of a row, by the primary key of the row; None if
the row does not match its MAC."""


class MacTable(Protocol):
    """A table whose rows have a MAC each."""

    @property
    def model(self) -> Any:
        """The model of the rows, whose MAC is in the column `mac`."""

    def select(self) -> Select[*tuple[Any, ...]]:
        """Return the statement that selects the columns that the MAC covers, and it."""

    def find_version(self, macs: RowMacs, row: Row) -> str | None:
        """Return the version of the key that made the MAC of a row, or None."""

    def renew(self, session: Session, row: Row) -> None:
        """Make the MAC of a locked row, which matches it, again with the current key."""


@dataclass(frozen=True)
class OwnerTable:
    """The accounts, or the persons: each MAC covers a row and its keys or passkeys."""

    model: type[Owner]

    def select(self) -> Select[*tuple[Any, ...]]:
        """Return the statement that selects the rows."""
        return select(OWNERS[self.model].table)

    def find_version(self, macs: RowMacs, row: Row) -> str | None:
        """Return the version of the key that made the MAC of a row, or None."""
        table = OWNERS[self.model]
        return macs.find_group_version(table.name, table.get_values(row), row[MAC])

    def renew(self, session: Session, row: Row) -> None:
        """Make the MAC of a locked row with the current key. Raises NotAuthentic."""
        macs, table = session.info[MACS], OWNERS[self.model]
        if group := parse_owner(macs, self.model, row):
            new = replace(group, revision=group.revision + 1)
            mac = macs.format_group(table.name, table.get_values(row), new)
            store_mac(session, (self.model, row["id"]), mac)


@dataclass(frozen=True)
class CaseTable:
    """The cases: each MAC covers a case and its records."""

    model: type[Case] = Case

    def select(self) -> Select[*tuple[Any, ...]]:
        """Return the statement that selects the rows."""
        return select_row(Case)

    def find_version(self, macs: RowMacs, row: Row) -> str | None:
        """Return the version of the key that made the MAC of a row, or None."""
        owner = [row["id"], Case.name_values(Case.get_values(row))]
        return macs.find_group_version(Case.__tablename__, owner, row[MAC])

    def renew(self, session: Session, row: Row) -> None:
        """Make the MAC of a locked row with the current key. Raises NotAuthentic."""
        groups = CaseGroups.get_for(session)
        groups.owned.add(row["id"])
        groups.verify_case(row)
        groups.due.add(row["id"])


@dataclass(frozen=True)
class RowTable:
    """A table of rows that each have a MAC of their own."""

    model: type[ProtectedRow]

    def select(self) -> Select[*tuple[Any, ...]]:
        """Return the statement that selects the rows."""
        return select_rows(self.model)

    def find_version(self, macs: RowMacs, row: Row) -> str | None:
        """Return the version of the key that made the MAC of a row, or None."""
        values = list_values(self.model, row)
        return macs.find_row_version(self.model.__tablename__, values, row[MAC])

    def renew(self, session: Session, row: Row) -> None:
        """Make the MAC of a locked row with the current key, if it matches the row."""
        if matches_mac(session.info[MACS], self.model, row):
            write_mac(session, self.model, row)


TABLES: Final[tuple[MacTable, ...]] = (
    *(OwnerTable(model) for model in OWNERS),
    CaseTable(),
    *(RowTable(register.table) for register in REGISTERS),
    RowTable(Clock),
)
"""Each table whose rows have a MAC."""


def renew_macs(runtime: Runtime, altered: Counter[str]) -> Iterator[tuple[int, int]]:
    """Make the MACs of earlier keys again with the current key, in batches.

    Yields the numbers of finished rows and of all rows. A row that does not match its MAC
    is left as it is; `altered` gets the number of such rows by their table. Each batch has
    a transaction of its own, so the command can be run again.

    Rows that another transaction has locked are skipped. At the end, each of them has a
    transaction of its own, so that no deadlock can occur.
    Raises KeyRefused if the standby key has made a MAC, and Busy (503) if a row stays
    locked.
    """
    work, busy = list_batches(runtime), list[tuple[MacTable, Key]]()
    done, total = 0, sum(len(keys) for _, keys in work)
    for table, keys in work:
        versions = renew_batch(runtime, table, keys)
        valid = runtime.row_macs.secrets.accepted
        wrong = [one for one in versions.values() if one not in valid]
        altered[table.model.__tablename__] += len(wrong)
        busy += [(table, key) for key in list_replaced(runtime, versions)]
        done += len(keys)
        yield done - len(busy), total
    for table, key in busy:
        renew_busy(runtime, table, key)
    yield total, total


def count_by_version(runtime: Runtime, found: Counter[str]) -> Iterator[tuple[int, int]]:
    """Count the MACs by the version of their key. Yields as `renew_macs` does.

    Rows that do not match their MACs are not counted.
    """
    work = list_batches(runtime)
    done, total = 0, sum(len(keys) for _, keys in work)
    for table, keys in work:
        versions = find_versions(runtime, table, keys).values()
        found.update(version for version in versions if version is not None)
        done += len(keys)
        yield done, total


def list_batches(runtime: Runtime) -> list[tuple[MacTable, Sequence[Key]]]:
    """List the primary keys of all rows that have a MAC, in batches of one table each."""
    with begin_read(runtime, SYSTEM) as tx:
        return [
            (table, batch)
            for table in TABLES
            for batch in batched(list_keys(tx.session, table), BATCH)
        ]


def list_keys(session: Session, table: MacTable) -> list[Key]:
    """List the primary keys of the rows of a table that have a MAC, in order."""
    columns = list(table.model.__table__.primary_key)
    found = select(*columns).where(table.model.__table__.c.mac.is_not(None))
    return [tuple(row) for row in session.execute(found.order_by(*columns))]


def find_versions(runtime: Runtime, table: MacTable, keys: Sequence[Key]) -> Versions:
    """Return the versions of the keys that made the MACs of some rows.

    A row whose values cannot be read does not match its MAC.
    """
    macs = runtime.row_macs
    try:
        with begin_read(runtime, SYSTEM) as tx:
            rows = read_rows(tx.session, table, table.select(), keys)
    except (LookupError, ValueError):
        if len(keys) == 1:
            return {keys[0]: None}
        each = (find_versions(runtime, table, [key]) for key in keys)
        return {key: version for one in each for key, version in one.items()}
    return {key: table.find_version(macs, row) for key, row in rows}


def read_rows(
    session: Session,
    table: MacTable,
    statement: Select[*tuple[Any, ...]],
    keys: Sequence[Key],
) -> list[tuple[Key, Row]]:
    """Return the rows that a statement selects, if they have these keys and a MAC."""
    columns = list(table.model.__table__.primary_key)
    some = tuple_(*columns).in_(keys) & table.model.__table__.c.mac.is_not(None)
    found = session.connection().execute(statement.where(some).order_by(*columns))
    rows = found.mappings().all()
    return [(tuple(row[one.key] for one in columns), dict(row)) for row in rows]


def renew_batch(runtime: Runtime, table: MacTable, keys: Sequence[Key]) -> Versions:
    """Make the MACs of the rows with some keys that no other transaction has locked.

    Returns the versions of the keys that made the MACs. Raises KeyRefused if the standby
    key has made one.
    """
    versions = find_versions(runtime, table, keys)
    wrapped_keys.require_no_standby(runtime, versions.values())
    if replaced := list_replaced(runtime, versions):
        with begin_write(runtime, SYSTEM) as tx:
            free = lock_rows(table.select(), skip_locked=True)
            renew_rows(tx.session, table, read_rows(tx.session, table, free, replaced))
        versions |= find_versions(runtime, table, replaced)
    return versions


def renew_busy(runtime: Runtime, table: MacTable, key: Key) -> None:
    """Make the MAC of a row, after other transactions have released it."""
    with begin_write(runtime, SYSTEM) as tx:
        locked = lock_rows(table.select())
        renew_rows(tx.session, table, read_rows(tx.session, table, locked, [key]))


def list_replaced(runtime: Runtime, versions: Versions) -> list[Key]:
    """List the keys of the rows whose MAC an earlier key made that is not retired."""
    replaced = runtime.row_macs.secrets.replaced
    return [key for key, version in versions.items() if version in replaced]


def renew_rows(session: Session, table: MacTable, rows: Sequence[tuple[Key, Row]]) -> None:
    """Make the MACs of locked rows again, unless another transaction has done so."""
    macs: RowMacs = session.info[MACS]
    for _, row in rows:
        if table.find_version(macs, row) in macs.secrets.replaced:
            table.renew(session, row)
