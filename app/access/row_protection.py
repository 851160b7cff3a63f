"""Updates of the MACs that protect the rows that give rights (ADR 80).

A write transaction that changes these rows locks the row of their owner, verifies the rows
against the MAC of the owner, and writes a new MAC.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session

from app.access.models import Account, Person
from app.access.protected_tables import (
    MEMBER_TABLES,
    MEMBERSHIP,
    OWNERS,
    MemberTable,
    Owner,
    ProtectedTable,
    list_member_tables,
)
from app.access.row_verification import (
    MemberRow,
    list_members,
    matches_entry,
    parse_owner,
    read_row,
    require_in_group,
)
from app.access.stored_groups import GroupKey, store_entries, store_mac
from app.kernel.macs import (
    EMPTY,
    MACS,
    Entry,
    Group,
    NotAuthentic,
    RowMacs,
    compute_table_tag,
    log_alarm,
    raise_alarm,
)
from app.kernel.vault import KeyProvider


def create_macs(
    keys: KeyProvider,
    clock: Callable[[], datetime],
    accepts_missing: Callable[[], bool] = lambda: False,
) -> RowMacs:
    """Return a `RowMacs` that uses the keys of the key provider.

    See `RowMacs` for `accepts_missing`.
    """
    return RowMacs(partial(keys.derive, "row-mac"), clock, accepts_missing)


@dataclass
class GroupChange:
    """The changes that a session makes to a group.

    `owner` is the record of the owner, if it changes. `added` and `changed` are the records
    of members. `removed` contains the tags of accounts that a person loses.
    """

    owner: Any = None
    added: list[tuple[MemberTable, Any]] = field(default_factory=list)
    changed: list[tuple[MemberTable, Any]] = field(default_factory=list)
    removed: list[bytes] = field(default_factory=list)

    def has_only_endings(self, now: datetime) -> bool:
        """Return whether only members change, and each of them has ended after the change.

        Members that have ended need no entry.
        """
        return not (self.owner or self.added or self.removed) and all(
            table.is_ended(table.read_record(record), now) for table, record in self.changed
        )


type GroupChanges = defaultdict[GroupKey, GroupChange]


@event.listens_for(Session, "before_flush")
def protect_changes(session: Session, *_: object) -> None:
    """Write the MACs of the groups whose rows the session inserts or changes.

    Rows are deleted by statements only, long after they have ended. Raises NotAuthentic if
    something other than the service changed one of the rows before, and RuntimeError if the
    session has no keys.
    """
    changes: GroupChanges = defaultdict(GroupChange)
    for record in (*session.new, *session.dirty):
        table = OWNERS.get(type(record)) or MEMBER_TABLES.get(type(record))
        if table is not None and (record in session.new or read_changes(table, record)):
            collect_change(changes, record, is_new=record in session.new)
    if not changes:
        return
    if session.info.get(MACS) is None:
        raise RuntimeError("This session has no keys to protect rights.")
    order = list(OWNERS)
    for key in sorted(changes, key=lambda one: (order.index(one[0]), one[1])):
        protect_group(session, key, changes[key])


def collect_change(changes: GroupChanges, record: Any, *, is_new: bool) -> None:
    """Add a new or changed record to the changes of its groups."""
    if table := MEMBER_TABLES.get(type(record)):
        change = changes[table.owner, getattr(record, table.owner_id)]
        (change.added if is_new else change.changed).append((table, record))
        return
    changes[type(record), record.id].owner = record
    if isinstance(record, Account):
        collect_membership(changes, record)


def collect_membership(changes: GroupChanges, account: Account) -> None:
    """Add an account whose person changes to the changes of the old and the new person."""
    history = inspect(account).attrs.person_id.history
    if former := next(iter(history.deleted), None):
        tag = MEMBERSHIP.get_tag(MEMBERSHIP.read_record(account))
        changes[Person, former].removed.append(tag)
    if history.has_changes() and account.person_id is not None:
        changes[Person, account.person_id].added.append((MEMBERSHIP, account))


def protect_group(session: Session, key: GroupKey, change: GroupChange) -> None:
    """Write the MAC of one group.

    Nothing is written if `lock_owner` returns no group, or if rows only end and there are
    no keys, as after a restore. The digests of these rows stay.
    """
    macs: RowMacs = session.info[MACS]
    if macs.is_disabled and change.has_only_endings(macs.clock()):
        return
    table, owner = OWNERS[key[0]], change.owner
    is_new = owner is not None and owner in session.new
    if is_new:
        row, group = table.read_record(owner), EMPTY
    else:
        stored, found = lock_owner(session, key, change)
        if found is None:
            return
        changed = read_changes(table, owner) if owner is not None else {}
        row, group = {**stored, **changed}, found
    entries = update_entries(session, group, change)
    new = Group(entries, group.revision + 1).remove_outdated(macs.clock())
    mac = macs.format_group(table.name, table.get_values(row), new)
    if is_new:
        owner.mac = mac
    else:
        store_mac(session, key, mac)


def lock_owner(
    session: Session, key: GroupKey, change: GroupChange
) -> tuple[Mapping[str, Any], Group | None]:
    """Lock the row of an owner, and return it with its group.

    The group is None if a missing MAC is accepted. Raises NotAuthentic if the owner was
    forged, with two exceptions: if rows only end, the group is None, and if the account is
    disabled, the group is empty, so that the rows of the account become invalid.
    """
    model, owner_id = key
    row = read_row(session.connection(), OWNERS[model], owner_id, lock=True)
    try:
        return row, parse_owner(session.info[MACS], model, row)
    except NotAuthentic:
        if change.has_only_endings(session.info[MACS].clock()):
            return row, None
        if isinstance(change.owner, Account) and change.owner.disabled_at is not None:
            return row, EMPTY
        raise


def update_entries(
    session: Session, group: Group, change: GroupChange
) -> dict[bytes, Entry]:
    """Return the entries of a group after a change.

    Raises NotAuthentic if the stored row of a changed record was deleted or does not match
    its entry. A changed row that has ended and has no entry stays without one.
    """
    macs: RowMacs = session.info[MACS]
    entries, now = dict(group.entries), macs.clock()
    for table, record in change.added:
        set_entry(macs, entries, table, table.read_record(record))
    for table, before, changes in read_stored(session, change.changed):
        row = {**before, **changes}
        if table.get_tag(row) in entries or not table.is_ended(row, now):
            require_in_group(macs, group, table, before)
            set_entry(macs, entries, table, row)
    for tag in change.removed:
        entries.pop(tag, None)
    return entries


def set_entry(
    macs: RowMacs,
    entries: dict[bytes, Entry],
    table: MemberTable,
    row: Mapping[str, Any],
) -> None:
    """Set the entry of a row, or remove it if the row has ended and needs no entry."""
    if table.drops_ended and table.is_ended(row, macs.clock()):
        entries.pop(table.get_tag(row), None)
    else:
        entries[table.get_tag(row)] = compute_entry(macs, table, row)


def compute_entry(macs: RowMacs, table: MemberTable, row: Mapping[str, Any]) -> Entry:
    """Return the entry of a row: its digest, and the time until which that is kept."""
    digest = macs.compute_digest(table.name, table.get_values(row))
    return Entry(digest, table.compute_until(row))


def read_changes(table: ProtectedTable, record: Any) -> dict[str, Any]:
    """Return the new values of the protected columns that a session changes."""
    attributes = inspect(record).attrs
    return {
        name: getattr(record, name)
        for name in table.all_columns
        if attributes[name].history.has_changes()
    }


def read_stored(
    session: Session, changed: Iterable[tuple[MemberTable, Any]]
) -> Iterator[tuple[MemberTable, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield the table of each changed record, its stored row, and the new values.

    Raises NotAuthentic if a row was deleted.
    """
    by_table = defaultdict[MemberTable, dict[Any, Any]](dict)
    for table, record in changed:
        by_table[table][getattr(record, table.columns[0])] = record
    for table, records in by_table.items():
        key = table.table.c[table.columns[0]]
        query = select(table.table).where(key.in_(list(records)))
        found = session.connection().execute(query).mappings().all()
        rows = {row[key.key]: dict(row) for row in found}
        for name, record in records.items():
            if name not in rows:
                raise_alarm(table.name, [name])
            yield table, rows[name], read_changes(table, record)


