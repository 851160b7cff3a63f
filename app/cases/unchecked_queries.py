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
"""The data that may have to be hidden from an office in the journal entries of a case: no
data, only the reasons, or also all data that could identify another office."""
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
    """Select the limit of the office in the parameter `me` for the entries of a case.

    The limit of the submitter is `LIMITED_FACTS`, or `LIMITED` after a lead has left or the
    person has crossed a border. The limit of an office that reads a snapshot of the case is
    `LIMITED`. The limit of any other office is `NOT_LIMITED`.
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
