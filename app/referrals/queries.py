"""Reading referrals: every query starts from what is `VISIBLE`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, or_, select, true
from sqlalchemy.orm import aliased, selectinload

from app.cases import queries as cases
from app.cases.filters import is_mine
from app.cases.models import Case, Party
from app.cases.statements import CASES, MINE
from app.directory.kinds import Service
from app.kernel.actors import HELPS, HOLDS, Side
from app.kernel.problems import NotFound
from app.kernel.recall import recalled
from app.kernel.statements import columns, held
from app.kernel.work import Reading, Writing
from app.referrals.lifecycle import ASKED, AT_WORK, OPEN, State
from app.referrals.models import Referral


def concerns(party: type[Party]) -> ColumnElement[bool]:
    """Say that a party row gives a part in a referral: as its recipient, or its sender.

    Of its case either way, by which the rows are found.
    """
    holds = (party.record_id == Referral.case_id) & party.relation.in_(HOLDS)
    return (party.case_id == Referral.case_id) & or_(party.record_id == Referral.id, holds)


VISIBLE: Final = select(Referral).where(exists().where(*MINE, concerns(Party)))
"""What was sent to a focal point, `me`, and what belongs to the cases it holds."""
BY_ID: Final = VISIBLE.where(Referral.id == bindparam("id"))
CASE_OF: Final = BY_ID.with_only_columns(Referral.case_id)
HELD_BY_ID: Final = held(BY_ID)


def get(work: Reading, referral_id: UUID) -> Referral:
    """Find one referral, or raise NotFound (404)."""
    return one(work, BY_ID, referral_id)


def lock(work: Writing, referral_id: UUID) -> tuple[Case, Referral]:
    """Hold its case, then the referral, until the work is done; or raise NotFound (404).

    In this order everywhere, so that nobody waits for each other; judged again once held,
    for whoever waited may have ceased to be party meanwhile.
    """
    case = cases.lock_by_id(work, one(work, CASE_OF, referral_id))
    return case, one(work, HELD_BY_ID, referral_id)


def one[T](work: Reading, statement: Select[T], referral_id: UUID) -> T:
    """Run a statement that should find one referral, or something of it."""
    me = work.actor.focal_point_id
    found = work.session.scalar(statement, {"me": me, "id": referral_id})
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
    chosen, earlier = part(work, Party, side), aliased(Party)
    before = part(work, earlier, side) & (earlier.number < Party.number)
    return (
        select(Referral, Party.number, Referral.number)
        .join(Party, chosen)
        .where(~exists().where(before))
        .where(*([Referral.state == state] if state else []))
        .where(*([Referral.case_id == id_of(case)] if case else []))
        .options(selectinload(Referral.case), selectinload(Referral.recipient))
    )


def part(work: Reading, party: type[Party], side: Side | None) -> ColumnElement[bool]:
    """Keep the open party rows that give this focal point a part, on one side or both."""
    return and_(*is_mine(work, party), concerns(party), of_side(party, side))


def of_side(party: type[Party], side: Side | None) -> ColumnElement[bool]:
    """Keep the party rows of one side; without one, of both."""
    recipient = party.relation.in_(HELPS)
    if side is None:
        return true()
    return recipient if side == Side.RECIPIENT else ~recipient


def id_of(code: str) -> ColumnElement[UUID]:
    """Find a case's id within the statement that asks for it."""
    return select(Case.id).where(Case.code == code).scalar_subquery()


OF_CASE: Final = (
    select(Referral).where(Referral.case_id == bindparam("case")).order_by(Referral.number)
)


ANEW: Final = OF_CASE.execution_options(populate_existing=True)


def look_again(work: Reading, case_id: UUID) -> None:
    """Read the referrals of a case anew that were found before."""
    work.session.scalars(ANEW, {"case": case_id}).all()


