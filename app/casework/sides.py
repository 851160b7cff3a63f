"""On which sides of a case the caller stands, and who watches over it now."""

from uuid import UUID

from app.cases.models import Case
from app.directory import queries as directory
from app.kernel.actors import Side, sides_of_case
from app.kernel.work import Reading


def sides_of(work: Reading, case: Case) -> frozenset[Side]:
    """Say on which sides of a case the caller stands.

    A body of oversight that was shut and replaced sees what it saw, and decides no more.
    """
    me = work.actor.focal_point_id
    mine = sides_of_case(case.relations_of(me))
    if Side.OVERSIGHT in mine and me not in who_watches(work, case):
        return mine - {Side.OVERSIGHT}
    return mine


def who_watches(work: Reading, case: Case) -> frozenset[UUID]:
    """Name the overseers of a case that are active; none: those it has."""
    return case.overseers & directory.overseers(work) or case.overseers
