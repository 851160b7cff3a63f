"""Queries that find cases without a visibility check, to decide which names to show."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, exists, select

from app.cases.models import Case, Party
from app.kernel.actors import Relation
from app.kernel.transactions import ReadTransaction


def load_by_ids(
    tx: ReadTransaction,
    case_ids: Iterable[UUID],
    if_submitted: Iterable[UUID] = (),
    if_parted: Iterable[UUID] = (),
) -> Mapping[UUID, Case]:
    """Return cases by id, without a visibility check.

    A case in `if_submitted` is returned if the caller's office submitted it. A case in
    `if_parted` is returned if the office reads a snapshot of the case. The submitter also
    gets a case in `if_parted` after a lead has left or the person has crossed a border.
    """
    lists = {"whole": case_ids, "submitted": if_submitted, "parted": if_parted}
    given = {name: list(set(ids)) for name, ids in lists.items()}
    rows = tx.session.scalars(CASES_BY_IDS, given | {"me": tx.actor.focal_point_id})
    return {case.id: case for case in rows}


def is_in_list(name: str) -> ColumnElement[bool]:
    """Return a condition for cases whose ids are in a list parameter of the statement."""
    return Case.id.in_(bindparam(name, expanding=True))


_MINE = (Party.relation == Relation.SUBMITTER) & (Party.focal_point_id == bindparam("me"))
_LEFT = (Party.relation == Relation.LEAD) & Party.until.is_not(None)
_HAS = Party.case_id == Case.id
_PARTED = Case.relocated_at.is_not(None) | exists().where(_HAS, _LEFT)
_ASKED = Party.as_asked.is_not(None) & (Party.focal_point_id == bindparam("me"))
CASES_BY_IDS: Final = select(Case).where(
    is_in_list("whole")
    | (
        (is_in_list("submitted") | (is_in_list("parted") & _PARTED))
        & exists().where(_HAS, _MINE)
    )
    | (is_in_list("parted") & exists().where(_HAS, _ASKED))
)
"""The statement of `load_by_ids`, built once because every poll of a feed runs it."""
