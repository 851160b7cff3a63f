"""Functions that record which rows of cases a session loads, to verify them (ADR 81)."""

from collections.abc import Collection, Iterable
from typing import Protocol
from uuid import UUID

from sqlalchemy import event, inspect
from sqlalchemy.orm import QueryContext, Session, object_session

from app.cases.case_macs import CaseGroups
from app.cases.protected_records import CaseRecord, Protected, ProtectedCase, Row
from app.kernel.macs import MACS


class OfCase(Protocol):
    """A record of a case."""

    @property
    def case_id(self) -> UUID:
        """The id of the case."""


@event.listens_for(CaseRecord, "load", propagate=True)
def add_loaded_record(record: CaseRecord, _: QueryContext | None) -> None:
    """Remember a record that a session has loaded, so that it is verified later."""
    session = object_session(record)
    if session is not None and session.info.get(MACS) is not None:
        CaseGroups.get_for(session).add_record(type(record), vars(record))


@event.listens_for(CaseRecord, "refresh", propagate=True)
def add_reloaded_record(
    record: CaseRecord, context: QueryContext | None, _: object
) -> None:
    """Remember a record that a session has reloaded, unless it has unsaved changes."""
    if not inspect(record).modified:
        add_loaded_record(record, context)


@event.listens_for(ProtectedCase, "load", propagate=True)
def add_loaded_case(case: ProtectedCase, _: QueryContext | None) -> None:
    """Remember a case that a session has loaded, so that it is verified later."""
    session, case_id = object_session(case), vars(case)["id"]
    if session is not None and session.info.get(MACS) is not None:
        groups = CaseGroups.get_for(session)
        groups.add_case(vars(case))
        groups.loaded[case_id] = case
        groups.pending[case_id].has_parties = True


@event.listens_for(ProtectedCase, "refresh", propagate=True)
def add_reloaded_case(case: ProtectedCase, context: QueryContext | None, _: object) -> None:
    """Remember a case that a session has reloaded, unless it has unsaved changes."""
    if not inspect(case).modified:
        add_loaded_case(case, context)


def require_all_loaded(
    session: Session, case_ids: Collection[UUID], labels: Collection[str]
) -> None:
    """Raise NotAuthentic if a record with one of these labels is missing from the database.

    The session must have loaded all records of these cases with these labels. Raises Busy
    (503) if another transaction changed a case meanwhile.
    """
    session.flush()
    groups = CaseGroups.get_for(session)
    groups.load_groups(session, case_ids)
    for case_id in case_ids:
        groups.require_complete(session, case_id, labels)


def mark_locked(session: Session, case_id: UUID) -> None:
    """Record that a transaction has locked the row of a case for changes."""
    CaseGroups.get_for(session).owned.add(case_id)


def add_rows(session: Session, model: type[Protected], rows: Iterable[Row]) -> None:
    """Remember rows that were not loaded as objects, so that they are verified later."""
    groups = CaseGroups.get_for(session)
    for row in rows:
        if issubclass(model, CaseRecord):
            groups.add_record(model, row)
        else:
            groups.add_case(row)


def group_by_case[R: OfCase](records: Iterable[R]) -> dict[UUID, list[R]]:
    """Return records by the id of their case, in the given order."""
    found: dict[UUID, list[R]] = {}
    for record in records:
        found.setdefault(record.case_id, []).append(record)
    return found


def leave_out_forged[R: OfCase](session: Session, records: Iterable[R]) -> list[R]:
    """Return the records, except those of cases that were altered outside the service."""
    forged = CaseGroups.get_for(session).find_forged(session)
    return [one for one in records if one.case_id not in forged]
