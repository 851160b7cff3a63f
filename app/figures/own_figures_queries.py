"""Queries for an office's own figures.

They start from the deadlines that wait for the office `me`, or from the entries of its
feed. Both are sorted by time, so that a query reads only the rows of the period.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    JSON,
    BindParameter,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from app.cases.lifecycle import EVENTS as CASE_EVENTS
from app.cases.lifecycle import Action as CaseAction
from app.cases.models import Party
from app.casework.lateness import LATENESS_RULES, Noun
from app.deadlines.limits import ASKED, DeadlineKind
from app.deadlines.models import Clock, Firing
from app.directory.kinds import Service
from app.directory.models import FocalPoint
from app.figures.own_figures_feed_queries import ME, Span, run_query
from app.handovers.lifecycle import EVENTS as HANDOVER_EVENTS
from app.handovers.lifecycle import Action as HandoverAction
from app.kernel.actors import Relation
from app.kernel.journal import Delivery, Entry
from app.kernel.transactions import ReadTransaction
from app.referrals.lifecycle import EVENTS as REFERRAL_EVENTS
from app.referrals.lifecycle import Action as ReferralAction
from app.referrals.models import Referral
from app.returns import queries as return_queries
from app.returns.lifecycle import EVENTS as RETURN_EVENTS
from app.returns.lifecycle import Action as ReturnAction

LEAD_DECLINED: Final = CASE_EVENTS[CaseAction.DECLINE_LEAD]
SUBMITTED: Final = CASE_EVENTS[CaseAction.SUBMIT]
SENT: Final = REFERRAL_EVENTS[ReferralAction.SEND]
STARTED: Final = REFERRAL_EVENTS[ReferralAction.START]
CONSENT_WITHDRAWN: Final = "consent.withdrawn"
DECLINES: Final = frozenset(
    {
        LEAD_DECLINED,
        REFERRAL_EVENTS[ReferralAction.DECLINE],
        REFERRAL_EVENTS[ReferralAction.REDIRECT],
        HANDOVER_EVENTS[HandoverAction.DECLINE],
    }
)
"""The events with which an office declines or redirects a request."""
DECISIONS: Final = DECLINES | {
    CASE_EVENTS[CaseAction.ACCEPT_LEAD],
    CASE_EVENTS[CaseAction.ASSIGN],
    REFERRAL_EVENTS[ReferralAction.ACCEPT],
    HANDOVER_EVENTS[HandoverAction.ACCEPT],
}
"""The events with which an office decides on a request. A desk decides by assigning."""
ACKNOWLEDGEMENTS: Final = frozenset(
    {
        CASE_EVENTS[CaseAction.ACKNOWLEDGE],
        REFERRAL_EVENTS[ReferralAction.ACKNOWLEDGE],
    }
)
ANSWER_EVENTS: Final = DECISIONS | ACKNOWLEDGEMENTS | {REFERRAL_EVENTS[ReferralAction.ASK]}
"""The events with which an office answers a request and so ends its deadline."""
RETURN_ENDS: Final = frozenset(
    RETURN_EVENTS[action]
    for action in (
        ReturnAction.NO_GO,
        ReturnAction.CALL_OFF,
        ReturnAction.FINISH,
        ReturnAction.END,
    )
)
WITHOUT_HELP: Final = sorted(
    REFERRAL_EVENTS[action]
    for action in (ReferralAction.WITHDRAW, ReferralAction.REVOKE, ReferralAction.EXPIRE)
)
COUNTED: Final = DECLINES | RETURN_ENDS | {SENT, CONSENT_WITHDRAWN}
LEAD_MISSES: Final = frozenset(
    rule.event
    for (noun, _), rule in LATENESS_RULES.items()
    if noun == Noun.CASE and rule.event
)
"""The events of missed deadlines of the office that holds a case."""
NO_TASKS: Final = (DeadlineKind.CONSENT_ENDS, DeadlineKind.EMERGENCY_ACCESS_ENDS)
"""Kinds of deadlines that nobody can miss. A person, for example, may refuse a consent."""
REQUESTED: Final = (
    Relation.CANDIDATE,
    Relation.DESK,
    Relation.RECIPIENT,
    Relation.HANDOVER_CANDIDATE,
)
"""The relations that begin with a request to an office."""
START: Final[BindParameter[datetime]] = bindparam("start")
END: Final[BindParameter[datetime]] = bindparam("end")
CLOSED: Final[BindParameter[datetime]] = bindparam("closed")
FACTS: Final = type_coerce(Entry.facts, JSON)
BEGAN: Final = and_(Clock.waits_on == ME, Clock.set_at >= START, Clock.set_at < END)
"""The deadlines of the office that began in the period."""
OVERDUE: Final = Clock.stopped_at.is_(None) & (Clock.due_at < bindparam("now"))
MISSED: Final = ((Clock.stopped_at > Clock.due_at) | OVERDUE) & ~return_queries.IS_POSTPONED
IS_MISSED: Final = case((MISSED, 1), else_=0)
REQUESTED_AT: Final = (
    select(func.max(Party.since))
    .where(Party.case_id == Clock.case_id, Party.focal_point_id == ME)
    .where(Party.record_id == Clock.record_id, Party.relation.in_(REQUESTED))
    .where(Party.since <= Clock.stopped_at)
    .correlate(Clock)
    .scalar_subquery()
)
OWN_ANSWER: Final = (
    select(Entry.type)
    .where(Entry.case_id == Clock.case_id, Entry.record_id == Clock.record_id)
    .where(Entry.at == Clock.stopped_at, Entry.focal_point_id == ME)
    .where(Entry.type.in_(sorted(ANSWER_EVENTS)))
    .where((Clock.kind == DeadlineKind.ACKNOWLEDGE) | Entry.type.not_in(ACKNOWLEDGEMENTS))
    .order_by(Entry.type.not_in(ACKNOWLEDGEMENTS))
    .limit(1)
    .correlate(Clock)
    .scalar_subquery()
)
"""The event with which the office ended a deadline, or null.

