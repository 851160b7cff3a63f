"""Functions that write MACs for cases without a MAC or with altered rows (ADR 81)."""

from collections.abc import Collection, Iterator
from itertools import batched
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from app.cases.case_macs import CaseGroups
from app.cases.lifecycle import State
from app.cases.models import Case
from app.cases.protected_records import (
    CaseGroup,
    list_protected,
    list_record_models,
    select_row,
)
from app.deadlines.models import Clock
from app.kernel.actors import SERVICE
from app.kernel.problems import Busy
from app.kernel.protected_rows import select_rows, store_macs
from app.kernel.statements import lock_rows
from app.kernel.transactions import Runtime

BATCH: Final = 100
"""The maximum number of cases in a transaction, so that no request waits long."""


def has_unprotected(session: Session) -> bool:
    """Return whether a case has no MAC."""
    return bool(session.scalar(select(exists().where(Case.mac.is_(None)))))


def protect_cases(runtime: Runtime) -> Iterator[tuple[int, int]]:
    """Protect each case that has no MAC.

    Yields the number of protected cases, and the number of all cases to protect. The rows
    are not verified. Cases that have a MAC are not changed, so that an interrupted run can
    be repeated.
    """
    return protect_found(runtime, Case.mac.is_(None))


def protect_erased(runtime: Runtime) -> Iterator[tuple[int, int]]:
    """Protect erased, withdrawn and discarded cases without a MAC; see `protect_cases`."""
    erased = Case.state.in_({State.ERASED, State.VOID})
    return protect_found(runtime, Case.mac.is_(None) & erased)


def protect_found(
    runtime: Runtime, wanted: ColumnElement[bool]
) -> Iterator[tuple[int, int]]:
    """Protect the cases that meet a condition. Yields the same numbers as `protect_cases`.

    Each batch has its own transaction. A case that another transaction has locked is
    skipped, and so is a batch that has a deadlock with another transaction. At the end,
    each skipped case is protected in its own transaction, which waits for the lock. Raises
    Busy (503) if a case stays locked.
    """
    with runtime.database.begin_read(SERVICE) as session:
        found = session.scalars(select(Case.id).where(wanted).order_by(Case.number)).all()
    done, skipped = 0, list[UUID]()
    for batch in batched(found, BATCH):
        locked = protect_unlocked(runtime, batch)
        skipped += [case_id for case_id in batch if case_id not in locked]
        done += len(locked)
        yield done, len(found)
    for case_id in skipped:
        with runtime.database.begin_write(SERVICE) as session:
            protect_batch(session, [case_id])
        done += 1
        yield done, len(found)


def protect_unlocked(runtime: Runtime, case_ids: Collection[UUID]) -> set[UUID]:
    """Protect the cases that no other transaction has locked, and return their ids.

    Transactions that stop deadlines of approvals lock rows of several cases in any order.
    If there is a deadlock with such a transaction, no case is protected.
    """
    try:
        with runtime.database.begin_write(SERVICE) as session:
            return protect_batch(session, case_ids, skip_locked=True)
    except Busy:
        return set()


def protect_batch(
    session: Session,
    case_ids: Collection[UUID],
    *,
    again: bool = False,
    skip_locked: bool = False,
) -> set[UUID]:
    """Write the MACs of the cases that have none or, with `again`, of all the cases.

    The MACs of the deadlines of these cases are written in the same way. Returns the ids of
    the cases that this transaction has locked. With `skip_locked`, the cases that another
    transaction has locked are left out.
    """
    own = select_row(Case).where(Case.id.in_(case_ids)).order_by(Case.number)
    query = lock_rows(own, skip_locked=skip_locked)
    rows = [dict(row) for row in session.connection().execute(query).mappings()]
    due = {
        row["id"]: CaseGroup(Case.get_values(row), {})
        for row in rows
        if row["mac"] is None or again
    }
    groups = CaseGroups.get_for(session)
    for record in groups.read_records(session, due):
        due[record.case_id].digests[record.tag] = record.digest
    groups.groups |= {case_id: [group] for case_id, group in due.items()}
    groups.due |= due.keys()
    clocks = read_clocks(session, due)
    store_macs(session, Clock, [one for one in clocks if one["mac"] is None or again])
    return {row["id"] for row in rows}


def read_clocks(session: Session, case_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """Return the deadlines of the given cases as they are in the database, unverified."""
    own = select_rows(Clock).where(Clock.case_id.in_(case_ids)).order_by(Clock.number)
    return [dict(row) for row in session.connection().execute(own).mappings()]


def protect_case_again(runtime: Runtime, case_id: UUID) -> None:
    """Write the MAC of a case again, for the rows that are in the database now."""
    with runtime.database.begin_write(SERVICE) as session:
        protect_batch(session, [case_id], again=True)


def list_rows(session: Session, case_id: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the table and the protected columns of each row of a case, unverified.

    Of the deadlines, only those that are running are included, with all columns.
    """
    for model in [Case, *list_record_models()]:
        is_own = (Case.id if model is Case else model.case_id) == case_id
        columns = [getattr(model, name) for name in list_protected(model)]
        for row in session.connection().execute(select(*columns).where(is_own)).mappings():
            yield model.__tablename__, dict(row)
    for clock in read_clocks(session, [case_id]):
        if clock["stopped_at"] is None:
            yield Clock.__tablename__, clock


def find_case_id(session: Session, code: str) -> UUID | None:
    """Return the id of the case with a code, or None, without a visibility check."""
    return session.scalar(select(Case.id).where(Case.code == code))
