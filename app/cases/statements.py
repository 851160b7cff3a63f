"""SQL statements for cases, built once because most requests run them."""

from typing import Final

from sqlalchemy import bindparam, exists, or_, select

from app.cases.grants import Grant, list_relations
from app.cases.models import Case, CaseKey, Party, Sealed
from app.cases.records import (
    Fact,
    Question,
    RiskAssessment,
    SummarySnapshot,
    VitalInterest,
)
from app.cases.sections import Paper
from app.kernel.actors import Relation
from app.kernel.statements import lock_rows, make_list_parameter

SEES_CASE: Final = or_(
    *(Party.relation == relation for relation in sorted(list_relations(Grant.CASE)))
)
"""A condition for party rows whose relation lets an office see the case.

It contains no list, because the SQL of a list is rendered at each execution.
"""
MINE: Final = (Party.focal_point_id == bindparam("me"), Party.until.is_(None))
"""Conditions for the current party rows of the office `me`, with any relation."""
PARTY: Final = exists().where(Party.case_id == Case.id, *MINE)
VISIBLE: Final = select(Case).where(PARTY.where(SEES_CASE))
"""The cases that the office sees through a relation to the case or one of its records."""
REMEMBERED: Final = select(Case).where(PARTY)
"""The cases in `VISIBLE`, and those in which the office is a former lead or recipient."""
LED: Final = select(Case).where(PARTY.where(Party.relation != Relation.FORMER_RECIPIENT))
"""The cases in `REMEMBERED`, unless the office is only a former recipient of a referral."""
BY_CODE: Final = VISIBLE.where(Case.code == bindparam("code"))
LED_BY_CODE: Final = LED.where(Case.code == bindparam("code"))
BY_ID: Final = VISIBLE.where(Case.id == bindparam("id"))
CASES: Final = make_list_parameter("cases")
BY_IDS: Final = VISIBLE.where(Case.id.in_(CASES))
BY_DIGESTS: Final = VISIBLE.where(
    Case.external_digest.in_(bindparam("digests", expanding=True))
)
BY_ID_AGAIN: Final = (
    select(Case).where(Case.id == bindparam("id")).execution_options(populate_existing=True)
)
HELD_BY_CODE: Final = lock_rows(BY_CODE)
HELD_BY_ID: Final = lock_rows(REMEMBERED.where(Case.id == bindparam("id")))
SEALED_OF_KIND: Final = select(Sealed).where(
    Sealed.record_id == bindparam("record"), Sealed.kind == bindparam("kind")
)
WITH_KEY: Final = (
    select(Sealed, CaseKey)
    .outerjoin(CaseKey, CaseKey.case_id == Sealed.case_id)
    .where(Sealed.record_id.in_(CASES))
)
SAFEGUARDS: Final = WITH_KEY.where(Sealed.kind == Paper.SAFEGUARDS)
ROUTING: Final = WITH_KEY.where(Sealed.kind == Paper.ROUTING)
WRITTEN_SECTIONS: Final = (
    select(Sealed.case_id, Sealed.kind, Sealed.author)
    .where(Sealed.case_id.in_(CASES), Sealed.record_id == Sealed.case_id)
    .order_by(Sealed.kind)
)
RISKS: Final = select(RiskAssessment).where(RiskAssessment.case_id.in_(CASES))
FACTS: Final = select(Fact).where(Fact.case_id.in_(CASES)).order_by(Fact.number)
IN_VITAL_INTEREST: Final = select(VitalInterest).where(
    VitalInterest.case_id.in_(CASES), VitalInterest.holds_until > bindparam("now")
)
UNANSWERED: Final = select(Question.case_id).where(
    Question.case_id.in_(CASES), Question.answered_at.is_(None)
)
SUMMARY_SNAPSHOTS: Final = select(SummarySnapshot).where(SummarySnapshot.case_id.in_(CASES))
