"""Verification of the rows that rules use to decide on cases (ADR 77, ADR 81)."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Final
from uuid import UUID

from app.cases.case_loading import add_rows, require_all_loaded
from app.cases.models import Case, Party, Sealed
from app.cases.protected_records import RECORD_DOCUMENT, CaseRecord, Protected
from app.cases.records import (
    EmergencyAccess,
    Fact,
    RiskAssessment,
    SummarySnapshot,
    VitalInterest,
)
from app.consents.models import Consent
from app.handovers.models import Handover
from app.kernel.combined_queries import Values
from app.kernel.macs import NotAuthentic
from app.kernel.transactions import ReadTransaction
from app.referrals.models import Referral
from app.returns.models import Return

type Rows = Mapping[str, list[Values]]
"""The rows of a combined query, by the name of the query."""
PROTECTED: Final[Mapping[str, type[Protected]]] = {
    "cases": Case,
    "parties": Party,
    "consents": Consent,
    "documents": Sealed,
    "facts": Fact,
    "vital_interests": VitalInterest,
    "referrals": Referral,
    "handovers": Handover,
    "returns": Return,
    "risks": RiskAssessment,
    "accesses": EmergencyAccess,
    "summaries": SummarySnapshot,
}
"""The queries that return rows which the MAC of a case protects, with their models."""
COMPLETE: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(model.list_labels()) - {RECORD_DOCUMENT}
    for name, model in PROTECTED.items()
    if issubclass(model, CaseRecord) and model is not EmergencyAccess
}
"""The labels of the records that each query returns completely for a case."""


def verify_rows(tx: ReadTransaction, ids: frozenset[UUID], rows: Rows) -> None:
    """Raise NotAuthentic if a row of the cases was altered outside the service (ADR 81)."""
    for error in find_forged(tx, ids, rows).values():
        raise error


def find_forged(
    tx: ReadTransaction, ids: frozenset[UUID], rows: Rows
) -> dict[UUID, NotAuthentic]:
    """Verify the rows of the given cases, and return an error for each altered case.

    A case was altered if a row was not written by the service, or if a row is missing. Rows
    of other cases are not verified. They are unreviewed emergency accesses of the caller,
    and show that no other access can be requested. A request verifies them again.
    """
    of_case = {case_id: dict[str, list[Values]]() for case_id in ids}
    for name in PROTECTED.keys() & rows.keys():
        for row in rows[name]:
            case_id = row["id" if name == "cases" else "case_id"]
            if case_id in of_case:
                of_case[case_id].setdefault(name, []).append(row)
    labels = list_complete_labels(frozenset(rows))
    forged = dict[UUID, NotAuthentic]()
    for case_id, found in of_case.items():
        try:
            verify_case(tx, case_id, found, labels)
        except NotAuthentic as error:
            forged[case_id] = error
    return forged


@cache
def list_complete_labels(names: frozenset[str]) -> frozenset[str]:
    """List the labels of the records that the named queries return completely."""
    return frozenset[str]().union(*(COMPLETE[name] for name in COMPLETE.keys() & names))


def verify_case(
    tx: ReadTransaction, case_id: UUID, rows: Rows, labels: AbstractSet[str]
) -> None:
    """Raise NotAuthentic if the rows of a case differ from those that the service wrote.

    `labels` are the labels of the records that `rows` contains completely.
    """
    for name, found in rows.items():
        add_rows(tx.session, PROTECTED[name], found)
    require_all_loaded(tx.session, [case_id], labels)
