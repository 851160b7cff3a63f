"""Reading returns: every query starts from what is `VISIBLE`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
)

from app.cases import queries as cases
from app.cases.models import CaseKey, Party, Sealed
from app.cases.sections import Paper
from app.cases.statements import CASES, MINE
from app.deadlines.limits import ClockKind
from app.deadlines.models import Clock
from app.directory import queries as directory
from app.directory.kinds import Service
from app.kernel.actors import HOLDS, Relation
from app.kernel.problems import NotFound
from app.kernel.recall import recalled
from app.kernel.statements import any_of, held
from app.kernel.work import Reading, Writing
from app.referrals import queries as referrals
from app.referrals.lifecycle import AT_WORK
from app.referrals.models import Referral
from app.returns.lifecycle import (
    BEFORE_DEPARTURE,
    CANCELLED,
    FOR_THE_CONSULATE,
    OPEN,
    Action,
    State,
)
from app.returns.models import Done, Return


def is_party() -> ColumnElement[bool]:
    """Keep what belongs to the cases `me` holds, what it receives, and papers it issues.

    A recipient stops to see what was cancelled; the State of origin sees its own task while
    there is one.
    """
    holds = (Party.record_id == Return.case_id) & Party.relation.in_(HOLDS)
    receives = (Party.record_id == Return.referral_id) & Return.state.not_in(CANCELLED)
    return exists().where(*MINE, or_(holds, receives, issues()))


def issues() -> ColumnElement[bool]:
    """Say that a party row is of who was asked for papers in the same case."""
    asked = exists().where(
        Referral.id == Party.record_id,
        Referral.case_id == Return.case_id,
        Referral.service == Service.CONSULAR_DOCUMENT,
        Referral.state.in_(AT_WORK),
    )
    recipient = Party.relation == Relation.RECIPIENT
    return and_(recipient, Return.state.in_(FOR_THE_CONSULATE), asked)


VISIBLE: Final = select(Return).where(is_party())
BY_ID: Final = VISIBLE.where(Return.id == bindparam("id"))
BY_REFERRAL: Final = VISIBLE.where(Return.referral_id == bindparam("id"))
CASE_OF: Final = BY_ID.with_only_columns(Return.case_id)
HELD_BY_ID: Final = held(BY_ID)
RESTS_ON: Final = held(referrals.OF_CASE)


def get(work: Reading, return_id: UUID) -> Return:
    """Find one return, or raise NotFound (404)."""
    return one(work, BY_ID, return_id)


def is_visible(work: Reading, return_id: UUID) -> bool:
    """Say whether this focal point is party to a return now."""
    return find(work, CASE_OF, return_id) is not None


def of_referral(work: Reading, referral_id: UUID) -> Return:
    """Find the return of a referral that is visible itself, or raise NotFound (404)."""
    referral = referrals.get(work, referral_id)
    return one(work, BY_REFERRAL, referral.id)


def opened_for(work: Reading, referral_id: UUID) -> Return | None:
    """Find the return of a referral, whoever asks: there is never a second one."""
    return work.session.scalar(select(Return).where(Return.referral_id == referral_id))


def lock(work: Writing, return_id: UUID) -> Return:
    """Hold its case, the referrals it rests on, then the return; or raise NotFound (404).

    Read again once held: whoever waited may have ceased to be party meanwhile.
    """
    case = cases.lock_by_id(work, one(work, CASE_OF, return_id))
    work.session.scalars(RESTS_ON, {"case": case.id}).all()
    return one(work, HELD_BY_ID, return_id)


def find[T](work: Reading, statement: Select[T], asked: UUID) -> T | None:
    """Run a statement that finds at most one return, or something of it."""
    me = work.actor.focal_point_id
    return work.session.scalar(statement, {"me": me, "id": asked})


def one[T](work: Reading, statement: Select[T], asked: UUID) -> T:
    """Run a statement that should find one return, or something of it."""
    found = find(work, statement, asked)
    if found is None:
        raise NotFound("There is no such return.")
    return found


UNDER_WAY: Final = (
    select(Return)
    .where(Return.case_id.in_(CASES), Return.state.in_(OPEN))
    .order_by(Return.number)
)


@recalled(Return)
def open_in(work: Reading, case_ids: Iterable[UUID]) -> Mapping[UUID, list[Return]]:
    """List the returns of some cases that have not ended, whoever asks."""
    found: dict[UUID, list[Return]] = {}
    for record in work.session.scalars(UNDER_WAY, {"cases": list(case_ids)}):
        found.setdefault(record.case_id, []).append(record)
    return found


def list_unawaited(work: Reading) -> list[Return]:
    """List the returns before departure whose recipient is closed, whoever asks."""
    found = (
        select(Return)
        .join(Referral, Referral.id == Return.referral_id)
        .where(Return.state.in_(BEFORE_DEPARTURE))
        .where(Referral.recipient_id.in_(directory.closed()))
    )
    return list(work.session.scalars(found.order_by(Return.number)))


def has_closed_recipient(record: Return) -> bool:
    """Return whether a person has not departed yet and nobody awaits them at home."""
    return record.state in BEFORE_DEPARTURE and not record.referral.recipient.active


def list_misdirected_visits(work: Reading, unattended: Collection[UUID]) -> list[Return]:
    """List the returns whose visits wait for an office that cannot report them, or not now.

    They wait for the recipient; where it is closed or unattended, for another office: the
    lead reports them.
    """
    recipient = Referral.recipient_id
    gone = recipient.in_(directory.closed()) | recipient.in_(unattended)
    found = (
        select(Return)
        .join(Referral, Referral.id == Return.referral_id)
        .join(Clock, Clock.record_id == Return.id)
        .where(Return.state == State.MONITORING, Clock.stopped_at.is_(None))
        .where(gone == (Clock.waits_on == recipient))
    )
    return list(work.session.scalars(found.order_by(Return.number)))


def by_id(work: Reading, return_id: UUID) -> Return:
    """Return one, whoever asks; it may have ended."""
    return work.session.scalars(select(Return).where(Return.id == return_id)).one()


STEPS: Final = select(Done).where(Done.return_id == bindparam("id")).order_by(Done.number)


def steps(work: Reading, return_id: UUID) -> list[Done]:
    """List what was done, oldest first."""
    return list(work.session.scalars(STEPS, {"id": return_id}))


def latest(done: Iterable[Done]) -> Mapping[Action, Done]:
    """Keep of each action the last that was done: that one counts."""
    return {step.action: step for step in done}


PLANS: Final = (
    select(Sealed, CaseKey)
    .outerjoin(CaseKey, CaseKey.case_id == Sealed.case_id)
    .where(Sealed.record_id.in_(any_of("referrals")), Sealed.kind == Paper.TRAVEL_PLAN)
)
ARRIVALS: Final = (
    select(Clock, Return)
    .select_from(Clock)
    .join(Return, Return.id == Clock.record_id)
    .where(Clock.kind == ClockKind.CONFIRM_ARRIVAL)
    .order_by(Clock.number)
)
TRAVELLING: Final = ARRIVALS.where(
    Clock.stopped_at.is_(None), Return.state == State.IN_TRANSIT
)
WAITING: Final = TRAVELLING.where(
    Clock.waits_on == bindparam("me"), Clock.due_at < bindparam("before")
)
LAST_RUN: Final = func.coalesce(Clock.stopped_at, bindparam("now", type_=Clock.due_at.type))


def list_travel_plans(work: Reading, referral_ids: Iterable[UUID]) -> list[Sealed]:
    """Find the sealed travel plans of some referrals, with the keys of their cases."""
    rows = work.session.execute(PLANS, {"referrals": list(referral_ids)}).all()
    work.held.update(key for _, key in rows)
    return [plan for plan, _ in rows]


def list_travelling(work: Reading, before: datetime) -> Sequence[Row[Clock, Return]]:
    """List who travels to this office, with the clocks that are due before a time."""
    asked = {"me": work.actor.focal_point_id, "before": before}
    return work.session.execute(WAITING, asked).all()


def find_travelling(work: Reading, clock: Clock) -> Return | None:
    """Find the return of a clock, if the person travels."""
    row = work.session.execute(TRAVELLING.where(Clock.number == clock.number)).first()
    return row[1] if row else None


def list_arrivals_ahead(work: Reading) -> Sequence[Row[Clock, Return]]:
    """List the clocks of arrivals that are, or when they were stopped were, not due yet."""
    ahead = ARRIVALS.where(Clock.due_at > LAST_RUN)
    return work.session.execute(ahead, {"now": work.now}).all()
