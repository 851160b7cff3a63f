"""An office's own figures, such as its answer times, declines and open work."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func

from app.cases.approvals import OVERSIGHT_APPROVERS
from app.casework.acting import require_role
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.directory import queries as directory_queries
from app.directory.calendars import Calendar
from app.directory.kinds import OfficeKind, Service
from app.feed.worklist import select_tasks
from app.figures import own_figures_queries as queries
from app.figures.own_figures_feed_queries import Span, find_span
from app.figures.own_figures_queries import EventCount, Request
from app.figures.own_figures_rules import (
    MEDIAN,
    NINETIETH,
    WATCHED,
    Period,
    count_by_age,
    find_percentile,
    is_unusual,
)
from app.figures.own_figures_schemas import (
    AgeFigures,
    AnswerFigures,
    DeadlineFigures,
    DurationFigures,
    OfficeFigures,
    OwnFigures,
    PeriodQuery,
    ReasonFigures,
    ReferralFigures,
    ReturnFigures,
    SenderFigures,
)
from app.figures.queries import SETTLING
from app.kernel.actors import Role
from app.kernel.instants import get_monday
from app.kernel.transactions import ReadTransaction
from app.returns import arrivals
from app.returns.lifecycle import State as ReturnState

READERS: Final = frozenset({Role.COORDINATOR, Role.SUPERVISOR, Role.PROTECTION_OFFICER})
"""The roles that may read their office's own figures. Each also allows `feed:read`."""


def load_own_figures(tx: ReadTransaction, query: PeriodQuery) -> OwnFigures:
    """Return the figures of the caller's office for a period.

    Raises RoleMissing (403) or PeriodInvalid (422).
    """
    require_role(tx, READERS)
    office = tx.actor.focal_point_id
    place = deadline_queries.find_place(tx, office)
    calendar = place.get_calendar(tx.now)
    period = Period.build(query.first, query.last, calendar.to_local(tx.now).date())
    span = load_span(tx, period, calendar)
    requests = queries.list_requests(tx, span)
    events = queries.count_events(tx, span)
    return OwnFigures(
        first_day=period.first,
        last_day=period.last,
        time_zone=place.time_zone,
        acknowledged=measure_durations(list_acknowledgements(requests)),
        decided=measure_durations(list_decisions(requests)),
        sheltered=measure_durations(queries.list_sheltered(tx, span)),
        answers=count_answers(requests),
        own_declines=count_declines(e for e in events if e.is_own),
        declines_received=count_declines(e for e in events if is_received(e)),
        deadlines=[
            DeadlineFigures(kind=one.kind, count=one.count, missed=one.missed)
            for one in queries.count_deadlines(tx, span)
        ],
        referrals=count_referrals(events),
        consents_withdrawn=sum(
            e.count for e in events if e.type == queries.CONSENT_WITHDRAWN
        ),
        returns=count_returns(events),
        open_work=count_open_work(tx),
        offices=count_offices(tx, span),
        senders=list_senders(tx, calendar),
    )


def load_span(tx: ReadTransaction, period: Period, calendar: Calendar) -> Span:
    """Return the instants and the feed positions between which a period lies."""
    start = calendar.to_utc(datetime.combine(period.first, time()))
    end = calendar.to_utc(datetime.combine(period.last + timedelta(days=1), time()))
    return find_span(tx, start, end)


def list_acknowledgements(requests: Iterable[Request]) -> list[timedelta]:
    """List how long each answered request waited for the first answer of the office."""
    first = (one for one in requests if one.kind == DeadlineKind.ACKNOWLEDGE)
    return list_durations(one for one in first if one.answer is not None)


def list_decisions(requests: Iterable[Request]) -> list[timedelta]:
    """List how long each decided request waited for the decision of the office."""
    return list_durations(one for one in requests if one.answer in queries.DECISIONS)


def list_durations(requests: Iterable[Request]) -> list[timedelta]:
    """List the time from each request to its end; requests without an end are left out."""
    return [
        one.ended_at - one.requested_at
        for one in requests
        if one.ended_at is not None and one.requested_at is not None
    ]


def measure_durations(durations: Iterable[timedelta]) -> DurationFigures:
    """Return the count, the median and the 90th percentile of durations."""
    ascending = sorted(durations)
    return DurationFigures(
        count=len(ascending),
        median_seconds=find_seconds(ascending, MEDIAN),
        percentile_90_seconds=find_seconds(ascending, NINETIETH),
    )


