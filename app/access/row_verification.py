"""Verification of the rows that give rights, when a right is used (ADR 80)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from sqlalchemy.orm import Session

from app.access.models import Account
from app.access.protected_tables import (
    MEMBER_TABLES,
    OWNERS,
    Member,
    MemberTable,
    Owner,
    ProtectedTable,
)
from app.kernel.macs import (
    MACS,
    Group,
    NotAuthentic,
    RowMacs,
    compute_table_tag,
    raise_alarm,
)
from app.kernel.transactions import is_read_only

type MemberLabels = Mapping[type[Any], Mapping[str, str]]
"""The models whose rows are in the result of a query. Each maps the names of its columns to
their labels in the query, if these differ from the names."""
type MemberRow = tuple[MemberTable, Mapping[str, Any]]
"""A row that belongs to a group, with its table."""


def read_row(
    connection: Connection, table: ProtectedTable, key: Any, *, lock: bool = False
) -> Mapping[str, Any]:
    """Return a row of a protected table. Raises NotAuthentic if it was deleted."""
    query = select(table.table).where(table.table.c[table.columns[0]] == key)
    locked = query.with_for_update(key_share=True) if lock else query
    found = connection.execute(locked).mappings().one_or_none()
    if found is None:
        raise_alarm(table.name, [key])
    return dict(found)


def parse_owner(macs: RowMacs, model: type[Owner], row: Mapping[str, Any]) -> Group | None:
    """Return the group of an owner, or None if it has no MAC and this is accepted now.

    Raises NotAuthentic if something other than the service changed the row.
    """
    table = OWNERS[model]
    if row["mac"] is None:
        if not macs.accepts_missing():
            raise_alarm(table.name, table.get_values(row))
        return None
    return macs.parse_group(table.name, table.get_values(row), row["mac"])


def require_in_group(
    macs: RowMacs, group: Group | None, table: MemberTable, row: Mapping[str, Any]
) -> None:
    """Raise NotAuthentic unless a row matches its entry, or has ended and has no entry.

    If `group` is None, the row is not verified.
    """
    if group is not None and not matches_entry(macs, group, table, row):
        raise_alarm(table.name, table.get_values(row))


def matches_entry(
    macs: RowMacs, group: Group, table: MemberTable, row: Mapping[str, Any]
) -> bool:
    """Return whether a row matches its entry in a group, or has ended without one."""
    if table.get_tag(row) not in group.entries:
        return table.is_ended(row, macs.clock())
    return macs.has_entry(group, table.name, table.get_values(row))


def verify_credential(macs: RowMacs, row: Row[Any], members: MemberLabels) -> None:
    """Raise NotAuthentic unless an account and its members in a query row are authentic.

    `members` are the models of the members, with the labels of columns whose labels differ
    from their names. A member whose primary key is null is skipped.
    """
    values = dict(zip(row._fields, row, strict=True))
    group = parse_owner(macs, Account, values)
    for model, labels in members.items():
        table = MEMBER_TABLES[model]
        member = {name: values[labels.get(name, name)] for name in table.all_columns}
        if member[table.columns[0]] is not None:
            require_in_group(macs, group, table, member)


def verify_found[M: Member](session: Session, found: M | None) -> M | None:
    """Return a found record, or None if it is None or was altered outside the service."""
    return found if found is not None and is_authentic(session, found) else None


def get_verified[M: Member](session: Session, model: type[M], key: object) -> M:
    """Return the record of a row that was verified in this transaction.

    Raises NotAuthentic if the row has been hidden or deleted outside the service.
    """
    found = session.get(model, key)
    if found is None:
        raise_alarm(model.__tablename__, [key])
    return found


def is_authentic(session: Session, record: Member, owner: Owner | None = None) -> bool:
    """Return whether the service wrote a loaded record, and log an alarm if it did not.

    The owner must be authentic, too. Its row is read unless `owner` is given.
    """
    table, macs = MEMBER_TABLES[type(record)], session.info[MACS]
    try:
        row = read_loaded(owner) if owner else read_owner(session, table, record)
        group = parse_owner(macs, table.owner, row)
        require_in_group(macs, group, table, table.read_record(record))
    except NotAuthentic:
        return False
    return True


def read_owner(session: Session, table: MemberTable, record: Member) -> Mapping[str, Any]:
    """Return the row of the owner of a record. Raises NotAuthentic if it was deleted."""
    owner_id = getattr(record, table.owner_id)
    return read_row(session.connection(), OWNERS[table.owner], owner_id)


def require_authentic_account(session: Session, account: Account) -> Account:
    """Return an account. Raises NotAuthentic if it was altered outside the service."""
    if session.is_modified(account):
        session.flush()
    parse_owner(session.info[MACS], Account, read_loaded(account))
    return account


def read_loaded(owner: Owner) -> Mapping[str, Any]:
    """Return the protected columns and the MAC of a loaded owner."""
    return OWNERS[type(owner)].read_record(owner) | {"mac": owner.mac}


def load_complete_group(
    session: Session, owner_id: UUID, *tables: MemberTable
) -> list[MemberRow]:
    """Return the rows of a group in `tables`, with their tables.

    Raises NotAuthentic if a row was altered outside the service or is missing. A rule must
    use the returned rows, because a policy of PostgreSQL can hide rows from a second
    statement (ADR 80). Another transaction may change the group at the same time. If a row
    does not match, a write transaction therefore locks the owner and reads the rows again.
    """
    session.flush()
    rows, unmatched = read_group(session, owner_id, tables)
    if unmatched is not None and not is_read_only(session):
        rows, unmatched = read_group(session, owner_id, tables, lock=True)
    if unmatched is not None:
        raise_alarm(*unmatched)
    return rows


def read_group(
    session: Session,
    owner_id: UUID,
    tables: Sequence[MemberTable],
    *,
    lock: bool = False,
) -> tuple[list[MemberRow], tuple[str, Sequence[object]] | None]:
    """Return the rows of a group, and the first row that does not match its digest.

    The digests are stored with the owner's MAC. The second result is the table and the
    values of the row, or the owner's table and id if a row is missing. It is None if all
    rows match, or if a missing MAC is accepted. Raises NotAuthentic if the row of the owner
    was altered outside the service.
    """
    macs, connection = session.info[MACS], session.connection()
    model = tables[0].owner
    row = read_row(connection, OWNERS[model], owner_id, lock=lock)
    group = parse_owner(macs, model, row)
    members = list(list_members(connection, tables, owner_id))
    if group is None:
        return members, None
    codes = {compute_table_tag(table.name) for table in tables}
    current = group.remove_outdated(macs.clock()).entries
    missing = {tag for tag in current if tag[:1] in codes}
    for table, member in members:
        if not matches_entry(macs, group, table, member):
            return members, (table.name, table.get_values(member))
        missing.discard(table.get_tag(member))
    return members, (OWNERS[model].name, [owner_id]) if missing else None


def list_members(
    connection: Connection, tables: Iterable[MemberTable], owner_id: UUID
) -> Iterator[MemberRow]:
    """Yield each row of the given tables that belongs to an owner, with its table."""
    for table in tables:
        own = select(table.table).where(table.table.c[table.owner_id] == owner_id)
        for row in connection.execute(own).mappings().all():
            yield table, dict(row)
