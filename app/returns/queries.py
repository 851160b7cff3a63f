"""Queries for returns; queries on behalf of a caller start from `VISIBLE`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from app.access.office_staff import is_closed_or_unattended
from app.cases import queries as case_queries
from app.cases.case_loading import group_by_case, leave_out_forged, require_all_loaded
from app.cases.models import CaseKey, Party, Sealed
from app.cases.sections import Paper
from app.cases.statements import CASES, MINE
from app.deadlines import missed_deadlines
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.directory import queries as directory_queries
from app.directory.kinds import Service
from app.kernel.actors import HOLDING_RELATIONS, Relation, Side
from app.kernel.recall import load_once
from app.kernel.statements import lock_rows, make_list_parameter
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import AT_WORK
from app.referrals.models import Referral
from app.referrals.queries import get_one
from app.returns.lifecycle import (
    BEFORE_DEPARTURE,
    CANCELLED,
    FOR_THE_CONSULATE,
    OPEN,
    Action,
    State,
)
from app.returns.models import Done, Return


def matches_party() -> ColumnElement[bool]:
    """Return the condition for the returns that the office `me` may see.

    The condition is met if the office holds the case, is the recipient of a return that is
    not cancelled, or is a consulate that has a task in the return.
    """
    holds = (Party.record_id == Return.case_id) & Party.relation.in_(HOLDING_RELATIONS)
    receives = (Party.record_id == Return.referral_id) & Return.state.not_in(CANCELLED)
    return exists().where(*MINE, or_(holds, receives, matches_document_request()))


def matches_document_request() -> ColumnElement[bool]:
    """Return the SQL condition for parties that have a consulate's task in a return.

    The party has accepted a referral of the case for a travel document, and the return is
    in a state in which the consulate sees its task.
    """
    asked = exists().where(
        Referral.id == Party.record_id,
        Referral.case_id == Return.case_id,
        Referral.service == Service.CONSULAR_DOCUMENT,
        Referral.state.in_(AT_WORK),
    )
    recipient = Party.relation == Relation.RECIPIENT
    return and_(recipient, Return.state.in_(FOR_THE_CONSULATE), asked)


VISIBLE: Final = select(Return).where(matches_party())
BY_ID: Final = VISIBLE.where(Return.id == bindparam("id"))
BY_REFERRAL: Final = VISIBLE.where(Return.referral_id == bindparam("id"))
CASE_OF: Final = BY_ID.with_only_columns(Return.case_id)
HELD_BY_ID: Final = lock_rows(BY_ID)
RESTS_ON: Final = lock_rows(referral_queries.OF_CASE)


def get(tx: ReadTransaction, return_id: UUID) -> Return:
    """Return a return that the caller may see, or raise NotFound (404)."""
    return get_one(tx, BY_ID, return_id, "return")


def is_visible(tx: ReadTransaction, return_id: UUID) -> bool:
    """Return whether the caller may see a return now."""
    values = {"me": tx.actor.focal_point_id, "id": return_id}
    return tx.session.scalar(CASE_OF, values) is not None


def get_by_referral(tx: ReadTransaction, referral_id: UUID) -> Return:
    """Return the return of a referral that the caller may see, or raise NotFound (404)."""
    referral = referral_queries.get(tx, referral_id)
    return get_one(tx, BY_REFERRAL, referral.id, "return")


def find_by_referral(tx: ReadTransaction, referral_id: UUID) -> Return | None:
    """Return the return of a referral, or None. It may be hidden from the caller."""
    return tx.session.scalar(select(Return).where(Return.referral_id == referral_id))


def lock(tx: WriteTransaction, return_id: UUID) -> Return:
    """Return a return after locking its case, the referrals of the case, and the return.

    Raises NotFound (404) if the caller may not see the return.
    """
    case = case_queries.lock_by_id(tx, get_one(tx, CASE_OF, return_id, "return"))
    tx.session.scalars(RESTS_ON, {"case": case.id}).all()
    return get_one(tx, HELD_BY_ID, return_id, "return")


OF_CASES: Final = select(Return).where(Return.case_id.in_(CASES)).order_by(Return.number)


@load_once(Return)
def list_open(tx: ReadTransaction, case_ids: Iterable[UUID]) -> Mapping[UUID, list[Return]]:
    """Return the open returns by case, including those hidden from the caller.

    All returns of the cases are loaded, because a query for open returns would not find a
    return whose state was altered. Raises NotAuthentic if a return was altered or deleted
    outside the service.
    """
    cases = list(case_ids)
    found = tx.session.scalars(OF_CASES, {"cases": cases}).all()
    require_all_loaded(tx.session, cases, Return.list_labels())
    return group_by_case(one for one in found if one.state in OPEN)


def list_with_closed_recipient(tx: ReadTransaction) -> list[Return]:
    """List the returns with a closed recipient in which the person has not departed yet."""
    found = (
        select(Return)
        .join(Referral, Referral.id == Return.referral_id)
        .where(Return.state.in_(BEFORE_DEPARTURE))
        .where(Referral.recipient_id.in_(directory_queries.select_closed()))
    )
    rows = tx.session.scalars(found.order_by(Return.number)).all()
    return leave_out_forged(tx.session, rows)


def has_closed_recipient(record: Return) -> bool:
    """Return whether the person has not departed yet and the recipient is closed."""
    return record.state in BEFORE_DEPARTURE and not record.referral.recipient.active


def list_misdirected_visits(
    tx: ReadTransaction, unattended: Collection[UUID]
) -> list[Return]:
    """List the returns in which the wrong office has the deadline for the visits.

    The recipient reports the visits; if it is closed or unattended, the lead does. An
    office is unattended if no account has been able to work on cases for a day (ADR 50).
    """
    recipient, closed = Referral.recipient_id, directory_queries.select_closed()
    unavailable = recipient.in_(closed) | recipient.in_(unattended)
    found = (
        select(Return)
        .join(Referral, Referral.id == Return.referral_id)
        .join(Clock, Clock.record_id == Return.id)
        .where(Return.state == State.MONITORING, Clock.stopped_at.is_(None))
        .where(unavailable == (Clock.waits_on == recipient))
    )
    rows = tx.session.scalars(found.order_by(Return.number)).all()
    return leave_out_forged(tx.session, rows)


def is_recipient_gone(tx: ReadTransaction, record: Return) -> bool:
    """Return whether the lead reports the visits instead of the recipient (ADR 50).

    This is true during the monitoring if the recipient is closed or unattended.
    """
    visited = record.state == State.MONITORING
    return visited and is_closed_or_unattended(tx, record.referral.recipient)


def find_awaited_office(
    tx: ReadTransaction, record: Return, side: Side, document_referral: Referral
) -> UUID | None:
    """Return the office that has to act in the current state, or None if there is none."""
    if is_recipient_gone(tx, record):
        return record.case.holder
    return {
        Side.RECIPIENT: record.referral.recipient_id,
        Side.CONSULATE: document_referral.recipient_id,
    }.get(side, record.case.holder)


def by_id(tx: ReadTransaction, return_id: UUID) -> Return:
    """Return the return with the given id, in any state and for any caller."""
    return tx.session.scalars(select(Return).where(Return.id == return_id)).one()


STEPS: Final = select(Done).where(Done.return_id == bindparam("id")).order_by(Done.number)


def list_steps(session: Session, return_id: UUID) -> list[Done]:
    """List the steps that were taken in a return, oldest first, without verifying them."""
    return list(session.scalars(STEPS, {"id": return_id}))


def get_latest_steps(done: Iterable[Done]) -> Mapping[Action, Done]:
    """Return the latest step of each action. In `done`, the oldest step comes first."""
    return {step.action: step for step in done}


PLANS: Final = (
    select(Sealed, CaseKey)
    .outerjoin(CaseKey, CaseKey.case_id == Sealed.case_id)
    .where(
        Sealed.record_id.in_(make_list_parameter("referrals")),
        Sealed.kind == Paper.TRAVEL_PLAN,
    )
)
ARRIVALS: Final = (
    select(Clock, Return)
    .select_from(Clock)
    .join(Return, Return.id == Clock.record_id)
    .where(Clock.kind == DeadlineKind.CONFIRM_ARRIVAL)
    .order_by(Clock.number)
)
TRAVELLING: Final = ARRIVALS.where(
    Clock.stopped_at.is_(None), Return.state == State.IN_TRANSIT
)
IS_POSTPONED: Final = and_(
    Clock.kind == DeadlineKind.CONFIRM_ARRIVAL,
    Clock.stopped_at.is_(None),
    Clock.record_id.in_(select(Return.id).where(Return.state == State.IN_TRANSIT)),
    ~missed_deadlines.IS_RECORDED,
)
"""A condition: the worker postpones the deadline by a day while the person travels.

