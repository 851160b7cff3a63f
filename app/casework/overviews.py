"""The overview of a case: its state, summary and offices, as the caller may see them.

Lists that show only overviews load them for a page of cases with a few statements.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from app.cases import queries as case_queries
from app.cases import rule_documents
from app.cases.grants import Grant
from app.cases.lifecycle import Stage, State, get_stage
from app.cases.models import Case
from app.cases.records import SummarySnapshot
from app.cases.schemas import Summary
from app.cases.sections import Safeguards
from app.cases.snapshots import Snapshot, read_lead_and_holder
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind, Service, may_be_of_origin
from app.directory.models import FocalPoint
from app.kernel.actors import Relation
from app.kernel.transactions import ReadTransaction
from app.referrals import queries as referral_queries


@dataclass(frozen=True)
class OverviewData:
    """The data from which the overviews of a page of cases are built, by case id.

    `grants` are the rights of the caller's office, `reader`. `snapshots` are copies that
    were stored for an office that helps or helped (ADR 43, ADR 90), and `handed_on` copies
    for a submitter that handed the case on. `requested` are the services in the referrals
    that the office received, and `codes` the codes of offices by their id.
    """

    reader: FocalPoint
    grants: Mapping[UUID, frozenset[Grant]]
    snapshots: Mapping[UUID, Snapshot]
    handed_on: Mapping[UUID, SummarySnapshot]
    requested: Mapping[UUID, set[Service]]
    safeguards: Mapping[UUID, Safeguards]
    codes: Mapping[UUID, str]

    @classmethod
    def load(cls, tx: ReadTransaction, found: Sequence[Case]) -> Self:
        """Load the data for the overviews of the given cases."""
        reader = directory_queries.by_id(tx, tx.actor.focal_point_id)
        grants = {case.id: case.get_grants(reader.id) for case in found}
        snapshots = {
            case.id: snapshot
            for case in found
            if Grant.AS_ASKED in grants[case.id]
            and (snapshot := case.get_snapshot(reader.id))
        }
        outside = [case.id for case in found if is_shown_copy(case, reader.id)]
        kept = case_queries.load_snapshots(tx, grants) if outside else {}
        in_state = grants if reader.kind == OfficeKind.STATE else {}
        helping = [
            case_id
            for case_id, granted in in_state.items()
            if (Grant.SUMMARY in granted or case_id in snapshots)
            and Grant.ALL_SERVICES not in granted
        ]
        requested = referral_queries.list_requested_services(tx, helping) if helping else {}
        return cls(
            reader=reader,
            grants=grants,
            snapshots=snapshots,
            handed_on={key: kept[key] for key in outside if key in kept},
            requested=requested,
            safeguards=rule_documents.load_safeguards(tx, requested) if requested else {},
            codes=load_codes(tx, found, snapshots.values()),
        )


@dataclass(frozen=True)
class Overview:
    """The state, the summary and the offices of a case, as a reader may see them.

    Each office is a code, or None if there is none or the reader must not see it.
    """

    stage: Stage
    state: State
    summary: Summary
    lead: str | None
    holder: str | None
    submitter: str | None


def build_overview(case: Case, data: OverviewData) -> Overview:
    """Return the overview of a case according to the table of grants."""
    granted, asked = data.grants[case.id], data.snapshots.get(case.id)
    state = case.get_shown_state(data.reader.id, granted)
    sought = Grant.STATE in granted and case.suspended_while_referring
    lead, holder = find_lead_and_holder(case, granted, asked)
    codes, knows_submitter = data.codes, Grant.SUBMITTER in granted
    return Overview(
        stage=get_stage(state, suspended_while_referring=sought),
        state=state,
        summary=get_summary(case, data),
        lead=codes[lead] if lead else None,
        holder=codes[holder] if holder else None,
        submitter=codes[case.submitter] if knows_submitter else None,
    )


def load_codes(
    tx: ReadTransaction, found: Iterable[Case], snapshots: Iterable[Snapshot]
) -> dict[UUID, str]:
    """Load the codes of the offices that are named in cases and in snapshots of cases."""
    named = {one for case in found for one in (case.holder, case.submitter)}
    named |= {one for kept in snapshots for one in read_lead_and_holder(kept)}
    return directory_queries.get_codes(tx, filter(None, named))


def find_lead_and_holder(
    case: Case, granted: AbstractSet[Grant], asked: Snapshot | None
) -> tuple[UUID | None, UUID | None]:
    """Return the current lead and holder or, if these are hidden, those in `asked`."""
    if Grant.LEAD in granted:
        return case.with_relation(Relation.LEAD), case.holder
    return read_lead_and_holder(asked) if asked else (None, None)


def get_summary(case: Case, data: OverviewData) -> Summary:
    """Return the summary that the reader may see: the current one, or an earlier copy.

    A copy is stored when the case is handed on, when a travel document is requested, when
    the person crosses a border, and when help is completed. A recipient that may belong to
    the State of origin sees only the services in its referrals and in its own copy, because
    another service may be asylum (BR10).
    """
    kept, granted = data.handed_on.get(case.id), data.grants[case.id]
    copy = Summary.model_validate(kept) if kept else None
    summary, asked = Summary.model_validate(case), data.requested.get(case.id)
    snapshot = data.snapshots.get(case.id)
    if Grant.SUMMARY in granted and snapshot and Grant.COUNTRY not in granted:
        where = {"country": snapshot["notice"]["country"]}
        summary = summary.model_copy(update=where)
    if Grant.SUMMARY not in granted:
        if snapshot is None:
            return copy or summary
        summary = Summary.model_validate(snapshot["notice"])
    if asked is None or not may_be_reader_of_origin(case, data):
        return summary
    own = {
        name: sorted(
            {service for service in getattr(summary, name) if service in asked}
            | set(getattr(copy, name) if copy else ())
        )
        for name in ("services", "urgent_needs")
    }
    return summary.model_copy(update=own)


def may_be_reader_of_origin(case: Case, data: OverviewData) -> bool:
    """Return whether the reader may belong to the State of origin of the person (R12)."""
    guards = data.safeguards.get(case.id, Safeguards())
    return may_be_of_origin(data.reader, guards.country_of_origin)


def is_shown_copy(case: Case, reader: UUID) -> bool:
    """Return whether a reader is the submitter and is shown a stored summary (R12)."""
    return reader == case.submitter and not case.is_granted_to_submitter(Grant.SUMMARY)
