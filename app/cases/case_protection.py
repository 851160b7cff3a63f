"""MACs of cases that have none, or whose rows were changed in the database (ADR 81)."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
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
from app.kernel.protected_rows import select_rows, write_mac
from app.kernel.statements import lock_rows
from app.kernel.transactions import Runtime

BATCH: Final = 1000
"""The number of cases whose ids are read at once."""


def has_unprotected(session: Session) -> bool:
    """Return whether a case has no MAC."""
    return bool(session.scalar(select(exists().where(Case.mac.is_(None)))))


def protect_cases(runtime: Runtime) -> Iterator[tuple[int, int]]:
    """Protect each case that has no MAC, in a transaction of its own.

    Yields the numbers of finished cases and of all. The rows are taken as they are in the
    database. Cases that have a MAC are not changed, so the command can be run again.
    """
    return protect_found(runtime, Case.mac.is_(None))


def protect_erased(runtime: Runtime) -> Iterator[tuple[int, int]]:
    """Protect the erased cases and discarded drafts that have no MAC."""
    erased = Case.state.in_({State.ERASED, State.VOID})
    return protect_found(runtime, Case.mac.is_(None) & erased)


def protect_found(
    runtime: Runtime, wanted: ColumnElement[bool]
) -> Iterator[tuple[int, int]]:
    """Protect the cases for which a condition holds. Yields as `protect_cases` does."""
    with runtime.database.begin_read(SERVICE) as session:
        total = session.scalar(select(func.count()).where(wanted)) or 0
    done = last = 0
    while True:
        more = select(Case.number, Case.id).where(wanted, Case.number > last)
        with runtime.database.begin_read(SERVICE) as session:
            batch = session.execute(more.order_by(Case.number).limit(BATCH)).all()
        if not batch:
            return
        for number, case_id in batch:
            with runtime.database.begin_write(SERVICE) as session:
                protect_case(session, case_id)
            last, done = number, done + 1
            yield done, max(done, total)


def protect_case(session: Session, case_id: UUID, *, again: bool = False) -> None:
    """Write the MAC of a case, unless it has one; with `again`, write it in any case."""
    groups = CaseGroups.get_for(session)
    locked = lock_rows(select_row(Case).where(Case.id == case_id))
    row = dict(session.connection().execute(locked).mappings().one())
    if row["mac"] is not None and not again:
        return
    digests = {one.tag: one.digest for one in groups.read_records(session, case_id)}
    groups.groups[case_id] = [CaseGroup(Case.get_values(row), digests)]
    groups.due.add(case_id)
    for clock in read_clocks(session, case_id):
        if clock["mac"] is None or again:
            write_mac(session, Clock, clock)


def read_clocks(session: Session, case_id: UUID) -> list[dict[str, Any]]:
    """Return the deadlines of a case as they are in the database, unverified."""
    own = select_rows(Clock).where(Clock.case_id == case_id)
    return [dict(row) for row in session.connection().execute(own).mappings()]


def protect_case_again(runtime: Runtime, case_id: UUID) -> None:
    """Write the MAC of a case anew, as its rows are in the database now."""
    with runtime.database.begin_write(SERVICE) as session:
        protect_case(session, case_id, again=True)


def list_rows(session: Session, case_id: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the table and the protected columns of each row of a case, unverified."""
    for model in [Case, *list_record_models()]:
        is_own = (Case.id if model is Case else model.case_id) == case_id
        columns = [getattr(model, name) for name in list_protected(model)]
        for row in session.connection().execute(select(*columns).where(is_own)).mappings():
            yield model.__tablename__, dict(row)
    for clock in read_clocks(session, case_id):
        if clock["stopped_at"] is None:
            yield Clock.__tablename__, clock


def find_case_id(session: Session, code: str) -> UUID | None:
    """Return the id of the case with a code, or None, without a visibility check."""
    return session.scalar(select(Case.id).where(Case.code == code))
