"""The queries for all records that rules use to decide on cases."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, case, select
from sqlalchemy.orm import InstrumentedAttribute

from app.cases.emergency_access import IS_OWN, UNREVIEWED
from app.cases.models import Case, CaseKey, DefaultContacts, DocumentKey, Party, Sealed
from app.cases.protected_records import READ_BY_RULES
from app.cases.records import (
    EmergencyAccess,
    Fact,
    Question,
    RiskAssessment,
    SummarySnapshot,
    VitalInterest,
)
from app.cases.statements import BY_CODE
from app.consents.models import Consent
from app.deadlines.models import Clock
from app.directory.models import FocalPoint
from app.handovers.models import Handover
from app.kernel.combined_queries import CombinedQuery, Query, list_columns
from app.kernel.id_lists import select_listed
from app.referrals.models import Referral
from app.returns.models import Return

type Attribute = InstrumentedAttribute[Any]
type Join = Callable[..., Query]
"""A function that selects the rows of a table that belong to the cases of a query.

Its arguments are the column with the id of the case, and the columns to select.
"""

CONTENT_FOR_RULES: Final = case(
    *((Sealed.kind == kind, Sealed.sealed) for kind in sorted(READ_BY_RULES))
)
"""The content of the sealed documents that rules use, and null for all others."""


def build_query(cases: Select[UUID], *, with_cases: bool) -> CombinedQuery:
    """Build the query for the records of the cases, and for the cases if `with_cases`."""
    found = cases.cte("found")

    def join(case_id: Attribute, *columns: Any) -> Query:
        return select(*columns).join(found, found.c.id == case_id)

    def join_rows(case_id: Attribute) -> Query:
        return join(case_id, *list_columns(case_id.parent.class_))

    parties = {"cases": join_rows(Case.id), "parties": join_rows(Party.case_id)}
    accesses = select(*list_columns(EmergencyAccess)).where(
        IS_OWN, EmergencyAccess.case_id.in_(select(found.c.id)) | UNREVIEWED
    )
    return CombinedQuery(
        {
            **build_office_queries(join),
            **(parties if with_cases else {}),
            "consents": join_rows(Consent.case_id),
            "documents": build_document_query(join),
            "risks": join_rows(RiskAssessment.case_id),
            "facts": join_rows(Fact.case_id),
            "vital_interests": join_rows(VitalInterest.case_id),
            "deadlines": join_rows(Clock.record_id).where(Clock.stopped_at.is_(None)),
            "referrals": join_rows(Referral.case_id),
            "handovers": join_rows(Handover.case_id),
            "returns": join_rows(Return.case_id),
            "questions": join(Question.case_id, Question.case_id, Question.answered_at),
            "summaries": join_rows(SummarySnapshot.case_id),
            "accesses": accesses,
        }
    )


def build_office_queries(join: Join) -> dict[str, Query]:
    """Return the queries for the caller's office and contacts, and the codes of parties."""
    me: BindParameter[UUID] = bindparam("me")
    contacts = DefaultContacts.focal_point_id
    parties = join(Party.case_id, Party.focal_point_id)
    return {
        "own_office": select(*list_columns(FocalPoint)).where(FocalPoint.id == me),
        "own_contacts": select(contacts).where(contacts == me),
        "codes": select(FocalPoint.id, FocalPoint.code).where(FocalPoint.id.in_(parties)),
    }


def build_document_query(join: Join) -> Query:
    """Return the query for sealed documents, with the keys that decrypt them."""
    plain = [one for one in list_columns(Sealed) if one.key != Sealed.sealed.key]
    documents = join(
        Sealed.record_id,
        *plain,
        CONTENT_FOR_RULES.label("sealed"),
        DocumentKey.wrapped.label("document_key"),
        CaseKey.version.label("data_key_version"),
        CaseKey.wrapped.label("data_key"),
    )
    keyed = documents.outerjoin(DocumentKey, DocumentKey.document_id == Sealed.id)
    return keyed.outerjoin(CaseKey, CaseKey.case_id == Sealed.case_id)


VISIBLE_BY_CODE: Final = build_query(BY_CODE.with_only_columns(Case.id), with_cases=True)
"""The case with the code `code`, if the office `me` sees it, and its records."""
BY_IDS: Final = build_query(select_listed("cases"), with_cases=True)
"""The cases with the ids `cases`, whether visible or not, and their records."""
RECORDS_BY_IDS: Final = build_query(select_listed("cases"), with_cases=False)
"""The records of the cases with the ids `cases`."""
