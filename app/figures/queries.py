"""Queries for cases, referrals, handovers and returns, to count a week (ADR 73)."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, bindparam, select

from app.cases import queries as case_queries
from app.cases import statements
from app.cases.lifecycle import EVENTS as CASE_EVENTS
from app.cases.lifecycle import Action as CaseAction
from app.cases.lifecycle import State
from app.cases.models import Case, Sealed
from app.cases.records import SummarySnapshot
from app.cases.sections import Indicators, Needs, Section
from app.directory.kinds import is_serving
from app.figures.catalogue import Cell, ReturnDecision, TableName
from app.figures.counting import Counts, SubmittedCase
from app.figures.models import CountedWeek
from app.figures.weeks import WEEK, find_week
from app.handovers.lifecycle import EVENTS as HANDOVER_EVENTS
from app.handovers.lifecycle import Action as HandoverAction
from app.handovers.models import Handover
from app.kernel.journal import Entry
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import ReadTransaction
from app.kernel.vault import Unopenable
from app.referrals.lifecycle import EVENTS as REFERRAL_EVENTS
from app.referrals.lifecycle import Action as ReferralAction
from app.returns.lifecycle import Action
from app.returns.models import Done, Return

log = structlog.get_logger("safe_conduct.figures")
SETTLING: Final = timedelta(weeks=2)
"""The time after the end of a week in which cases of the week may still change."""
SUBMITTED: Final = CASE_EVENTS[CaseAction.SUBMIT]
STARTED: Final = REFERRAL_EVENTS[ReferralAction.START]
ACCEPTED: Final = HANDOVER_EVENTS[HandoverAction.ACCEPT]
DECISIONS: Final = {Action.GO: ReturnDecision.GO, Action.NO_GO: ReturnDecision.NO_GO}
"""The steps of a return that are counted."""
IDS: Final = make_list_parameter("cases")
COUNTED_CASES: Final = (
    select(Case, SummarySnapshot.country)
    .outerjoin(SummarySnapshot, SummarySnapshot.case_id == Case.id)
    .where(Case.id.in_(IDS), Case.continues_in.is_(None))
)
"""The cases with the country where the person was met. Duplicates are left out."""
STARTS: Final = (
    select(Entry.case_id, Entry.at, Entry.facts)
    .where(Entry.case_id.in_(IDS), Entry.type == STARTED, Entry.at < bindparam("until"))
    .order_by(Entry.at)
)
SECTIONS: Final = statements.WITH_KEY.where(
    Sealed.kind.in_((Section.NEEDS, Section.INDICATORS))
)

type Submissions = Mapping[UUID, datetime]
"""The time at which each case was submitted, by the id of the case."""


@dataclass
class Contents:
    """The opened sections of the counted cases, by the id of the case."""

    needs: dict[UUID, Needs] = field(default_factory=dict)
    indicators: dict[UUID, Indicators] = field(default_factory=dict)


def list_uncounted_weeks(tx: ReadTransaction) -> list[date]:
    """Return the Mondays of the weeks that can be counted and were not, oldest first.

    A week can be counted two weeks after its end. The first week is that of the first case.
    """
    submitted = select(Case.opened_at).where(Case.state != State.DRAFT)
    first = tx.session.scalar(submitted.order_by(Case.opened_at).limit(1))
    if first is None:
        return []
    counted = set(tx.session.scalars(select(CountedWeek.monday)))
    monday, last = find_week(first), find_week(tx.now - SETTLING) - WEEK
    weeks = []
    while monday <= last:
        if monday not in counted:
            weeks.append(monday)
        monday += WEEK
    return weeks


def list_submissions(
    tx: ReadTransaction, weeks: Collection[date]
) -> Mapping[date, Submissions]:
    """Return the cases that were submitted in the given weeks, by week."""
    since, until = get_instant(min(weeks)), get_instant(max(weeks) + WEEK)
    inside = (Entry.type == SUBMITTED) & (Entry.at >= since) & (Entry.at < until)
    found: dict[date, dict[UUID, datetime]] = {monday: {} for monday in weeks}
    for case_id, at in tx.session.execute(select(Entry.case_id, Entry.at).where(inside)):
        if find_week(at) in found:
            found[find_week(at)][case_id] = at
    return found


def get_instant(monday: date) -> datetime:
    """Return the instant at which a week begins."""
    return datetime.combine(monday, time(), UTC)


def find_counting_end(monday: date) -> datetime:
    """Return the instant after which nothing more is counted for a week."""
    return get_instant(monday + WEEK) + SETTLING


def read_cases(tx: ReadTransaction, submitted: Submissions) -> Iterator[SubmittedCase]:
    """Yield the values of a week's cases, except duplicates and cases without a country."""
    parameters = {"cases": list(submitted)}
    contents = open_contents(tx, parameters)
    started: dict[UUID, list[tuple[datetime, str]]] = {}
    until = {"until": find_counting_end(find_week(min(submitted.values())))}
    for case_id, at, facts in tx.session.execute(STARTS, parameters | until):
        started.setdefault(case_id, []).append((at, facts["service"]))
    for case, country in tx.session.execute(COUNTED_CASES, parameters).all():
        needs = contents.needs.get(case.id)
        signs = contents.indicators.get(case.id)
        begun = started.get(case.id, [])
        if where := country or case.country:
            yield SubmittedCase(
                country=where,
                age_class=case.age_class,
                gender=needs.gender if needs else None,
                exploitation=signs.exploitation if signs else [],
                asked=case.services,
                given=[service for _, service in begun],
                submitted_at=submitted[case.id],
                helped_at=begun[0][0] if begun else None,
            )


