"""Load the data that is needed to check actions on cases and to show cases to a party."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.cases import queries as case_queries
from app.cases.grants import Grant
from app.cases.lifecycle import Row, State
from app.cases.models import Case
from app.cases.schemas import Risk
from app.cases.sections import Section
from app.casework import case_files
from app.casework.available_actions import ActionRecords, list_actions, load_records
from app.casework.failing_leads import is_submitter_gone
from app.casework.missed_outcomes import find_next_offices, find_outcome
from app.casework.needs import RULES, Facts, Terms
from app.casework.overviews import OverviewData, build_overview
from app.casework.schemas import AvailableCaseAction, CaseOut
from app.casework.successors import Succession, find_successions
from app.consents import standing
from app.consents.standing import Standing
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.directory import queries as directory_queries
from app.directory.models import FocalPoint
from app.handovers import queries as handover_queries
from app.kernel.actors import Relation
from app.kernel.transactions import ReadTransaction
from app.referrals import lifecycle as referral_lifecycle
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import State as ReferralState
from app.returns import queries as return_queries

REQUIRED_FIELDS: Final = ("country", "age_class", "language", "priority", "safe_contact")


@dataclass(frozen=True)
class Context:
    """The data that is needed to show a page of cases, loaded with a few statements."""

    overviews: OverviewData
    standings: Mapping[UUID, Standing]
    clocks: Mapping[UUID, Clock]
    sections: Mapping[UUID, list[tuple[str, UUID]]]
    referrals: Mapping[UUID, list[ReferralState]]
    offered: AbstractSet[UUID]
    returning: Collection[UUID]
    successions: Mapping[UUID, Succession]
    continuing: Mapping[UUID, str]
    records: ActionRecords
    next_offices: Mapping[UUID, FocalPoint]

    @property
    def grants(self) -> Mapping[UUID, frozenset[Grant]]:
        """The rights of the caller's office, by case."""
        return self.overviews.grants

    @property
    def reader(self) -> FocalPoint:
        """The caller's office."""
        return self.overviews.reader


def build_facts(  # noqa: PLR0913 - each parameter is one fact
    stands: Standing,
    states: Sequence[ReferralState],
    reader: FocalPoint,
    terms: Terms | None = None,
    *,
    review_by: datetime | None = None,
    succession: Succession | None = None,
    lead_on_offer: bool,
    returning: bool,
    submitter_gone: bool,
) -> Facts:
    """Build the facts from which the requirements of a case are checked for an office."""
    case, after = stands.case, succession or Succession()
    return Facts(
        now=stands.now,
        review_by=review_by,
        notice_complete=all(getattr(case, name) is not None for name in REQUIRED_FIELDS),
        may_be_referred=stands.may_be_referred(),
        child_path=stands.facts.interests_are_assessed,
        vital_interest=stands.in_vital_interest,
        recipient_safe=stands.is_safe(reader, reader.code),
        risk_current=stands.has_current_risk(),
        nothing_sent=not case.relocated_at
        and not any(p.relation == Relation.RECIPIENT for p in case.parties),
        nothing_open=not lead_on_offer and referral_lifecycle.OPEN.isdisjoint(states),
        return_over=not returning,
        helped=not referral_lifecycle.HELPED.isdisjoint(states),
        with_candidate=case.with_relation(Relation.LEAD) is None,
        lead_failing=after.lead_fails,
        next_lead_named=after.next_lead is not None,
        submitter_gone=submitter_gone,
        legal_hold=stands.facts.legal_hold,
        may_be_child=case.may_be_child_to(reader.id),
        terms=terms or Terms(),
        offer_open=lead_on_offer,
    )


def load_context(tx: ReadTransaction, found: Sequence[Case]) -> Context:
    """Load the data that is needed to show a page of cases."""
    overviews = OverviewData.load(tx, found)
    ids, grants = [case.id for case in found], overviews.grants
    standings = standing.load_for_cases(tx, found)
    duplicates = [case for case in found if Grant.CONTINUES_IN in grants[case.id]]
    next_leads = (standings[i] for i in ids if Grant.NEXT_LEAD in grants[i])
    return Context(
        overviews=overviews,
        standings=standings,
        clocks=deadline_queries.find_running(tx, ids),
        sections=case_queries.list_written_sections(tx, ids),
        referrals=referral_queries.list_states(tx, ids),
        offered=handover_queries.find_cases_on_offer(tx, ids),
        returning=return_queries.list_open(tx, ids),
        successions=find_successions(tx, next_leads),
        continuing=case_queries.get_continuing_codes(tx, duplicates),
        records=load_records(tx, found),
        next_offices=find_next_offices(tx, standings.values(), overviews.reader),
    )


