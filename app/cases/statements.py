"""SQL statements for cases that every request runs, built once."""

from typing import Final

from sqlalchemy import bindparam, exists, select

from app.cases.grants import Grant, list_relations
from app.cases.models import Case, CaseKey, Party, Sealed
from app.cases.records import Fact, RiskAssessment, SummarySnapshot, VitalInterest
from app.cases.sections import Paper
from app.kernel.actors import Relation
from app.kernel.statements import lock_rows, make_list_parameter

SEES_CASE: Final = Party.relation.in_(list_relations(Grant.CASE))
"""Relations that see the current case; a former lead or recipient sees its own past."""
MINE: Final = (Party.focal_point_id == bindparam("me"), Party.until.is_(None))
"""The current party rows of the office `me`, including those of its own past."""
PARTY: Final = exists().where(Party.case_id == Case.id, *MINE)
VISIBLE: Final = select(Case).where(PARTY.where(SEES_CASE))
"""The cases that the office is a party to now, or to a record of."""
REMEMBERED: Final = select(Case).where(PARTY)
"""As `VISIBLE`, and the cases in which it once was lead or recipient."""
LED: Final = select(Case).where(PARTY.where(Party.relation != Relation.FORMER_RECIPIENT))
"""As `REMEMBERED`, without those where its help ended: it keeps its referrals alone."""
BY_CODE: Final = VISIBLE.where(Case.code == bindparam("code"))
LED_BY_CODE: Final = LED.where(Case.code == bindparam("code"))
BY_ID: Final = VISIBLE.where(Case.id == bindparam("id"))
BY_ID_AGAIN: Final = (
    select(Case).where(Case.id == bindparam("id")).execution_options(populate_existing=True)
)
HELD_BY_CODE: Final = lock_rows(BY_CODE)
HELD_BY_ID: Final = lock_rows(REMEMBERED.where(Case.id == bindparam("id")))
CASES: Final = make_list_parameter("cases")
SEALED_OF_KIND: Final = select(Sealed).where(
    Sealed.record_id == bindparam("record"), Sealed.kind == bindparam("kind")
)
SAFEGUARDS: Final = (
    select(Sealed, CaseKey)
    .outerjoin(CaseKey, CaseKey.case_id == Sealed.case_id)
    .where(Sealed.record_id.in_(CASES), Sealed.kind == Paper.SAFEGUARDS)
)
WRITTEN_SECTIONS: Final = (
    select(Sealed.case_id, Sealed.kind, Sealed.author)
    .where(Sealed.case_id.in_(CASES), Sealed.record_id == Sealed.case_id)
    .order_by(Sealed.kind)
)
RISKS: Final = select(RiskAssessment).where(RiskAssessment.case_id.in_(CASES))
FACTS: Final = select(Fact).where(Fact.case_id.in_(CASES)).order_by(Fact.number)
IN_VITAL_INTEREST: Final = select(VitalInterest.case_id).where(
    VitalInterest.case_id.in_(CASES), VitalInterest.holds_until > bindparam("now")
)
SUMMARY_SNAPSHOTS: Final = select(SummarySnapshot).where(SummarySnapshot.case_id.in_(CASES))
