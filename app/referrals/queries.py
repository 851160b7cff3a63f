"""Queries for referrals; queries on behalf of a caller start from `VISIBLE`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, or_, select, true
from sqlalchemy.orm import aliased, selectinload

from app.cases import queries as case_queries
from app.cases.case_loading import leave_out_forged, require_all_loaded
from app.cases.filters import is_own_party
from app.cases.lifecycle import OPEN as CASE_OPEN
from app.cases.models import Case, Party
from app.cases.statements import CASES, MINE
from app.directory.kinds import Service
from app.kernel.actors import HELPING_RELATIONS, HOLDING_RELATIONS, Relation, Side
from app.kernel.problems import NotFound
from app.kernel.recall import load_once
from app.kernel.statements import lock_rows
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.referrals.lifecycle import ASKED, AT_WORK, OPEN, State
from app.referrals.models import Referral


def matches_party(party: type[Party]) -> ColumnElement[bool]:
    """Return the condition for party rows of the recipient or the sender of a referral.

    The condition includes the case, so that the database can use an index of the parties.
    """
    holds = (party.record_id == Referral.case_id) & party.relation.in_(HOLDING_RELATIONS)
    return (party.case_id == Referral.case_id) & or_(party.record_id == Referral.id, holds)


def build_led_condition() -> ColumnElement[bool]:
    """Return the condition for referrals that existed when a former lead led the case.

    The office `me` is a former lead now, and a period in which it led ended after the
    referral was opened.
    """
    of_case = Party.case_id == Referral.case_id
    was_lead = (Party.relation == Relation.LEAD) & (Party.until > Referral.opened_at)
    return and_(
        exists().where(*MINE, of_case, Party.relation == Relation.FORMER_LEAD),
        exists().where(Party.focal_point_id == bindparam("me"), of_case, was_lead),
    )


IS_VISIBLE: Final = exists().where(*MINE, matches_party(Party))
VISIBLE: Final = select(Referral).where(IS_VISIBLE)
"""The referrals that the office `me` received, and those of the cases that it holds."""
SEEN_OR_LED_BY_ID: Final = select(Referral).where(
    or_(IS_VISIBLE, build_led_condition()), Referral.id == bindparam("id")
)
BY_ID: Final = VISIBLE.where(Referral.id == bindparam("id"))
CASE_OF: Final = BY_ID.with_only_columns(Referral.case_id)
HELD_BY_ID: Final = lock_rows(BY_ID)


def get(tx: ReadTransaction, referral_id: UUID) -> Referral:
    """Return a referral that the caller may see, or raise NotFound (404)."""
    return get_one(tx, BY_ID, referral_id)


def get_seen_or_led(tx: ReadTransaction, referral_id: UUID) -> Referral:
    """Return a referral that the caller sees, or saw as the lead. Raises NotFound (404)."""
    return get_one(tx, SEEN_OR_LED_BY_ID, referral_id)


def lock(tx: WriteTransaction, referral_id: UUID) -> tuple[Case, Referral]:
    """Lock the case, then the referral, and return both, or raise NotFound (404).

    All transactions lock in this order, to avoid deadlocks. Visibility is checked again
    after locking, because the caller may have lost access while it waited for the lock.
    """
    case = case_queries.lock_by_id(tx, get_one(tx, CASE_OF, referral_id))
    return case, get_one(tx, HELD_BY_ID, referral_id)


def get_one[T](
    tx: ReadTransaction, statement: Select[T], record_id: UUID, kind: str = "referral"
) -> T:
    """Return the result of a statement about one record, or raise NotFound (404)."""
    values = {"me": tx.actor.focal_point_id, "id": record_id}
    found = tx.session.scalar(statement, values)
    if found is None:
        raise NotFound(f"There is no such {kind}.")
    return found


def list_own(
    tx: ReadTransaction, side: Side | None, state: State | None, case: str | None
) -> Select[Referral, int, int]:
    """Return a statement that selects each referral of the caller once, with sort keys."""
    chosen, earlier = matches_own_party(tx, Party, side), aliased(Party)
    before = matches_own_party(tx, earlier, side) & (earlier.number < Party.number)
    return (
        select(Referral, Party.number, Referral.number)
        .join(Party, chosen)
        .where(~exists().where(before))
        .where(*([Referral.state == state] if state else []))
        .where(*([Referral.case_id == select_case_id(case)] if case else []))
        .options(selectinload(Referral.case), selectinload(Referral.recipient))
    )


def matches_own_party(
    tx: ReadTransaction, party: type[Party], side: Side | None
) -> ColumnElement[bool]:
    """Return the condition for the caller's current party rows, on one side or on both."""
    return and_(*is_own_party(tx, party), matches_party(party), matches_side(party, side))


def matches_side(party: type[Party], side: Side | None) -> ColumnElement[bool]:
    """Return the condition for party rows of one side; without a side, all rows match."""
    recipient = party.relation.in_(HELPING_RELATIONS)
    if side is None:
        return true()
    return recipient if side == Side.RECIPIENT else ~recipient


def select_case_id(code: str) -> ColumnElement[UUID]:
    """Return a subquery for the id of the case with the given code."""
    return select(Case.id).where(Case.code == code).scalar_subquery()


OF_CASE: Final = (
    select(Referral).where(Referral.case_id == bindparam("case")).order_by(Referral.number)
)
ANEW: Final = OF_CASE.execution_options(populate_existing=True)


def load_again(tx: ReadTransaction, case_id: UUID) -> None:
    """Reload the referrals of a case that are already in the session."""
    tx.session.scalars(ANEW, {"case": case_id}).all()