def check_requirements(
    tx: ReadTransaction, case: Case, row: Row, terms: Terms | None = None
) -> Facts:
    """Return the facts for a step, or raise NeedsUnmet (409) if a requirement is unmet."""
    facts = load_facts(tx, case, terms)
    RULES.require(row, facts)
    return facts


def load_facts(tx: ReadTransaction, case: Case, terms: Terms | None = None) -> Facts:
    """Load the facts from which the requirements of one case are checked."""
    case_files.load_rule_records(tx, [case.id])
    states = referral_queries.list_states(tx, [case.id]).get(case.id, [])
    reader = directory_queries.by_id(tx, tx.actor.focal_point_id)
    stands = standing.load_for_case(tx, case)
    offered = handover_queries.find_cases_on_offer(tx, [case.id])
    known = [stands] if Grant.NEXT_LEAD in case.get_grants(reader.id) else []
    return build_facts(
        stands,
        states,
        reader,
        terms,
        review_by=compute_review_limit(tx, case) if terms and terms.review_at else None,
        succession=find_successions(tx, known).get(case.id),
        lead_on_offer=bool(offered),
        returning=bool(return_queries.list_open(tx, [case.id])),
        submitter_gone=is_submitter_gone(tx, case),
    )


def compute_review_limit(tx: ReadTransaction, case: Case) -> datetime:
    """Return the latest date for the review of a suspended case (D10)."""
    kind, holder = DeadlineKind.REVIEW, case.holder
    return deadline_queries.compute_due_at(tx, kind, case, waits_on=holder)


def show_cases(tx: ReadTransaction, found: Sequence[Case]) -> list[CaseOut]:
    """Return cases as the caller may see them now."""
    if not found:  # the usual result of polling
        return []
    case_files.load_rule_records(tx, [case.id for case in found])
    context = load_context(tx, found)
    return [show_case(tx, case, context) for case in found]


def show_case(tx: ReadTransaction, case: Case, context: Context) -> CaseOut:
    """Return a case as the caller may see it according to the table of grants.

    A submitter that has handed the case on does not see the next deadline, because it would
    reveal how great the danger is, and when the person is visited.
    """
    reader = tx.actor.focal_point_id
    mine, granted = case.list_relations(reader), context.grants[case.id]
    overview = build_overview(case, context.overviews)
    clock = context.clocks.get(case.id) if Grant.DUE_AT in granted else None
    risk = context.standings[case.id].risk if Grant.WRITTEN in granted else None
    closed = case.closure_reason if Grant.CLOSURE_REASON in granted else None
    after = context.successions.get(case.id, Succession())
    other = case.continues_in if Grant.CONTINUES_IN in granted else None
    return CaseOut(
        code=case.code,
        you_are=sorted(mine or case.list_all_relations(reader)),
        stage=overview.stage,
        state=overview.state,
        summary=overview.summary,
        lead=overview.lead,
        holder=overview.holder,
        next_lead=after.next_lead,
        submitter=overview.submitter,
        risk=Risk.model_validate(risk) if risk else None,
        sections=list_written_sections(case, context),
        closure_reason=closed,
        continues_in=context.continuing.get(other) if other else None,
        due_at=clock.due_at if clock else None,
        if_missed=find_outcome(case, clock, context.next_offices.get(case.id)),
        version=case.version if Grant.WRITTEN in granted else None,
        available_actions=list_shown_actions(tx, case, context, clock, overview.state),
    )


def list_written_sections(case: Case, context: Context) -> list[Section]:
    """List the written sections that may be named to the reader: all, or only its own."""
    reader, kept = context.reader.id, context.sections.get(case.id, [])
    every = Grant.WRITTEN in context.grants[case.id]
    mine = {kind for kind, author in kept if every or author == reader}
    return [section for section in Section if section in mine]


def list_shown_actions(
    tx: ReadTransaction, case: Case, context: Context, clock: Clock | None, state: State
) -> list[AvailableCaseAction]:
    """List the reader's actions on a case, given the deadline and state that are shown."""
    stands, reader = context.standings[case.id], context.reader
    facts = build_facts(
        stands,
        context.referrals.get(case.id, []),
        reader,
        succession=context.successions.get(case.id),
        lead_on_offer=case.id in context.offered,
        returning=case.id in context.returning,
        submitter_gone=is_submitter_gone(tx, case),
    )
    return list_actions(tx, stands, reader, facts, context.records, clock, state)
