"""The digest of a return's steps, which reveals alterations outside the service (ADR 85).

The digest is a column of the return, which the MAC of the case covers.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from app.cases.case_macs import CaseGroups
from app.kernel.actors import SERVICE
from app.kernel.mac_values import encode
from app.kernel.macs import MACS, RowMacs, raise_alarm
from app.kernel.statements import lock_rows
from app.kernel.transactions import ReadTransaction, Runtime, is_read_only
from app.returns.models import Done, Return
from app.returns.queries import list_steps

COLUMNS: Final = tuple(
    one.key for one in Done.__table__.columns if one.key not in {"number", "return_id"}
)
"""The columns that the digest covers. The digest also depends on the order of the steps."""


def load_steps(tx: ReadTransaction, record: Return) -> list[Done]:
    """List the steps that were taken in a return, oldest first.

    Raises NotAuthentic if a step was inserted, altered, moved or deleted outside the
    service.
    """
    steps = list_steps(tx.session, record.id)
    if not matches_digest(tx.session, record, steps) and not is_read_only(tx.session):
        steps = load_steps_again(tx.session, record)
    if not matches_digest(tx.session, record, steps):
        raise_alarm(Done.__tablename__, [record.id])
    return steps


def matches_digest(session: Session, record: Return, steps: Sequence[Done]) -> bool:
    """Return whether the steps of a return match its digest.

    Steps without a digest were stored by an earlier version of the service. They match
    until a date that the operator sets. Without keys for MACs, all steps match.
    """
    macs: RowMacs | None = session.info.get(MACS)
    if macs is None or macs.is_disabled:
        return True
    if not record.steps_digest:
        none_yet = record.steps_digest is None and not steps
        return none_yet or macs.accepts_missing()
    return hmac.compare_digest(record.steps_digest, compute_digest(steps))


def load_steps_again(session: Session, record: Return) -> list[Done]:
    """Lock a return, and load its steps, including any that were added in the meantime."""
    session.flush()
    session.refresh(record, with_for_update={"key_share": True})
    return list_steps(session, record.id)


def compute_digest(steps: Sequence[Done]) -> bytes:
    """Return the digest of the steps of a return, oldest first."""
    rows = [[getattr(step, name) for name in COLUMNS] for step in steps]
    return hashlib.sha256(encode(rows)).digest()


def add_to_digest(record: Return, before: Sequence[Done], step: Done) -> None:
    """Add a new step to the digest of a return, unless its earlier steps have no digest.

    An earlier version of the service stored steps without a digest. The command
    `case protect` computes the digest of such a return.
    """
    if record.steps_digest or not before:
        record.steps_digest = compute_digest([*before, step])


def select_unprotected() -> Select[UUID]:
    """Return the statement that selects the ids of returns whose steps have no digest."""
    has_steps = exists().where(Done.return_id == Return.id)
    missing = Return.steps_digest.is_(None) & has_steps
    return select(Return.id).where(missing | (Return.steps_digest == b""))


def has_unprotected(session: Session) -> bool:
    """Return whether any return has steps without a digest."""
    return session.scalar(select_unprotected().limit(1)) is not None


def protect_steps(runtime: Runtime) -> Iterator[tuple[int, int]]:
    """Write the digest of the current steps of each return whose steps have no digest.

    Yields, after each return, the number of finished returns and the total number.
    """
    with runtime.database.begin_read(SERVICE) as session:
        work = session.scalars(select_unprotected().order_by(Return.number)).all()
    for done, return_id in enumerate(work, 1):
        with runtime.database.begin_write(SERVICE) as session:
            write_digest(session, return_id)
        yield done, len(work)


def list_rows(session: Session, case_id: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the table name and the unverified columns of each step of a case's returns."""
    own = select(Return.id).where(Return.case_id == case_id).order_by(Return.number)
    for return_id in session.scalars(own).all():
        for step in list_steps(session, return_id):
            yield Done.__tablename__, {name: getattr(step, name) for name in COLUMNS}


def protect_steps_again(runtime: Runtime, case_id: UUID) -> None:
    """Write the digest of the current steps of each return of a case."""
    with runtime.database.begin_write(SERVICE) as session:
        own = select(Return.id).where(Return.case_id == case_id)
        for return_id in session.scalars(own.order_by(Return.number)).all():
            write_digest(session, return_id)


def write_digest(session: Session, return_id: UUID) -> None:
    """Lock a return and its case, and write the digest of the return's current steps."""
    of_return = Return.id == return_id
    case_id = session.scalars(select(Return.case_id).where(of_return)).one()
    CaseGroups.get_for(session).lock_case(session, case_id)
    record = session.scalars(lock_rows(select(Return).where(of_return))).one()
    steps = list_steps(session, return_id)
    record.steps_digest = compute_digest(steps) if steps else None
