"""The sides of the caller in a case, and its active overseers."""

from uuid import UUID

from app.cases.models import Case
from app.directory import queries as directory
from app.kernel.actors import Side, sides_of_case
from app.kernel.work import Reading


def sides_of(work: Reading, case: Case) -> frozenset[Side]:
    """Return the sides of the caller in a case.

    An oversight body that was closed and replaced can still read, but decide nothing.
    """
    me = work.actor.focal_point_id
    mine = sides_of_case(case.relations_of(me))
    if Side.OVERSIGHT in mine and me not in list_active_overseers(work, case):
        return mine - {Side.OVERSIGHT}
    return mine


def list_active_overseers(work: Reading, case: Case) -> frozenset[UUID]:
    """Return the active overseers of a case, or all its overseers if none is active."""
    return case.overseers & directory.overseers(work) or case.overseers
