"""The sides of the caller in a case, and the active oversight offices of the case."""

from uuid import UUID

from app.cases.models import Case
from app.directory import queries as directory_queries
from app.kernel.actors import Side, get_case_sides
from app.kernel.transactions import ReadTransaction


def get_sides(tx: ReadTransaction, case: Case) -> frozenset[Side]:
    """Return the sides of the caller in a case.

    An oversight office that was closed and replaced can still read, but cannot decide.
    """
    own_office = tx.actor.focal_point_id
    own_sides = get_case_sides(case.list_relations(own_office))
    if Side.OVERSIGHT in own_sides and own_office not in list_active_overseers(tx, case):
        return own_sides - {Side.OVERSIGHT}
    return own_sides


def list_active_overseers(tx: ReadTransaction, case: Case) -> frozenset[UUID]:
    """Return the active oversight offices of a case, or all of them if none is active."""
    return case.overseers & directory_queries.list_overseers(tx) or case.overseers
