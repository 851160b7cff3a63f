"""Query results that are known for a case that is being created, so no query is needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.cases import queries as case_queries
from app.cases import questions, rule_documents
from app.cases.models import Case
from app.cases.records import RiskAssessment
from app.cases.sealing import list_new_documents
from app.cases.sections import Safeguards
from app.casework import case_files
from app.consents import queries as consent_queries
from app.consents.models import Consent
from app.handovers import queries as handover_queries
from app.kernel.recall import store_result
from app.kernel.transactions import WriteTransaction
from app.referrals import queries as referral_queries
from app.returns import queries as return_queries
from app.routing import queries as routing_queries

EMPTY: Final[tuple[tuple[Callable[..., Any], object], ...]] = (
    (referral_queries.list_states, {}),
    (handover_queries.find_cases_on_offer, frozenset()),
    (return_queries.list_open, {}),
    (case_queries.load_facts, {}),
    (case_queries.find_in_vital_interest, frozenset()),
    (questions.find_unanswered, frozenset()),
)
"""The functions that look for records of cases, each with its result if there are none."""


def store_empty_records(tx: WriteTransaction, case_id: UUID) -> None:
    """Cache that a case created in this transaction has no facts, referrals and so on."""
    for load, nothing in EMPTY:
        store_result(tx, load, nothing, [case_id])
    store_result(tx, routing_queries.list_rows, [], case_id)
    store_result(tx, case_files.load_rule_records, None, [case_id])


@dataclass(frozen=True)
class WrittenRecords:
    """The consents, risk and safeguards that were stored when a case was created."""

    consents: Sequence[Consent]
    risk: RiskAssessment | None
    safeguards: Safeguards | None


def store_written_records(
    tx: WriteTransaction, case: Case, written: WrittenRecords
) -> None:
    """Cache the query results for a case that was created in this transaction."""
    consents = sorted(written.consents, key=lambda one: (one.recorded_at, one.id))
    documents = list_new_documents(tx, case.id)
    found: tuple[tuple[Callable[..., Any], object], ...] = (
        (consent_queries.list_for_cases, consents),
        (case_queries.load_latest_risks, written.risk),
        (rule_documents.load_safeguards, written.safeguards),
        (
            case_queries.list_written_sections,
            sorted((one.kind, one.author) for one in documents),
        ),
    )
    for load, result in found:
        store_result(tx, load, {case.id: result} if result else {}, [case.id])
