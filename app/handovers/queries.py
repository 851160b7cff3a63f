"""Reading handovers: every query starts from `visible`."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, true
from sqlalchemy.orm import selectinload

from app.cases import queries as cases
from app.cases.models import Case, Party
from app.cases.statements import CASES
from app.handovers.lifecycle import State
from app.handovers.models import Handover
from app.kernel.actors import Relation, Side
from app.kernel.problems import NotFound
from app.kernel.recall import recalled
from app.kernel.work import Reading, Writing
from app.referrals.queries import id_of


def is_party(work: Reading) -> ColumnElement[bool]:
    """Keep what was offered to or by this focal point, and what the cases it leads have."""
    return exists().where(
        Party.focal_point_id == work.actor.focal_point_id,
        Party.until.is_(None),
        concerns(),
    )


def concerns() -> ColumnElement[bool]:
    """Say that a party row gives a part in a handover: its own, or the lead of its case."""
    leads = (Party.record_id == Handover.case_id) & (Party.relation == Relation.LEAD)
    return or_(Party.record_id == Handover.id, leads)


def visible(work: Reading) -> Select[Handover]:
    """Select what this focal point is party to."""
    return select(Handover).where(is_party(work))


def get(work: Reading, handover_id: UUID) -> Handover:
    """Find one handover, or raise NotFound (404)."""
    return one(work, visible(work).where(Handover.id == handover_id))


def lock(work: Writing, handover_id: UUID) -> tuple[Case, Handover]:
    """Hold its case, then the handover, until the work is done; or raise NotFound (404).

    In this order everywhere, so that nobody waits for each other; judged again once held,
    for whoever waited may have ceased to be party meanwhile.
    """
    mine = visible(work).where(Handover.id == handover_id)
    case = cases.lock_by_id(work, one(work, mine.with_only_columns(Handover.case_id)))
    fresh = mine.with_for_update(key_share=True).execution_options(populate_existing=True)
    return case, one(work, fresh)


def one[T](work: Reading, statement: Select[T]) -> T:
    """Run a statement that should find one handover, or something of it."""
    found = work.session.scalar(statement)
    if found is None:
        raise NotFound("There is no such handover.")
    return found


def mine(
    work: Reading, side: Side | None, state: State | None, case: str | None
) -> Select[Handover, int, int]:
    """Select handovers, ordered by the party row that gives a part in them.

    One index finds the rows of a focal point, however many handovers others have. One that
    gave the lead away and has it again sees the old handover once.
    """
    of_me = (Party.focal_point_id == work.actor.focal_point_id) & Party.until.is_(None)
    chosen = of_me & concerns() & of_side(side)
    first = select(func.min(Party.number)).where(chosen).correlate(Handover)
    return (
        select(Handover, Party.number, Handover.number)
        .join(Party, chosen)
        .where(Party.number == first.scalar_subquery())
        .where(*([Handover.state == state] if state else []))
        .where(*([Handover.case_id == id_of(case)] if case else []))
        .options(*map(selectinload, (Handover.case, Handover.lead, Handover.successor)))
    )


def of_side(side: Side | None) -> ColumnElement[bool]:
    """Keep the party rows of one side; without one, of all."""
    return true() if side is None else Party.relation == Relation(side)


def open_of(work: Reading, case_id: UUID) -> Handover | None:
    """Find the handover of a case that nobody decided yet, whoever asks: for rules."""
    mine = (Handover.case_id == case_id) & (Handover.state == State.OFFERED)
    return work.session.scalar(select(Handover).where(mine))


OFFERED: Final = select(Handover.case_id).where(
    Handover.case_id.in_(CASES),
    Handover.state == State.OFFERED,
)


@recalled(Handover)
def with_open(work: Reading, case_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Name those of some cases whose lead is on offer."""
    return frozenset(work.session.scalars(OFFERED, {"cases": list(case_ids)}))
