"""Queries for handovers. `get`, `lock` and `list_own` find only visible handovers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, or_, select, true
from sqlalchemy.orm import aliased, selectinload

from app.cases import queries as case_queries
from app.cases.case_loading import group_by_case, leave_out_forged, require_all_loaded
from app.cases.filters import is_own_party
from app.cases.models import Party
from app.cases.statements import CASES, MINE
from app.handovers.lifecycle import State
from app.handovers.models import Handover
from app.kernel.actors import Relation, Side
from app.kernel.recall import load_once
from app.kernel.statements import lock_rows
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.referrals.queries import get_one, select_case_id


def matches_party(party: type[Party]) -> ColumnElement[bool]:
    """Return the condition for the party rows of a handover and of the case's lead."""
    leads = (party.record_id == Handover.case_id) & (party.relation == Relation.LEAD)
    return (party.case_id == Handover.case_id) & or_(party.record_id == Handover.id, leads)


VISIBLE: Final = select(Handover).where(exists().where(*MINE, matches_party(Party)))
"""The open handovers to the office `me`, the accepted handovers from it, and all handovers
of the cases that it leads."""
BY_ID: Final = VISIBLE.where(Handover.id == bindparam("id"))
CASE_OF: Final = BY_ID.with_only_columns(Handover.case_id)
HELD_BY_ID: Final = lock_rows(BY_ID)


def get(tx: ReadTransaction, handover_id: UUID) -> Handover:
    """Return a handover that the caller may see, or raise NotFound (404)."""
    return get_one(tx, BY_ID, handover_id, "handover")


def lock(tx: WriteTransaction, handover_id: UUID) -> Handover:
    """Lock a case and then its handover; return the handover, or raise NotFound (404)."""
    case_queries.lock_by_id(tx, get_one(tx, CASE_OF, handover_id, "handover"))
    return get_one(tx, HELD_BY_ID, handover_id, "handover")


def list_own(
    tx: ReadTransaction, side: Side | None, state: State | None, case: str | None
) -> Select[Handover, int, int]:
    """Return a statement that selects each handover of the caller once, with sort keys."""
    chosen, earlier = matches_own_party(tx, Party, side), aliased(Party)
    before = matches_own_party(tx, earlier, side) & (earlier.number < Party.number)
    return (
        select(Handover, Party.number, Handover.number)
        .join(Party, chosen)
        .where(~exists().where(before))
        .where(*([Handover.state == state] if state else []))
        .where(*([Handover.case_id == select_case_id(case)] if case else []))
        .options(*map(selectinload, (Handover.case, Handover.lead, Handover.successor)))
    )


def matches_own_party(
    tx: ReadTransaction, party: type[Party], side: Side | None
) -> ColumnElement[bool]:
    """Return the condition for the caller's current party rows, on one side or on any."""
    on_side = true() if side is None else party.relation == Relation(side)
    return and_(*is_own_party(tx, party), matches_party(party), on_side)


def find_open(tx: ReadTransaction, case_id: UUID) -> Handover | None:
    """Return the open offer of a case, even if it is hidden from the caller, or None.

    Raises NotAuthentic if a handover of the case was altered or deleted outside the
    service. All handovers are loaded, because a query for open offers would not find an
    offer whose state was altered.
    """
    of_case = select(Handover).where(Handover.case_id == case_id)
    found = tx.session.scalars(of_case.order_by(Handover.number)).all()
    require_all_loaded(tx.session, [case_id], Handover.list_labels())
    return next((one for one in found if one.state == State.OFFERED), None)


OF_CASES: Final = (
    select(Handover).where(Handover.case_id.in_(CASES)).order_by(Handover.number)
)


@load_once(Handover)
def list_of_cases(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> Mapping[UUID, Sequence[Handover]]:
    """List all handovers of the given cases, oldest first, by the id of the case.

    Raises NotAuthentic if a handover was altered or deleted outside the service.
    """
    cases = list(case_ids)
    found = tx.session.scalars(OF_CASES, {"cases": cases}).all()
    require_all_loaded(tx.session, cases, Handover.list_labels())
    return group_by_case(found)


def list_offered(tx: ReadTransaction) -> list[Handover]:
    """List the open offers of all cases except cases altered outside the service."""
    offered = select(Handover).where(Handover.state == State.OFFERED)
    loaded = map(selectinload, (Handover.case, Handover.lead, Handover.successor))
    found = tx.session.scalars(offered.options(*loaded)).all()
    return leave_out_forged(tx.session, found)


OFFERED: Final = select(Handover.case_id).where(
    Handover.case_id.in_(CASES), Handover.state == State.OFFERED
)


@load_once(Handover)
def find_cases_on_offer(tx: ReadTransaction, case_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return the ids of the given cases with an open handover."""
    offered = tx.read_columns(OFFERED, {"cases": list(case_ids)})
    return frozenset(offered.scalars())