An acknowledgement comes first, because a decision can follow it at the same instant.
"""
LIST_REQUESTS: Final = (
    select(Clock.kind, OWN_ANSWER, Referral.service, IS_MISSED)
    .add_columns(Clock.stopped_at, REQUESTED_AT)
    .select_from(Clock)
    .outerjoin(Referral, Referral.id == Clock.record_id)
    .where(BEGAN, Clock.kind.in_(sorted(ASKED)))
)
COUNT_DEADLINES: Final = (
    select(Clock.kind, func.count(), func.sum(IS_MISSED))
    .where(BEGAN, Clock.kind.not_in(NO_TASKS))
    .group_by(Clock.kind)
    .order_by(Clock.kind)
)


def select_heard(*columns: Any) -> Select[*tuple[Any, ...]]:
    """Select columns of the feed entries of the office in the period."""
    return (
        select(*columns)
        .select_from(Delivery)
        .join(Entry, Entry.id == Delivery.entry_id)
        .where(Delivery.focal_point_id == ME)
        .where(Delivery.position >= bindparam("low"), Delivery.position < bindparam("high"))
        .where(Entry.at >= START, Entry.at < END)
    )


IS_OWN: Final = case((Entry.focal_point_id == ME, 1), else_=0)
REFERRED: Final = case(((IS_OWN == 1) & (Entry.type == SENT), Entry.case_id))
"""The case of an entry for a referral that the office sent; otherwise null."""
HEARD: Final = (
    Entry.type,
    IS_OWN.label("is_own"),
    FACTS["reason"].as_string().label("reason"),
    FACTS["state"].as_string().label("state"),
    REFERRED.label("referred"),
)
COUNT_EVENTS: Final = (
    select_heard(*HEARD, func.count())
    .where(Entry.type.in_(sorted(COUNTED)))
    .group_by(
        *(
            literal_column(name)
            for name in ("type", "is_own", "reason", "state", "referred")
        )
    )
)
Asked, AskedDelivery = aliased(Entry), aliased(Delivery)
LIST_SHELTERED: Final = (
    select_heard(Asked.at, Entry.at)
    .join(Asked, (Asked.case_id == Entry.case_id) & (Asked.record_id == Entry.record_id))
    .where(Entry.type == STARTED, FACTS["service"].as_string() == Service.SHELTER)
    .where(Asked.type == SENT)
    .where(
        exists().where(
            AskedDelivery.entry_id == Asked.id, AskedDelivery.focal_point_id == ME
        )
    )
)
COUNT_OFFICES: Final = (
    select_heard(FocalPoint.code, func.count())
    .join(Firing, (Firing.case_id == Entry.case_id) & (Firing.at == Entry.at))
    .join(FocalPoint, FocalPoint.id == Firing.waits_on)
    .where(Entry.type.in_(sorted(LEAD_MISSES)), Entry.record_id == Entry.case_id)
    .where(Firing.record_id == Entry.case_id, Firing.waits_on != ME)
    .group_by(FocalPoint.code)
    .order_by(FocalPoint.code)
)
HAS_LEAD: Final = exists().where(
    Party.case_id == Entry.case_id, Party.relation == Relation.LEAD, Party.since < CLOSED
)
COUNT_CASES: Final = (
    select_heard(FocalPoint.code, func.count(), func.sum(case((HAS_LEAD, 0), else_=1)))
    .join(FocalPoint, FocalPoint.id == Entry.focal_point_id)
    .where(Entry.type == SUBMITTED)
    .group_by(FocalPoint.code)
)
Ending = aliased(Entry)
HAS_ENDED: Final = (
    exists()
    .where(Ending.case_id == Asked.case_id, Ending.record_id == Asked.record_id)
    .where(Ending.type.in_(WITHOUT_HELP), Ending.at < CLOSED)
)
COUNT_REFERRALS: Final = (
    select_heard(FocalPoint.code, func.count(), func.sum(case((HAS_ENDED, 1), else_=0)))
    .join(Asked, Asked.case_id == Entry.case_id)
    .join(FocalPoint, FocalPoint.id == Asked.focal_point_id)
    .where(Entry.type == SUBMITTED, Asked.type == SENT, Asked.at < CLOSED)
    .group_by(FocalPoint.code)
)
"""The referrals of the submitted cases, by the office that sent them."""


@dataclass(frozen=True, slots=True)
class Request:
    """A deadline to answer a request, and the answer of the office, if there is one."""

    kind: DeadlineKind
    answer: str | None
    service: Service | None
    is_late: int
    ended_at: datetime | None
    requested_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeadlineCount:
    """How many deadlines of a kind began in a period, and how many were missed."""

    kind: DeadlineKind
    count: int
    missed: int


@dataclass(frozen=True, slots=True)
class EventCount:
    """The number of events in the feed with the same values in all other fields."""

    type: str
    is_own: int
    reason: str | None
    state: str | None
    referred: UUID | None
    count: int


def list_requests(tx: ReadTransaction, span: Span) -> list[Request]:
    """List the deadlines to answer a request that began in the period."""
    return [Request(*row) for row in run_query(tx, LIST_REQUESTS, span)]


def count_deadlines(tx: ReadTransaction, span: Span) -> list[DeadlineCount]:
    """Count the deadlines that began in the period, by kind."""
    return [DeadlineCount(*row) for row in run_query(tx, COUNT_DEADLINES, span)]


def count_events(tx: ReadTransaction, span: Span) -> list[EventCount]:
    """Count the events of the types that the figures need, in the feed of the period."""
    return [EventCount(*row) for row in run_query(tx, COUNT_EVENTS, span)]


def list_sheltered(tx: ReadTransaction, span: Span) -> list[timedelta]:
    """List the time from each referral for shelter to the meeting with the person."""
    return [met_at - asked_at for asked_at, met_at in run_query(tx, LIST_SHELTERED, span)]


def count_offices(tx: ReadTransaction, span: Span) -> dict[str, int]:
    """Count the missed deadlines of other holders of cases in the feed, by office code."""
    return {str(code): int(missed) for code, missed in run_query(tx, COUNT_OFFICES, span)}


def count_requests(
    tx: ReadTransaction, requests: Select[*tuple[Any, ...]], span: Span, closed: datetime
) -> dict[str, tuple[int, int]]:
    """Count `COUNT_CASES` or `COUNT_REFERRALS`, all and those without help, by office.

    What happens from `closed` on does not change the numbers.
    """
    found = run_query(tx, requests, span, closed=closed)
    return {code: (count, without) for code, count, without in found}
