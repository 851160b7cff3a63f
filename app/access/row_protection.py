"""The MACs of the rows that give rights are written with each change of a row (ADR 80).

Each write transaction verifies what it changes against the MAC of the owner, and writes a
new MAC. The owner's row is locked meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, event, inspect, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from app.access.models import Account, Person
from app.access.protected_tables import (
    MEMBER_TABLES,
    MEMBERSHIP,
    OWNERS,
    Owner,
    ProtectedTable,
    list_member_tables,
    read_record,
)
from app.access.row_verification import (
    list_members,
    matches,
    parse_owner,
    read_row,
    require_in_group,
)
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
    """Return what computes and verifies the MACs of rows with a key of the key provider.

    See `RowMacs` for `accepts_missing`.
    """
    return RowMacs(keys.derive("row-mac"), clock, accepts_missing)


@dataclass
class GroupChange:
    """What a session changes in a group: the owner, and members with their tables.

    `removed` are the tags of accounts that no longer belong to a person.
    """

    owner: Any = None
    members: dict[ProtectedTable, list[Any]] = field(default_factory=dict)
    removed: list[bytes] = field(default_factory=list)

    def add(self, table: ProtectedTable, record: Any) -> None:
        """Add a changed member."""
        self.members.setdefault(table, []).append(record)

    def has_only_endings(self, now: datetime) -> bool:
        """Return whether all changed members end, so that they need no entry."""
        return all(
            table.is_ended(read_record(table, record), now)
            for table, records in self.members.items()
            for record in records
        )


type GroupKey = tuple[type[Owner], UUID]
type GroupChanges = dict[GroupKey, GroupChange]


@event.listens_for(Session, "before_flush")
def protect_changes(session: Session, *_: object) -> None:
    """Write the MACs of the groups whose rows the session inserts, changes or deletes.

    Raises NotAuthentic if a changed row was changed by something else before.
    """
    changes: GroupChanges = {}
    for record in find_changed(session):
        collect_change(changes, record, is_deleted=record in session.deleted)
    if not changes:
        return
    macs: RowMacs | None = session.info.get(MACS)
    if macs is None:
        raise RuntimeError("This session has no keys to protect rights.")
    order = list(OWNERS)
    for key in sorted(changes, key=lambda one: (order.index(one[0]), one[1])):
        protect_group(session, macs, key, changes[key])


def find_changed(session: Session) -> Iterator[Any]:
    """Yield the protected records that the session inserts, changes or deletes."""
    for record in (*session.new, *session.deleted):
        if type(record) in OWNERS or type(record) in MEMBER_TABLES:
            yield record
    for record in session.dirty:
        table = OWNERS.get(type(record)) or MEMBER_TABLES.get(type(record))
        if table is not None and read_changes(table, record):
            yield record


def collect_change(changes: GroupChanges, record: Any, *, is_deleted: bool) -> None:
    """Add a changed record to the changes of its groups."""

    def get(model: type[Owner], owner_id: UUID) -> GroupChange:
        return changes.setdefault((model, owner_id), GroupChange())

    kind = type(record)
    if table := MEMBER_TABLES.get(kind):
        assert table.owner is not None  # noqa: S101 - a member has an owner
        get(table.owner, getattr(record, table.owner_id)).add(table, record)
        return
    get(kind, record.id).owner = record
    if kind is not Account:
        return
    history = inspect(record).attrs.person_id.history
    if history.has_changes() or is_deleted:
        former = history.deleted[0] if history.deleted else None
        if former is not None:
            tag = MEMBERSHIP.get_tag(read_record(MEMBERSHIP, record))
            get(Person, former).removed.append(tag)
        if record.person_id is not None:
            get(Person, record.person_id).add(MEMBERSHIP, record)


def protect_group(
    session: Session, macs: RowMacs, key: GroupKey, change: GroupChange
) -> None:
    """Write the MAC of one group."""
    table = OWNERS[key[0]]
    is_new = change.owner is not None and change.owner in session.new
    if is_new:
        row, group = read_record(table, change.owner), EMPTY
    else:
        stored, found = lock_owner(session, macs, key, change)
        if found is None:
            return
        changed = read_changes(table, change.owner) if change.owner is not None else {}
        row, group = {**stored, **changed}, found
    entries = dict(group.entries)
    for member_table, records in change.members.items():
        update_entries(session, macs, group, entries, (member_table, records))
    for tag in change.removed:
        entries.pop(tag, None)
    new = Group(entries, group.revision + 1).remove_ended(macs.clock())
    mac = macs.format_group(table.name, table.get_values(row), new)
    if is_new:
        change.owner.mac = mac
    else:
        store_mac(session, key, mac)


def lock_owner(
    session: Session, macs: RowMacs, key: GroupKey, change: GroupChange
) -> tuple[Mapping[str, Any], Group | None]:
    """Lock the row of an owner, and return it with its group. Raises NotAuthentic.

    An account that is disabled may be forged: it loses all its rows. Rows of a forged
    account may end, and the group is then None.
    """
    model, owner_id = key
    row = read_row(session.connection(), OWNERS[model], owner_id, lock=True)
    try:
        return row, parse_owner(macs, model, row)
    except NotAuthentic:
        own = change.owner
        if own is None and change.has_only_endings(macs.clock()):
            return row, None
        if model is not Account or own is None or own.disabled_at is None:
            raise
        return row, EMPTY


def update_entries(
    session: Session,
    macs: RowMacs,
    group: Group,
    entries: dict[bytes, Entry],
    changed: tuple[ProtectedTable, Sequence[Any]],
) -> None:
    """Update the entries of the records that the session inserts, changes or deletes.

    Raises NotAuthentic if the stored row of a record does not match its entry. A row
    without an entry that ends, or has ended, gets none.
    """
    table, records = changed
    old = [record for record in records if record not in session.new]
    stored = {} if table is MEMBERSHIP else read_rows(session.connection(), table, old)
    for record in records:
        row = read_record(table, record)
        tag = table.get_tag(row)
        if record in session.deleted:
            entries.pop(tag, None)
            continue
        if record in old and table is not MEMBERSHIP:
            before = stored[row[table.columns[0]]]
            row = {**before, **read_changes(table, record)}
            if tag not in entries and table.is_ended(row, macs.clock()):
                continue
            require_in_group(macs, group, table, before)
        if table.drops_ended and table.is_ended(row, macs.clock()):
            entries.pop(tag, None)
        else:
            entries[tag] = compute_entry(macs, table, row)


def compute_entry(macs: RowMacs, table: ProtectedTable, row: Mapping[str, Any]) -> Entry:
    """Return the entry of a row."""
    digest = macs.compute_digest(table.name, table.get_values(row))
    return Entry(digest, table.compute_until(row))


def read_changes(table: ProtectedTable, record: Any) -> dict[str, Any]:
    """Return the new values of the protected columns that a session changes."""
    attributes = inspect(record).attrs
    return {
        name: getattr(record, name)
        for name in table.columns
        if attributes[name].history.has_changes()
    }


def read_rows(
    connection: Connection, table: ProtectedTable, records: Sequence[Any]
) -> Mapping[Any, Mapping[str, Any]]:
    """Return the stored rows of records by their keys. Raises NotAuthentic."""
    name = table.columns[0]
    keys = [getattr(record, name) for record in records]
    if not keys:
        return {}
    found = connection.execute(select(table.table).where(table.table.c[name].in_(keys)))
    rows = {row[name]: dict(row) for row in found.mappings()}
    for key in keys:
        if key not in rows:
            raise_alarm(table.name, [key])
    return rows


def store_mac(session: Session, key: GroupKey, mac: bytes) -> None:
    """Store the MAC of an owner whose row exists, also in its loaded object."""
    model, owner_id = key
    table = OWNERS[model].table
    changed = update(table).where(table.c.id == owner_id).values(mac=mac)
    session.connection().execute(changed)
    loaded = session.identity_map.get(identity_key(model, owner_id))
    if loaded is not None:
        set_committed_value(loaded, "mac", mac)


def drop_unmatched(session: Session, model: type[Owner], owner_id: UUID) -> None:
    """Remove the entries of a group whose rows are missing or changed, and log an alarm.

    Functions that end a right call this, because a row that was hidden in the database
    meanwhile would be valid again when it is restored.
    """
    session.flush()
    macs, connection = session.info[MACS], session.connection()
    row = read_row(connection, OWNERS[model], owner_id, lock=True)
    group = parse_owner(macs, model, row)
    if group is None:
        return
    tables = [one for one in list_member_tables(model) if not one.has_row_security]
    codes = {compute_table_tag(one.name) for one in tables}
    kept = {tag: one for tag, one in group.entries.items() if tag[:1] not in codes} | {
        tag: group.entries[tag]
        for table, member in list_members(connection, tables, owner_id)
        if (tag := table.get_tag(member)) in group.entries
        if matches(macs, group, table, member)
    }
    missing = group.remove_ended(macs.clock()).entries.keys() - kept.keys()
    if missing:
        log_alarm(OWNERS[model].name, [owner_id])
        new = replace(group, entries=kept, revision=group.revision + 1)
        values = OWNERS[model].get_values(row)
        mac = macs.format_group(OWNERS[model].name, values, new)
        store_mac(session, (model, owner_id), mac)
