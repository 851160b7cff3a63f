"""Queries that find cases without a visibility check, to decide which names to show."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import Label, bindparam, case, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.cases.models import Case, Party
from app.kernel.actors import Relation
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import ReadTransaction

BY_IDS: Final = select(Case).where(Case.id.in_(make_list_parameter("ids")))


def load_by_ids(tx: ReadTransaction, case_ids: Iterable[UUID]) -> Mapping[UUID, Case]:
    """Return cases by id, without a visibility check."""
    rows = tx.session.scalars(BY_IDS, {"ids": list(set(case_ids))})
    return {case.id: case for case in rows}


NOT_LIMITED, LIMITED_FACTS, LIMITED = range(3)
"""What may have to be hidden from an office in the entries of a case: nothing, the reasons,
or everything that could identify another office."""
_OWN: Final = select(
    func.max(
        case(
            (Party.as_asked.is_not(None), LIMITED),
            (Party.relation == Relation.SUBMITTER, LIMITED_FACTS),
            else_=NOT_LIMITED,
        )
    )
).where(Party.focal_point_id == bindparam("me"))
_LEFT = (Party.relation == Relation.LEAD) & Party.until.is_not(None)


def select_limit(case_id: InstrumentedAttribute[UUID]) -> Label[int]:
    """Select how the office in the parameter `me` is limited in the entries of a case.

    The submitter may see no reasons, and less after a lead has left or the person has
    crossed a border. An office that reads a snapshot of the case may see less as well.
    """
    own = _OWN.where(Party.case_id == case_id).correlate_except(Party).scalar_subquery()
    left = exists().where(Party.case_id == case_id, _LEFT).correlate_except(Party)
    moved = exists().where(Case.id == case_id, Case.relocated_at.is_not(None))
    parted = left | moved.correlate_except(Case)
    most = case(
        (func.coalesce(own, NOT_LIMITED) == NOT_LIMITED, NOT_LIMITED),
        (parted, LIMITED),
        else_=own,
    )
    return most.label("limit")