def open_contents(
    tx: ReadTransaction, parameters: Mapping[str, Sequence[UUID]]
) -> Contents:
    """Open the sections of the counted cases. They are used only for counting.

    A section that cannot be opened counts as missing, and is logged without its case.
    Sections of erased cases are left out.
    """
    contents = Contents()
    rows = tx.session.execute(SECTIONS, parameters).all()
    tx.kept_alive.update(key for _, key in rows)
    for document, key in rows:
        if key is None:  # the case was erased
            continue
        try:
            opened = case_queries.open_sealed(tx, document)
        except Unopenable:
            log.warning("figures.unopenable", section=document.kind)
            continue
        if document.kind == Section.NEEDS:
            contents.needs[document.case_id] = Needs.model_validate_json(opened)
        else:
            contents.indicators[document.case_id] = Indicators.model_validate_json(opened)
    return contents


def count_handovers(tx: ReadTransaction, monday: date) -> Counts:
    """Count the cases handed over across a border in a week, by the country of the case.

    A border is crossed if the two leads serve no common country.
    """
    lead = select(Entry.record_id).where(Entry.type == ACCEPTED, *is_in_week(Entry, monday))
    rows = select(Handover).where(Handover.id.in_(lead))
    crossed = {
        one.case_id: one.case.country
        for one in tx.session.scalars(rows)
        if not any(is_serving(one.successor, country) for country in one.lead.serves)
    }
    return count_by_country(TableName.HANDOVERS, ((c, ()) for c in crossed.values()))


def count_returns(tx: ReadTransaction, monday: date) -> Counts:
    """Count the decisions about returns in a week, by the country of the case."""
    rows = (
        select(Return.id, Done.action, Case.country)
        .join(Return, Return.id == Done.return_id)
        .join(Case, Case.id == Return.case_id)
        .where(Done.action.in_(DECISIONS), *is_in_week(Done, monday))
        .distinct()
    )
    decided = tx.session.execute(rows).all()
    return count_by_country(
        TableName.RETURNS,
        ((country, (DECISIONS[action],)) for _, action, country in decided),
    )


def is_in_week(table: type[Entry | Done], monday: date) -> Sequence[ColumnElement[bool]]:
    """Return the conditions for rows of a week."""
    return table.at >= get_instant(monday), table.at < get_instant(monday + WEEK)


def count_by_country(
    name: TableName, cells: Iterable[tuple[str | None, Cell]]
) -> dict[tuple[str, TableName], Counter[Cell]]:
    """Count how often each cell occurs, by country. Leave out cells without a country."""
    counts: dict[tuple[str, TableName], Counter[Cell]] = {}
    for country, cell in cells:
        if country:
            counts.setdefault((country, name), Counter())[cell] += 1
    return counts
