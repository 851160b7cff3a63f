"""Reading consents."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.cases.statements import CASES
from app.consents.models import Consent
from app.kernel.problems import NotFound
from app.kernel.work import Reading

CONSENTS: Final = (
    select(Consent)
    .where(Consent.case_id.in_(CASES))
    .order_by(Consent.recorded_at, Consent.id)
)


def of_cases(work: Reading, case_ids: Iterable[UUID]) -> Mapping[UUID, list[Consent]]:
    """List the consents of some cases, oldest first."""
    found: dict[UUID, list[Consent]] = {}
    for consent in work.session.scalars(CONSENTS, {"cases": list(case_ids)}):
        found.setdefault(consent.case_id, []).append(consent)
    return found


def of_case(work: Reading, case_id: UUID) -> list[Consent]:
    """List every consent of a case, withdrawn ones too, oldest first."""
    return of_cases(work, [case_id]).get(case_id, [])


def get(work: Reading, case_id: UUID, consent_id: UUID) -> Consent:
    """Find a consent of this case, or raise NotFound (404)."""
    consent = work.session.get(Consent, consent_id)
    if consent is None or consent.case_id != case_id:
        raise NotFound("There is no such consent in this case.")
    return consent
