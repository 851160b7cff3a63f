"""What every request asks of a case, spelled once."""

from typing import Final

from sqlalchemy import bindparam, select

from app.cases.models import CaseKey, Sealed
from app.cases.records import Fact, HandedOn, RiskAssessment, VitalInterest
from app.cases.sections import Paper
from app.kernel.statements import any_of

CASES: Final = any_of("cases")
NAMED: Final = select(Sealed).where(
    Sealed.record_id == bindparam("record"), Sealed.kind == bindparam("kind")
)
SAFEGUARDS: Final = (
    select(Sealed, CaseKey)
    .outerjoin(CaseKey, CaseKey.case_id == Sealed.case_id)
    .where(Sealed.record_id.in_(CASES), Sealed.kind == Paper.SAFEGUARDS)
)
PRESENT: Final = (
    select(Sealed.case_id, Sealed.kind, Sealed.author)
    .where(Sealed.case_id.in_(CASES), Sealed.record_id == Sealed.case_id)
    .order_by(Sealed.kind)
)
RISKS: Final = select(RiskAssessment).where(RiskAssessment.case_id.in_(CASES))
FACTS: Final = select(Fact).where(Fact.case_id.in_(CASES)).order_by(Fact.number)
VITAL: Final = select(VitalInterest.case_id).where(
    VitalInterest.case_id.in_(CASES), VitalInterest.holds_until > bindparam("now")
)
HANDED_ON: Final = select(HandedOn).where(HandedOn.case_id.in_(CASES))
