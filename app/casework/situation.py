"""Load the data that is needed to check actions on cases and to show cases to a party."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.cases import queries as case_queries
from app.cases.grants import Grant
from app.cases.lifecycle import Row, State, get_stage
from app.cases.models import Case
from app.cases.records import SummarySnapshot
from app.cases.schemas import Risk, Summary
from app.cases.sections import Section
from app.cases.snapshots import Snapshot, read_lead_and_holder
from app.casework.available_actions import ActionRecords, list_actions, load_records
from app.casework.failing_leads import is_submitter_gone
from app.casework.missed_outcomes import find_next_offices, find_outcome
from app.casework.needs import RULES, Facts, Terms
from app.casework.schemas import AvailableCaseAction, CaseOut
from app.casework.successors import Succession, find_successions
from app.consents import standing
from app.consents.standing import Standing
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind, Service
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

    grants: Mapping[UUID, frozenset[Grant]]
    standings: Mapping[UUID, Standing]
    clocks: Mapping[UUID, Clock]
    sections: Mapping[UUID, list[tuple[str, UUID]]]
    referrals: Mapping[UUID, list[ReferralState]]
    offered: AbstractSet[UUID]
    returning: Collection[UUID]
    handed_on: Mapping[UUID, SummarySnapshot]
    snapshots: Mapping[UUID, Snapshot]
    successions: Mapping[UUID, Succession]
    asked_of_me: Mapping[UUID, set[Service]]
    continuing: Mapping[UUID, str]
    codes: Mapping[UUID, str]
    records: ActionRecords
    next_offices: Mapping[UUID, FocalPoint]
    reader: FocalPoint


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
        nothing_sent=not any(p.relation == Relation.RECIPIENT for p in case.parties),
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
    reader = directory_queries.by_id(tx, tx.actor.focal_point_id)
    ids = [case.id for case in found]
    grants = {case.id: case.get_grants(reader.id) for case in found}
    snapshots = {
        case.id: snapshot
        for case in found
        if Grant.AS_ASKED in grants[case.id] and (snapshot := case.get_snapshot(reader.id))
    }
    outside = [case.id for case in found if is_shown_copy(case, reader.id)]
    in_state = grants if reader.kind == OfficeKind.STATE else {}
    helping = [
        case_id
        for case_id, granted in in_state.items()
        if (Grant.SUMMARY in granted or case_id in snapshots)
        and Grant.ALL_SERVICES not in granted
    ]
    requested = referral_queries.list_requested_services(tx, helping) if helping else {}
    standings = standing.load_for_cases(tx, found)
    duplicates = [case for case in found if Grant.CONTINUES_IN in grants[case.id]]
    next_leads = (standings[i] for i in ids if Grant.NEXT_LEAD in grants[i])
    return Context(
        grants=grants,
        standings=standings,
        clocks=deadline_queries.find_running(tx, ids),
        sections=case_queries.list_written_sections(tx, ids),
        referrals=referral_queries.list_states(tx, ids),
        offered=handover_queries.find_cases_on_offer(tx, ids),
        returning=return_queries.list_open(tx, ids),
        handed_on=case_queries.load_snapshots(tx, outside) if outside else {},
        snapshots=snapshots,
        successions=find_successions(tx, next_leads),
        asked_of_me=requested,
        continuing=case_queries.get_continuing_codes(tx, duplicates),
        codes=load_codes(tx, found, snapshots.values()),
        records=load_records(tx, found),
        next_offices=find_next_offices(tx, standings.values(), reader),
        reader=reader,
    )


def load_codes(
    tx: ReadTransaction, found: Iterable[Case], snapshots: Iterable[Snapshot]
) -> dict[UUID, str]:
    """Load the codes of the offices that are named in cases and in snapshots of cases."""
    named = {one for case in found for one in (case.holder, case.submitter)}
    named |= {one for kept in snapshots for one in read_lead_and_holder(kept)}
    return directory_queries.get_codes(tx, filter(None, named))


def check_requirements(
    tx: ReadTransaction, case: Case, row: Row, terms: Terms | None = None
) -> Facts:
    """Return the facts for a step, or raise NeedsUnmet (409) if a requirement is unmet."""
    facts = load_facts(tx, case, terms)
    RULES.require(row, facts)
    return facts


def load_facts(tx: ReadTransaction, case: Case, terms: Terms | None = None) -> Facts:
    """Load the facts from which the requirements of one case are checked."""
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
    context = load_context(tx, found)
    return [show_case(tx, case, context) for case in found]


def show_case(tx: ReadTransaction, case: Case, context: Context) -> CaseOut:
    """Return a case as the caller may see it according to the table of grants.

    A submitter that has handed the case on does not see the next deadline, because it would
    reveal how great the danger is, and when the person is visited.
    """
    reader = tx.actor.focal_point_id
    mine, granted = case.list_relations(reader), context.grants[case.id]
    asked = context.snapshots.get(case.id)
    state = State(asked["state"]) if asked and Grant.STATE not in granted else case.state
    sought = Grant.STATE in granted and case.suspended_while_referring
    lead, holder = find_lead_and_holder(case, granted, asked)
    clock = context.clocks.get(case.id) if Grant.DUE_AT in granted else None
    risk = context.standings[case.id].risk if Grant.WRITTEN in granted else None
    closed = case.closure_reason if Grant.CLOSURE_REASON in granted else None
    after = context.successions.get(case.id, Succession())
    other = case.continues_in if Grant.CONTINUES_IN in granted else None
    return CaseOut(
        code=case.code,
        you_are=sorted(mine or case.list_all_relations(reader)),
        stage=get_stage(state, suspended_while_referring=sought),
        state=state,
        summary=get_summary(case, context),
        lead=context.codes[lead] if lead else None,
        holder=context.codes[holder] if holder else None,
        next_lead=after.next_lead,
        submitter=context.codes[case.submitter] if Grant.SUBMITTER in granted else None,
        risk=Risk.model_validate(risk) if risk else None,
        sections=list_written_sections(case, context),
        closure_reason=closed,
        continues_in=context.continuing.get(other) if other else None,
        due_at=clock.due_at if clock else None,
        if_missed=find_outcome(case, clock, context.next_offices.get(case.id)),
        version=case.version if Grant.WRITTEN in granted else None,
        available_actions=list_shown_actions(tx, case, context, clock, state),
    )


def find_lead_and_holder(
    case: Case, granted: AbstractSet[Grant], asked: Snapshot | None
) -> tuple[UUID | None, UUID | None]:
    """Return the current lead and holder or, if these are hidden, those in the snapshot."""
    if Grant.LEAD in granted:
        return case.with_relation(Relation.LEAD), case.holder
    return read_lead_and_holder(asked) if asked else (None, None)


def get_summary(case: Case, context: Context) -> Summary:
    """Return the summary that the reader may see: the current one, or an earlier copy.

    The copy was stored when the case was handed on or a travel document was requested. A
    recipient that may belong to the State of origin sees only the services in its referrals
    and in its own copy, because another service may be asylum (BR10).
    """
    kept, granted = context.handed_on.get(case.id), context.grants[case.id]
    copy = Summary.model_validate(kept) if kept else None
    summary, asked = Summary.model_validate(case), context.asked_of_me.get(case.id)
    if Grant.SUMMARY not in granted:
        snapshot = context.snapshots.get(case.id)
        if snapshot is None:
            return copy or summary
        summary = Summary.model_validate(snapshot["notice"])
    if asked is None or not context.standings[case.id].may_belong_to_origin_state(
        context.reader
    ):
        return summary
    own = {
        name: sorted(
            {service for service in getattr(summary, name) if service in asked}
            | set(getattr(copy, name) if copy else ())
        )
        for name in ("services", "urgent_needs")
    }
    return summary.model_copy(update=own)


def is_shown_copy(case: Case, reader: UUID) -> bool:
    """Return whether a reader is the submitter and is shown a stored summary (R12)."""
    return reader == case.submitter and not case.is_granted_to_submitter(Grant.SUMMARY)


def list_written_sections(case: Case, context: Context) -> list[Section]:
    """List the sections with content. A reader without the grant gets only its own."""
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
