"""Writing the digests and the MACs of cases whose rows a transaction changes (ADR 81).

Each flush updates the digests in memory. The MAC is written with the changes to the case,
or before the transaction ends.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, event, inspect
from sqlalchemy.orm import NO_VALUE, Session, UOWTransaction

from app.cases.case_macs import CaseGroups
from app.cases.protected_records import (
    CaseGroup,
    CaseRecord,
    Protected,
    ProtectedCase,
    Row,
    list_protected,
    select_row,
)
from app.kernel.macs import raise_alarm
from app.kernel.protected_groups import CASE_GROUPS


@event.listens_for(Session, "before_flush")
def verify_changes(session: Session, *_: object) -> None:
    """Verify the rows that the session changes or deletes, and remove their digests.

    Raises NotAuthentic if a row was altered outside the service, or Busy (503).
    """
    changed = list_changed(session)
    if not changed:
        return
    groups = CaseGroups.get_for(session)
    groups.verify(session)
    new, deleted = session.new, session.deleted
    groups.flushing = [one for one in changed if one not in deleted]
    earlier = [one for one in changed if one not in new]
    new_cases = {vars(one)["id"] for one in new if isinstance(one, ProtectedCase)}
    for case_id in sorted({get_case_id(one) for one in changed} - new_cases):
        lock_group(session, groups, case_id)
    for one in earlier:
        if isinstance(one, ProtectedCase):
            verify_earlier_case(session, groups, one)
    for one in earlier:
        if isinstance(one, CaseRecord):
            remove_digest(session, groups, one)
    if len(earlier) == len(changed):
        set_macs(groups)


@event.listens_for(Session, "after_flush")
def add_digests(session: Session, _: UOWTransaction) -> None:
    """Add the digests of the rows that were inserted or changed.

    The database has assigned the numbers of new rows by now.
    """
    groups: CaseGroups | None = session.info.get(CASE_GROUPS)
    if groups is not None:
        update_groups(groups)


def update_groups(groups: CaseGroups) -> list[Protected]:
    """Update the groups of the cases whose rows a flush writes, and return these rows."""
    flushed, groups.flushing = groups.flushing, []
    for one in sorted(flushed, key=lambda one: isinstance(one, CaseRecord)):
        if isinstance(one, CaseRecord):
            add_digest(groups, one, read_record(one))
        else:
            update_case(groups, one, read_record(one))
    return flushed


def set_macs(groups: CaseGroups) -> None:
    """Set the MACs of the cases that a flush changes, so that the same UPDATE writes them.

    This is possible before a flush that inserts no records, because the database assigns
    the numbers of new records. A later change to a case or its records replaces the MAC.
    """
    flushed = update_groups(groups)
    cases: list[Any] = [one for one in flushed if isinstance(one, ProtectedCase)]
    for case in cases:
        case.mac = groups.format_mac(case.id)
        groups.due.discard(case.id)


def get_case_id(record: Protected) -> UUID:
    """Return the id of a case, or of the case of a record."""
    name = "case_id" if isinstance(record, CaseRecord) else "id"
    found: UUID = vars(record)[name]
    return found


def list_changed(session: Session) -> list[Protected]:
    """List the protected records that a session inserts, changes or deletes."""
    new = [one for one in session.new if isinstance(one, Protected)]
    removed = [one for one in session.deleted if isinstance(one, Protected)]
    dirty = [one for one in session.dirty if isinstance(one, Protected)]
    return [*new, *(one for one in dirty if find_changes(one)), *removed]


def find_changes(record: Protected) -> dict[str, object]:
    """Return the earlier values of the protected columns that a session changes.

    A value that was not loaded is None.
    """
    earlier, now = inspect(record).committed_state, vars(record)
    protected = list_protected(type(record))
    return {
        name: None if value is NO_VALUE else value
        for name, value in earlier.items()
        if name in protected and value != now.get(name)
    }


def read_record(record: Protected) -> dict[str, Any]:
    """Return the protected columns of a record; those that were never set are None."""
    values = vars(record)
    return {name: values.get(name) for name in list_protected(type(record))}


def lock_group(session: Session, groups: CaseGroups, case_id: UUID) -> CaseGroup | None:
    """Lock a case if necessary; return its group, or None if the case needs no MAC."""
    if case_id not in groups.owned and not groups.is_snapshot(session):
        groups.lock_case(session, case_id)
    groups.load_groups(session, [case_id])
    return groups.get_group(case_id)


def verify_earlier_case(session: Session, groups: CaseGroups, case: Protected) -> None:
    """Raise NotAuthentic or Busy (503) unless a case's earlier values match its MAC."""
    case_id = vars(case)["id"]
    group = groups.get_group(case_id)
    earlier = read_record(case) | find_changes(case)
    if group is not None and groups.model.get_values(earlier) != group.values:
        groups.raise_changed(session, case_id, case.__tablename__, case_id)


def update_case(groups: CaseGroups, case: Protected, row: Row) -> None:
    """Update the group of a case that was inserted or changed."""
    case_id, values = row["id"], groups.model.get_values(row)
    groups.loaded[case_id] = case
    if case_id not in groups.groups:
        groups.groups[case_id] = [CaseGroup(values, {})]
        groups.owned.add(case_id)
    group = groups.get_group(case_id)
    if group is not None:
        group.values = values
    groups.due.add(case_id)


def remove_digest(session: Session, groups: CaseGroups, record: CaseRecord) -> None:
    """Remove the digest of a record that is changed or deleted. Raises NotAuthentic."""
    earlier = read_record(record) | find_changes(record)
    group = groups.get_group(earlier["case_id"])
    if group is not None:
        require_unchanged(session, groups, group, type(record), earlier)
        del group.digests[record.compute_tag(earlier)]
    groups.due.add(earlier["case_id"])


def add_digest(groups: CaseGroups, record: CaseRecord, row: Row) -> None:
    """Add the digest of a record that was inserted or changed."""
    group, tag = groups.get_group(row["case_id"]), record.compute_tag(row)
    if group is not None:
        group.digests[tag] = groups.compute_digest(type(record), row, tag)
        groups.tags[row["case_id"]].add(tag)
    groups.due.add(row["case_id"])


def require_unchanged(
    session: Session,
    groups: CaseGroups,
    group: CaseGroup,
    model: type[CaseRecord],
    earlier: Row,
) -> None:
    """Raise NotAuthentic unless a record matches its digest.

    If the earlier values do not match, the row is read again: they may be out of date.
    """
    tag = model.compute_tag(earlier)
    digest = group.digests.get(tag)
    if digest is not None and digest == groups.compute_digest(model, earlier, tag):
        return
    own = select_row(model).where(model.match_identity(earlier))
    found = session.connection().execute(own).mappings()
    row = found.one_or_none()
    if row is None or digest != groups.compute_digest(model, dict(row), tag):
        raise_alarm(model.__tablename__, [model.get_identity(earlier)])


def delete_records(
    session: Session, case_id: UUID, model: Any, *conditions: ColumnElement[bool]
) -> None:
    """Delete records of a case with one statement, and remove their digests."""
    session.flush()
    groups = CaseGroups.get_for(session)
    groups.verify(session)
    group = lock_group(session, groups, case_id)
    named: Iterable[str] = {*model.identifying, "case_id", *model.labelling}
    columns = [getattr(model, name) for name in sorted(named)]
    statement = delete(model).where(model.case_id == case_id, *conditions)
    for row in session.execute(statement.returning(*columns)).mappings().all():
        if group is not None:
            group.digests.pop(model.compute_tag(dict(row)), None)
    groups.due.add(case_id)