It does not count as missed until the worker records it, even if its handling failed.
"""
WAITING: Final = TRAVELLING.where(
    Clock.waits_on == bindparam("me"), Clock.due_at < bindparam("before")
)
HAS_TRAVELLING: Final = (
    WAITING.with_only_columns(Clock.number, maintain_column_froms=True)
    .order_by(None)
    .correlate(None)
    .exists()
)
"""A condition for other statements: `WAITING` selects at least one row."""
LAST_RUN: Final = func.coalesce(Clock.stopped_at, bindparam("now", type_=Clock.due_at.type))


def list_travel_plans(tx: ReadTransaction, referral_ids: Iterable[UUID]) -> list[Sealed]:
    """List the sealed travel plans of the given referrals, and load their cases' keys."""
    rows = tx.session.execute(PLANS, {"referrals": list(referral_ids)}).all()
    tx.kept_alive.update(key for _, key in rows)
    return [plan for plan, _ in rows]


def list_travelling(tx: ReadTransaction, before: datetime) -> Sequence[Row[Clock, Return]]:
    """List the deadlines and returns of the arrivals that the caller has to confirm.

    Only deadlines that are due before the time `before` are listed.
    """
    asked = {"me": tx.actor.focal_point_id, "before": before}
    return tx.session.execute(WAITING, asked).all()


def find_travelling(tx: ReadTransaction, clock: Clock) -> Return | None:
    """Return the return in transit whose running arrival deadline is `clock`, or None."""
    row = tx.session.execute(TRAVELLING.where(Clock.number == clock.number)).first()
    return row[1] if row else None


def list_arrivals_ahead(tx: ReadTransaction) -> Sequence[Row[Clock, Return]]:
    """List the arrival deadlines that are not due or were stopped in time, with returns."""
    ahead = ARRIVALS.where(Clock.due_at > LAST_RUN)
    return tx.session.execute(ahead, {"now": tx.now}).all()
