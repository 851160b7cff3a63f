"""Reading referrals: every query starts from `visible`."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, true
from sqlalchemy.orm import selectinload

from app.cases import queries as cases
from app.cases.models import Case, Party
from app.cases.statements import CASES
from app.directory.kinds import Service
from app.kernel.actors import HELPS, HOLDS, Side
from app.kernel.problems import NotFound
from app.kernel.recall import recalled
from app.kernel.work import Reading, Writing
from app.referrals.lifecycle import ASKED, AT_WORK, State
from app.referrals.models import Referral


def is_party(work: Reading) -> ColumnElement[bool]:
    """Keep what was sent to this focal point, and what belongs to the cases it holds."""
    return exists().where(
        Party.focal_point_id == work.actor.focal_point_id,
        Party.until.is_(None),
        concerns(),
    )


def concerns() -> ColumnElement[bool]:
    """Say that a party row gives a part in a referral: as its recipient, or its sender."""
    return or_(
        Party.record_id == Referral.id,
        (Party.record_id == Referral.case_id) & Party.relation.in_(HOLDS),
    )


def visible(work: Reading) -> Select[Referral]:
    """Select what this focal point is party to."""
    return select(Referral).where(is_party(work))


def get(work: Reading, referral_id: UUID) -> Referral:
    """Find one referral, or raise NotFound (404)."""
    return one(work, visible(work).where(Referral.id == referral_id))


def lock(work: Writing, referral_id: UUID) -> tuple[Case, Referral]:
    """Hold its case, then the referral, until the work is done; or raise NotFound (404).

    In this order everywhere, so that nobody waits for each other; judged again once held,
    for whoever waited may have ceased to be party meanwhile.
    """
    mine = visible(work).where(Referral.id == referral_id)
    case = cases.lock_by_id(work, one(work, mine.with_only_columns(Referral.case_id)))
    fresh = mine.with_for_update(key_share=True).execution_options(populate_existing=True)
    referral = one(work, fresh)
    return case, referral


def one[T](work: Reading, statement: Select[T]) -> T:
    """Run a statement that should find one referral, or something of it."""
    found = work.session.scalar(statement)
    if found is None:
        raise NotFound("There is no such referral.")
    return found


def mine(
    work: Reading, side: Side | None, state: State | None, case: str | None
) -> Select[Referral, int, int]:
    """Select referrals, ordered by the party row that gives a part in them.

    One index finds the rows of a focal point, however many referrals others have. A
    referral to a focal point that also holds the case is listed once.
    """
    of_me = (Party.focal_point_id == work.actor.focal_point_id) & Party.until.is_(None)
    chosen = of_me & concerns() & of_side(side)
    first = select(func.min(Party.number)).where(chosen).correlate(Referral)
    return (
        select(Referral, Party.number, Referral.number)
        .join(Party, chosen)
        .where(Party.number == first.scalar_subquery())
        .where(*([Referral.state == state] if state else []))
        .where(*([Referral.case_id == id_of(case)] if case else []))
        .options(selectinload(Referral.case), selectinload(Referral.recipient))
    )


def of_side(side: Side | None) -> ColumnElement[bool]:
    """Keep the party rows of one side; without one, of both."""
    recipient = Party.relation.in_(HELPS)
    if side is None:
        return true()
    return recipient if side == Side.RECIPIENT else ~recipient


def id_of(code: str) -> ColumnElement[UUID]:
    """Find a case's id within the statement that asks for it."""
    return select(Case.id).where(Case.code == code).scalar_subquery()


def of_case(work: Reading, case_id: UUID) -> list[Referral]:
    """List every referral of a case, whoever asks: for rules that look at all of them."""
    rows = select(Referral).where(Referral.case_id == case_id).order_by(Referral.number)
    return list(work.session.scalars(rows))


def opened_by(work: Reading, ids: Iterable[UUID]) -> Mapping[UUID, UUID | None]:
    """Say of those of some records that are referrals who opened each."""
    rows = select(Referral.id, Referral.opened_by).where(Referral.id.in_(list(ids)))
    return dict(work.session.execute(rows).all())


def predecessor(work: Reading, referral: Referral) -> Referral:
    """Find the referral that this one was opened in place of."""
    before = select(Referral).where(Referral.id == referral.predecessor_id)
    return work.session.scalars(before).one()


def is_helping(work: Reading, case_id: UUID) -> bool:
    """Say whether this focal point was asked to help in a case and did not end it."""
    mine = visible(work).where(
        Referral.case_id == case_id,
        Referral.recipient_id == work.actor.focal_point_id,
        Referral.state.in_(ASKED | AT_WORK | {State.COMPLETED}),
    )
    return work.session.scalar(mine.limit(1)) is not None


def asked_of_me(work: Reading, case_ids: Iterable[UUID]) -> Mapping[UUID, set[Service]]:
    """Name the services that this focal point was asked for in some cases."""
    mine = Referral.recipient_id == work.actor.focal_point_id
    asked = visible(work).where(Referral.case_id.in_(list(case_ids)), mine)
    found: dict[UUID, set[Service]] = {}
    for referral in work.session.scalars(asked):
        found.setdefault(referral.case_id, set()).add(referral.service)
    return found


def services_helping(work: Reading, case_id: UUID) -> frozenset[Service]:
    """Name the services for which this focal point took on a referral of a case."""
    taken_on = visible(work).where(
        Referral.case_id == case_id,
        Referral.recipient_id == work.actor.focal_point_id,
        Referral.state.in_(AT_WORK | {State.COMPLETED}),
    )
    return frozenset(referral.service for referral in work.session.scalars(taken_on))


STATES: Final = select(Referral.case_id, Referral.state).where(Referral.case_id.in_(CASES))


@recalled(Referral)
def states_of(work: Reading, case_ids: Iterable[UUID]) -> Mapping[UUID, list[State]]:
    """List the states of every referral of some cases."""
    found: dict[UUID, list[State]] = {}
    for case_id, state in work.session.execute(STATES, {"cases": list(case_ids)}):
        found.setdefault(case_id, []).append(state)
    return found
