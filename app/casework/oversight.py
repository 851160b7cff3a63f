"""Replacing an oversight body that is closed, in the cases that it watched."""

from collections.abc import Sequence
from uuid import UUID

from app.cases import actions as cases
from app.cases import system_queries
from app.cases.lifecycle import State
from app.directory import queries as directory
from app.kernel.transactions import Reading, Writing


def list_unwatched(work: Reading, limit: int) -> Sequence[UUID]:
    """List the cases whose overseers are all closed, while active ones exist.

    No case is read if no oversight body was ever closed, which is the usual situation.
    """
    active, shut = (
        directory.list_overseers(work),
        directory.list_former_overseers(work.session),
    )
    if not active or not shut:
        return ()
    return system_queries.list_without_oversight(work.session, active, shut, limit)


def replace_overseers(work: Writing, case_id: UUID) -> bool:
    """Make the active overseers parties of a case; return False if nothing was done.

    The earlier overseers stay parties, because a closed office keeps what it has.
    """
    case, active = (
        system_queries.lock_if_free(work, case_id),
        directory.list_overseers(work),
    )
    if case is None or case.state == State.ERASED or not case.overseers:
        return False
    if not active or case.overseers & active:
        return False
    cases.add_oversight(work, case, sorted(active))
    work.record("case.oversight_replaced", case, case.overseers, by_system=True)
    return True
