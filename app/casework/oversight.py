"""Add the active oversight offices to cases whose oversight offices are all closed."""

from collections.abc import Sequence
from uuid import UUID

from app.cases import actions as case_actions
from app.cases import system_queries
from app.cases.lifecycle import State
from app.directory import queries as directory_queries
from app.kernel.transactions import ReadTransaction, WriteTransaction


def list_unwatched(tx: ReadTransaction, limit: int) -> Sequence[UUID]:
    """List the ids of at most `limit` cases whose oversight offices are all closed.

    The result is empty if no oversight office is active.
    """
    active = directory_queries.list_overseers(tx)
    shut = directory_queries.list_former_overseers(tx.session)
    if not active or not shut:
        return ()
    return system_queries.list_without_oversight(tx.session, active, shut, limit)


def replace_overseers(tx: WriteTransaction, case_id: UUID) -> bool:
    """Add the active oversight offices to a case whose oversight offices are all closed.

    Return whether the case was changed; a case that is locked is not.
    """
    case = system_queries.lock_if_free(tx, case_id)
    active = directory_queries.list_overseers(tx)
    if case is None or case.state == State.ERASED or not case.overseers:
        return False
    if not active or case.overseers & active:
        return False
    case_actions.add_oversight(tx, case, sorted(active))
    tx.record("case.oversight_replaced", case, case.overseers, by_system=True)
    return True