def find_seconds(ascending: Sequence[timedelta], percent: int) -> int | None:
    """Return a percentile of durations in whole seconds, or None if there are none."""
    found = find_percentile(ascending, percent)
    return None if found is None else round(found.total_seconds())


def count_answers(requests: Iterable[Request]) -> list[AnswerFigures]:
    """Count the deadlines to answer a request that were met or missed, by service."""
    late = Counter[Service | None]()
    in_time = Counter[Service | None]()
    for one in requests:
        if one.is_late:
            late[one.service] += 1
        elif one.answer is not None:
            in_time[one.service] += 1
    services = sorted(late.keys() | in_time.keys(), key=lambda service: service or "")
    return [
        AnswerFigures(service=one, in_time=in_time[one], late=late[one]) for one in services
    ]


def is_received(event: EventCount) -> bool:
    """Return whether an event of another office may be counted with its reason.

    An event that declines the lead is left out, because its reason may reveal a fear.
    """
    return not event.is_own and event.type != queries.LEAD_DECLINED


def count_declines(events: Iterable[EventCount]) -> list[ReasonFigures]:
    """Count declined requests by reason, most frequent reason first."""
    counts = Counter[str | None]()
    for event in events:
        if event.type in queries.DECLINES:
            counts[event.reason] += event.count
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))
    return [ReasonFigures(reason=reason, count=count) for reason, count in ranked]


def count_referrals(events: Iterable[EventCount]) -> ReferralFigures:
    """Count the referrals that the office sent, and the cases in which it sent them."""
    sent = [event for event in events if event.referred is not None]
    return ReferralFigures(
        sent=sum(event.count for event in sent),
        cases=len({event.referred for event in sent}),
    )


def count_returns(events: Iterable[EventCount]) -> list[ReturnFigures]:
    """Count the returns that have ended, by final state."""
    counts = Counter[ReturnState]()
    for event in events:
        if event.type in queries.RETURN_ENDS and event.state is not None:
            counts[ReturnState(event.state)] += event.count
    return [
        ReturnFigures(outcome=one, count=counts[one]) for one in ReturnState if counts[one]
    ]


def count_open_work(tx: ReadTransaction) -> list[AgeFigures]:
    """Count the cases with open tasks of the office, by age of the earliest deadline."""
    moved = arrivals.list_waiting(tx)
    oldest = select_tasks(tx, moved, Clock.case_id, func.min(Clock.due_at))
    due: dict[UUID, datetime] = {one.case_id: one.due_at for one in moved}
    for case_id, due_at in tx.session.execute(oldest.group_by(Clock.case_id)):
        due[case_id] = min(due_at, due.get(case_id, due_at))
    counts = count_by_age(due.values(), tx.now)
    return [AgeFigures(age=age, cases=cases) for age, cases in counts.items()]


def count_offices(tx: ReadTransaction, span: Span) -> list[OfficeFigures]:
    """Count, for a desk, the missed deadlines in cases that it takes part in, by office.

    A desk knows which office holds such a case, and receives an event for each deadline
    that the office misses. Other offices get an empty list.
    """
    if directory_queries.by_id(tx, tx.actor.focal_point_id).kind != OfficeKind.DESK:
        return []
    counts = queries.count_offices(tx, span)
    return [OfficeFigures(focal_point=code, missed=count) for code, count in counts.items()]


def list_senders(tx: ReadTransaction, calendar: Calendar) -> list[SenderFigures]:
    """List, for oversight, the offices whose requests unusually often ended without help.

    The weeks are closed, and do not depend on the period that the caller asks for. Nobody
    else learns whether an office is listed.
    """
    office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    if office.kind != OfficeKind.OVERSIGHT or not tx.actor.roles & OVERSIGHT_APPROVERS:
        return []
    end = get_monday(calendar.to_local(tx.now - SETTLING).date())
    span = load_span(tx, Period(end - WATCHED, end - timedelta(days=1)), calendar)
    cases, referrals = (
        queries.count_requests(tx, one, span, span.end + SETTLING)
        for one in (queries.COUNT_CASES, queries.COUNT_REFERRALS)
    )
    found = (
        (code, cases.get(code, (0, 0)), referrals.get(code, (0, 0)))
        for code in sorted(cases.keys() | referrals.keys())
    )
    return [
        SenderFigures(
            focal_point=code,
            cases=submitted,
            cases_without_lead=without_lead,
            referrals=sent,
            referrals_without_help=without_help,
        )
        for code, (submitted, without_lead), (sent, without_help) in found
        if is_unusual(submitted, without_lead) or is_unusual(sent, without_help)
    ]