def list_of_case(tx: ReadTransaction, case_id: UUID) -> list[Referral]:
    """List all referrals of a case, including those that are hidden from the caller.

    Raises NotAuthentic if a referral was deleted outside the service.
    """
    found = list(tx.session.scalars(OF_CASE, {"case": case_id}))
    require_all_loaded(tx.session, [case_id], Referral.list_labels())
    return found


def list_open(tx: ReadTransaction) -> list[Referral]:
    """List the referrals, across all cases, that have been sent and have not ended.

    Referrals of cases that were altered outside the service are left out.
    """
    found = select(Referral).where(Referral.state.in_(OPEN))
    both = (selectinload(Referral.case), selectinload(Referral.recipient))
    rows = tx.session.scalars(found.order_by(Referral.number).options(*both)).all()
    return leave_out_forged(tx.session, rows)


def list_completed_without_snapshot(tx: ReadTransaction) -> list[UUID]:
    """List the ids of open cases in which a completed part has no snapshot (ADR 90).

    These parts were completed by a version of the service before 0.2.
    """
    current = (Party.relation == Relation.RECIPIENT) & Party.until.is_(None)
    found = (
        select(Referral.case_id)
        .join(Party, Party.record_id == Referral.id)
        .join(Case, Case.id == Referral.case_id)
        .where(current, Party.as_asked.is_(None), Referral.state == State.COMPLETED)
        .where(Case.state.in_(CASE_OPEN))
    )
    return list(tx.session.scalars(found))


def get_openers(tx: ReadTransaction, ids: Iterable[UUID]) -> Mapping[UUID, UUID | None]:
    """Return the office that opened each referral, by the id of the referral."""
    rows = select(Referral.id, Referral.opened_by).where(Referral.id.in_(list(ids)))
    return dict(tx.session.execute(rows).all())


def get_predecessor(tx: ReadTransaction, referral: Referral) -> Referral:
    """Return the redirected referral that this referral replaces."""
    before = select(Referral).where(Referral.id == referral.predecessor_id)
    return tx.session.scalars(before).one()


RECEIVED: Final = VISIBLE.where(
    Referral.case_id.in_(CASES), Referral.recipient_id == bindparam("me")
)
HELPING: Final = RECEIVED.where(Referral.state.in_(ASKED | AT_WORK | {State.COMPLETED}))
TAKEN: Final = AT_WORK | {State.COMPLETED}
TAKEN_ON: Final = RECEIVED.where(Referral.state.in_(TAKEN))
STILL_OPEN: Final = RECEIVED.where(Referral.state.in_(ASKED | AT_WORK))


def is_helping(tx: ReadTransaction, case_id: UUID) -> bool:
    """Return whether the caller has received an open or completed referral of the case."""
    return bool(list_received(tx, HELPING, [case_id]))


def has_open_referral(tx: ReadTransaction, case_id: UUID) -> bool:
    """Return whether the caller has received a referral of the case that is still open."""
    return bool(list_received(tx, STILL_OPEN, [case_id]))


def list_received(
    tx: ReadTransaction, statement: Select[Referral], case_ids: Iterable[UUID]
) -> Sequence[Referral]:
    """Return the referrals to the caller that a statement selects in the given cases."""
    asked = {"me": tx.actor.focal_point_id, "cases": list(case_ids)}
    return tx.session.scalars(statement, asked).all()


def list_requested_services(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> Mapping[UUID, set[Service]]:
    """Return the services that the caller was asked to provide, by case."""
    found: dict[UUID, set[Service]] = {}
    for referral in list_received(tx, RECEIVED, case_ids):
        found.setdefault(referral.case_id, set()).add(referral.service)
    return found


type Services = Mapping[UUID, set[Service]]


def list_services(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> tuple[Services, Services]:
    """Return the services requested from the caller, and the services it accepted, by case.

    Referrals that ended without being completed are left out.
    """
    helped, accepted = dict[UUID, set[Service]](), dict[UUID, set[Service]]()
    for referral in list_received(tx, HELPING, case_ids):
        helped.setdefault(referral.case_id, set()).add(referral.service)
        if referral.state in TAKEN:
            accepted.setdefault(referral.case_id, set()).add(referral.service)
    return helped, accepted


def list_accepted_services(
    tx: ReadTransaction, case_id: UUID, *, completed: bool = True
) -> frozenset[Service]:
    """Return the services of the caller's accepted referrals of the case.

    Completed referrals count, unless `completed` is false.
    """
    return frozenset(
        one.service
        for one in list_received(tx, TAKEN_ON, [case_id])
        if completed or one.state != State.COMPLETED
    )


class OpenRequest(NamedTuple):
    """An open referral: its recipient, its service, its sections and the opening office."""

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


@load_once(Referral)
def list_open_requests(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> Mapping[UUID, list[OpenRequest]]:
    """Return the open referrals by case, including those hidden from the caller."""
    found: dict[UUID, list[OpenRequest]] = {}
    for row in tx.read_columns(OPEN_REQUESTS, {"cases": list(case_ids)}):
        found.setdefault(row[0], []).append(OpenRequest(*row))
    return found


STATES: Final = select(Referral.case_id, Referral.state).where(Referral.case_id.in_(CASES))


@load_once(Referral)
def list_states(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> Mapping[UUID, list[State]]:
    """Return the states of all referrals of several cases, by case."""
    found: dict[UUID, list[State]] = {}
    for case_id, state in tx.read_columns(STATES, {"cases": list(case_ids)}):
        found.setdefault(case_id, []).append(state)
    return found