def of_case(work: Reading, case_id: UUID) -> list[Referral]:
    """List every referral of a case, whoever asks: for rules that look at all of them."""
    return list(work.session.scalars(OF_CASE, {"case": case_id}))


def list_open(work: Reading) -> list[Referral]:
    """List every referral that was sent and has not ended, whoever asks: for the worker."""
    found = select(Referral).where(Referral.state.in_(OPEN))
    both = (selectinload(Referral.case), selectinload(Referral.recipient))
    return list(work.session.scalars(found.order_by(Referral.number).options(*both)))


def opened_by(work: Reading, ids: Iterable[UUID]) -> Mapping[UUID, UUID | None]:
    """Say of those of some records that are referrals who opened each."""
    rows = select(Referral.id, Referral.opened_by).where(Referral.id.in_(list(ids)))
    return dict(work.session.execute(rows).all())


def predecessor(work: Reading, referral: Referral) -> Referral:
    """Find the referral that this one was opened in place of."""
    before = select(Referral).where(Referral.id == referral.predecessor_id)
    return work.session.scalars(before).one()


RECEIVED: Final = VISIBLE.where(
    Referral.case_id.in_(CASES), Referral.recipient_id == bindparam("me")
)
HELPING: Final = RECEIVED.where(Referral.state.in_(ASKED | AT_WORK | {State.COMPLETED}))
TAKEN_ON: Final = RECEIVED.where(Referral.state.in_(AT_WORK | {State.COMPLETED}))


def is_helping(work: Reading, case_id: UUID) -> bool:
    """Say whether this focal point was asked to help in a case and did not end it."""
    return bool(received(work, HELPING, [case_id]))


def received(
    work: Reading, statement: Select[Referral], case_ids: Iterable[UUID]
) -> Sequence[Referral]:
    """List what this focal point was asked for in some cases, as a statement has it."""
    asked = {"me": work.actor.focal_point_id, "cases": list(case_ids)}
    return work.session.scalars(statement, asked).all()


def asked_of_me(work: Reading, case_ids: Iterable[UUID]) -> Mapping[UUID, set[Service]]:
    """Name the services that this focal point was asked for in some cases."""
    found: dict[UUID, set[Service]] = {}
    for referral in received(work, RECEIVED, case_ids):
        found.setdefault(referral.case_id, set()).add(referral.service)
    return found


def services_helping(work: Reading, case_id: UUID) -> frozenset[Service]:
    """Name the services for which this focal point took on a referral of a case."""
    return frozenset(one.service for one in received(work, TAKEN_ON, [case_id]))


class OpenRequest(NamedTuple):
    """What an open referral asks of whom, and who opened it."""

    case_id: UUID
    recipient_id: UUID
    service: Service
    sections: list[str]
    opened_by: UUID | None


OPEN_REQUESTS: Final = select(
    Referral.case_id,
    Referral.recipient_id,
    Referral.service,
    Referral.sections,
    Referral.opened_by,
).where(Referral.case_id.in_(CASES), Referral.state.in_(OPEN))


@recalled(Referral)
def open_requests(
    work: Reading, case_ids: Iterable[UUID]
) -> Mapping[UUID, list[OpenRequest]]:
    """List what the open referrals of some cases ask, whoever asks."""
    found: dict[UUID, list[OpenRequest]] = {}
    for row in columns(work.session, OPEN_REQUESTS, {"cases": list(case_ids)}):
        found.setdefault(row[0], []).append(OpenRequest(*row))
    return found


STATES: Final = select(Referral.case_id, Referral.state).where(Referral.case_id.in_(CASES))


@recalled(Referral)
def states_of(work: Reading, case_ids: Iterable[UUID]) -> Mapping[UUID, list[State]]:
    """List the states of every referral of some cases."""
    found: dict[UUID, list[State]] = {}
    for case_id, state in columns(work.session, STATES, {"cases": list(case_ids)}):
        found.setdefault(case_id, []).append(state)
    return found