def drop_unmatched(session: Session, model: type[Owner], owner_id: UUID) -> list[MemberRow]:
    """Remove the entries of missing or altered rows from a group; log an alarm if any.

    Functions that end rights call this. Otherwise, a row that is hidden outside the service
    at that time would be valid again when it is restored. Entries of tables with row-level
    security are kept. Returns the rows that have an entry, which is all that can give
    rights. Raises NotAuthentic if the row of the owner was altered.
    """
    session.flush()
    macs, connection = session.info[MACS], session.connection()
    row = read_row(connection, OWNERS[model], owner_id, lock=True)
    group = parse_owner(macs, model, row)
    tables = [one for one in list_member_tables(model) if not one.has_row_security]
    members = [*list_members(connection, tables, owner_id)]
    if group is None:
        return members
    codes = {compute_table_tag(one.name) for one in tables}
    matching = {
        tag: (table, member)
        for table, member in members
        if (tag := table.get_tag(member)) in group.entries
        if matches_entry(macs, group, table, member)
    }
    kept = {
        tag: one
        for tag, one in group.entries.items()
        if tag[:1] not in codes or tag in matching
    }
    if group.remove_outdated(macs.clock()).entries.keys() - kept.keys():
        log_alarm(OWNERS[model].name, [owner_id])
        store_entries(session, (model, owner_id), row, group, kept)
    return [*matching.values()]
