"""Load all records that rules use for the given cases, with one statement (ADR 77).

The results are stored in the cache of the functions that the rules call (`load_once`). If a
write makes a result outdated, the function runs its own query again.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter, itemgetter
from uuid import UUID

from app.cases import default_contacts, emergency_access, questions, rule_documents
from app.cases import queries as case_queries
from app.cases.case_loading import OfCase, group_by_case
from app.cases.models import Case, CaseKey, DocumentKey, Party, Sealed
from app.cases.records import EmergencyAccess, Fact, RiskAssessment, SummarySnapshot
from app.cases.sections import Paper
from app.casework import case_file_queries as statements
from app.casework.case_verification import Rows, find_forged, verify_rows
from app.consents import queries as consent_queries
from app.consents.models import Consent
from app.deadlines import queries as deadline_queries
from app.deadlines.models import Clock
from app.directory import queries as directory_queries
from app.directory.models import FocalPoint
from app.handovers import queries as handover_queries
from app.handovers.lifecycle import State as HandoverState
from app.handovers.models import Handover
from app.kernel.combined_queries import (
    CombinedQuery,
    Values,
    build_read_only,
    build_record,
)
from app.kernel.problems import NotFound
from app.kernel.recall import load_once, store_missing
from app.kernel.transactions import ReadTransaction
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import State as ReferralState
from app.returns import queries as return_queries
from app.returns.lifecycle import OPEN as OPEN_RETURNS
from app.returns.models import Return


def get_case(tx: ReadTransaction, code: str) -> Case:
    """Return the case with a code if the caller sees it, or raise NotFound (404).

    The case is read-only, and the records that rules use are loaded with it.
    """
    rows = read_rows(tx, statements.VISIBLE_BY_CODE, code=code)
    found = build_cases(rows)
    if not found:
        raise NotFound("There is no such case.")
    verify_rows(tx, frozenset(case.id for case in found), rows)
    store_results(tx, [case.id for case in found], rows)
    return found[0]


def list_cases(tx: ReadTransaction, case_ids: Sequence[UUID]) -> list[Case]:
    """List the cases with the given ids, which the caller must be allowed to see.

    The cases are read-only and in the given order, and the records that rules use are
    loaded with them. A case is left out if one of its rows was altered outside the service.
    """
    if not case_ids:
        return []
    rows = read_rows(tx, statements.BY_IDS, cases=case_ids)
    found = {case.id: case for case in build_cases(rows)}
    forged = find_forged(tx, frozenset(case_ids), rows)
    store_results(tx, case_ids, rows)
    return [found[one] for one in case_ids if one not in forged]


@load_once()
def load_rule_records(tx: ReadTransaction, case_ids: Iterable[UUID]) -> None:
    """Load the records that rules use for the given cases, or raise NotAuthentic."""
    rows = read_rows(tx, statements.RECORDS_BY_IDS, cases=case_ids)
    verify_rows(tx, frozenset(case_ids), rows)
    store_results(tx, case_ids, rows)


def load_authentic[R: OfCase](tx: ReadTransaction, records: Sequence[R]) -> list[R]:
    """Load and verify the records that rules use for the cases of the given records.

    Returns the given records, except those of cases that were altered outside the service.
    """
    ids = frozenset(one.case_id for one in records)
    if not ids:
        return []
    rows = read_rows(tx, statements.RECORDS_BY_IDS, cases=list(ids))
    forged = find_forged(tx, ids, rows)
    if not forged:
        store_results(tx, ids, rows)
    return [one for one in records if one.case_id not in forged]


def read_rows(tx: ReadTransaction, query: CombinedQuery, **named: object) -> Rows:
    """Return the rows of a query for the caller."""
    caller = {"me": tx.actor.focal_point_id, "account": tx.actor.account_id}
    return query.read(tx, {**caller, **named})


def build_cases(rows: Rows) -> list[Case]:
    """Return the cases in the rows of a query as read-only objects, with their parties."""
    parties: dict[UUID, list[Party]] = {values["id"]: [] for values in rows["cases"]}
    for values in sorted(rows["parties"], key=lambda values: values["number"]):
        parties[values["case_id"]].append(build_read_only(Party, values))
    return [
        build_read_only(Case, {**values, "parties": parties[values["id"]]})
        for values in rows["cases"]
    ]


def store_results(tx: ReadTransaction, case_ids: Iterable[UUID], rows: Rows) -> None:
    """Cache the rows of a query as results of the functions that the rules call."""
    ids = frozenset(case_ids)
    store_offices(tx, rows)
    store_documents(tx, ids, rows["documents"])
    store_dated_records(tx, ids, rows)
    own = build_all(tx, EmergencyAccess, rows["accesses"])
    store_missing(tx, {emergency_access.list_own: own}, tx.actor.account_id, ids)
    results = {
        load_rule_records: None,
        case_queries.load_facts: group_by_case(
            sorted(build_all(tx, Fact, rows["facts"]), key=attrgetter("number"))
        ),
        case_queries.load_snapshots: {
            one.case_id: one for one in build_all(tx, SummarySnapshot, rows["summaries"])
        },
        handover_queries.list_of_cases: group_by_case(
            sorted(build_all(tx, Handover, rows["handovers"]), key=attrgetter("number"))
        ),
        handover_queries.find_cases_on_offer: find_case_ids(
            rows["handovers"], lambda values: values["state"] == HandoverState.OFFERED
        ),
        questions.find_unanswered: find_case_ids(
            rows["questions"], lambda values: values["answered_at"] is None
        ),
        referral_queries.list_states: group_states(rows["referrals"]),
        return_queries.list_open: group_by_case(
            sorted(build_all(tx, Return, list_open_returns(rows)), key=attrgetter("number"))
        ),
    }
    store_missing(tx, results, ids)


def store_dated_records(tx: ReadTransaction, ids: frozenset[UUID], rows: Rows) -> None:
    """Cache the consents, risks, vital interests and running deadlines of cases."""
    consents = build_all(tx, Consent, rows["consents"])
    consents.sort(key=attrgetter("recorded_at", "id"))
    risks = build_all(tx, RiskAssessment, rows["risks"])
    clocks = build_all(tx, Clock, rows["deadlines"])
    vital = find_case_ids(
        rows["vital_interests"], lambda values: values["holds_until"] > tx.now
    )
    results = {
        consent_queries.list_for_cases: group_by_case(consents),
        case_queries.load_latest_risks: case_queries.find_latest_risks(risks),
        case_queries.find_in_vital_interest: vital,
        deadline_queries.find_running: {one.record_id: one for one in clocks},
    }
    store_missing(tx, results, ids)


def store_offices(tx: ReadTransaction, rows: Rows) -> None:
    """Cache the caller's office, and the codes of the parties of the cases.

    Also cache whether the caller's office has default contacts.
    """
    me = tx.actor.focal_point_id
    store_missing(tx, {default_contacts.has_default: bool(rows["own_contacts"])}, me)
    own = build_all(tx, FocalPoint, rows["own_office"])
    if not any(one.is_altered for one in own):  # altered rows get harmless values
        tx.kept_alive.update(own)
        store_missing(tx, {directory_queries.by_ids: {one.id: one for one in own}}, [me])
    codes = directory_queries.load_known_codes(tx)
    codes.update((values["id"], values["code"]) for values in rows["codes"])


def store_documents(
    tx: ReadTransaction, ids: frozenset[UUID], documents: Iterable[Values]
) -> None:
    """Cache the documents that rules open, and the kind and author of each document."""
    sections: dict[UUID, list[tuple[str, UUID]]] = {}
    keyed: dict[str, list[rule_documents.KeyedDocument]] = {
        Paper.SAFEGUARDS: [],
        Paper.ROUTING: [],
    }
    for values in sorted(documents, key=itemgetter("kind")):
        kind = values["kind"]
        sections.setdefault(values["case_id"], []).append((kind, values["author"]))
        if kind in keyed:
            keyed[kind].append(build_document(tx, values))
    results = {
        case_queries.list_written_sections: sections,
        rule_documents.list_safeguards: keyed[Paper.SAFEGUARDS],
        rule_documents.list_routing: keyed[Paper.ROUTING],
    }
    store_missing(tx, results, ids)


def build_document(tx: ReadTransaction, values: Values) -> rule_documents.KeyedDocument:
    """Return a read-only sealed document, and the data key of its case if there is one."""
    case_id, own_key, data_key = values["case_id"], None, None
    if values["document_key"] is not None:
        stored = {"case_id": case_id, "wrapped": values["document_key"]}
        own_key = build_read_only(DocumentKey, {"document_id": values["id"], **stored})
    if values["data_key"] is not None:
        version, wrapped = values["data_key_version"], values["data_key"]
        stored = {"case_id": case_id, "version": version, "wrapped": wrapped}
        key = build_record(tx, CaseKey, stored)
        tx.kept_alive.add(key)
        data_key = key.as_wrapped()
    return build_read_only(Sealed, {**values, "key": own_key}), data_key


def list_open_returns(rows: Rows) -> list[Values]:
    """List the rows of returns that are not over."""
    return [values for values in rows["returns"] if values["state"] in OPEN_RETURNS]


def build_all[R](tx: ReadTransaction, record: type[R], rows: Iterable[Values]) -> list[R]:
    """Return rows as objects of a class."""
    return [build_record(tx, record, values) for values in rows]


def group_states(referrals: Iterable[Values]) -> dict[UUID, list[ReferralState]]:
    """Return the states of referrals by the id of their case."""
    states: dict[UUID, list[ReferralState]] = {}
    for values in referrals:
        states.setdefault(values["case_id"], []).append(values["state"])
    return states


def find_case_ids(
    rows: Iterable[Values], holds: Callable[[Values], bool]
) -> frozenset[UUID]:
    """Return the ids of the cases that have a row for which a condition holds."""
    return frozenset(values["case_id"] for values in rows if holds(values))
