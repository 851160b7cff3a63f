"""Notify a deputy, coordinators and the desk of a missed deadline (LIFECYCLES.md, 4).

Only the desk becomes a party of the case. Deputies and coordinators learn that an office
misses deadlines, but not in which case. They are notified only if they may read the summary
and are safe for the person. Otherwise, a State could find a person it is looking for.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from app.cases.models import Case
from app.casework.carrying import escalate_to_desk
from app.casework.failing_leads import is_failing
from app.consents import standing
from app.deadlines.limits import Priority
from app.deadlines.models import Clock
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeFunction, OfficeKind, list_home_countries
from app.directory.models import FocalPoint
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, RecordIdentity, WriteTransaction
from app.kernel.vault import Unopenable
from app.notifications.actions import notify_offices

SILENCE: Final = "silence"
"""The reason for a notification: this office or another office missed a deadline."""


def remind_office(tx: WriteTransaction, case: Case, clock: Clock, count: int) -> None:
    """Remind a late office, and notify its deputy, its coordinators and finally the desk.

    The desk becomes a party if there is a reason to replace the late office as the lead.
    Raises DeskMissing (503) if no desk is safe.
    """
    if clock.waits_on is None:
        return
    late = directory_queries.by_id(tx, clock.waits_on)
    told = select_allowed(tx, case, list_answerable(tx, late, count))
    if told:
        office = RecordIdentity(late.id, case.id, f"focal-points/{late.code}")
        tx.record("focal_point.deadline_missed", office, told, {"missed": count})
    if is_failing_lead(tx, case, late):
        escalate_to_desk(tx, case)
    desk = case.with_relation(Relation.ESCALATION_DESK)
    notify_about_case(tx, case, clock.record_id, late.id, desk, *told)


def list_answerable(tx: ReadTransaction, late: FocalPoint, count: int) -> list[FocalPoint]:
    """List the offices to inform about a late office: its deputy, and then coordinators.

    A coordinator is a State body that may lead and that coordinates in a country of the
    late office. Coordinators are included once the deadline has been missed twice.
    """
    others = [one for one in directory_queries.list_active(tx) if one.id != late.id]
    deputies = [one for one in others if one.code == late.deputy]
    countries = set(list_home_countries(late))
    coordinators = [
        one
        for one in others
        if one.kind == OfficeKind.STATE and one.can_lead and one.of_state in countries
        if one.function == OfficeFunction.COORDINATION
    ]
    return deputies if count == 1 else [*deputies, *coordinators]


def select_allowed(
    tx: ReadTransaction, case: Case, offices: Iterable[FocalPoint]
) -> frozenset[UUID]:
    """Return the ids of the offices that may read the summary and are safe for the person.

    The result is empty if the safeguards, which name feared offices, cannot be decrypted.
    """
    try:
        stands = standing.load_for_case(tx, case)
    except (NotFound, Unopenable):
        return frozenset()
    return frozenset(
        one.id
        for one in offices
        if stands.may_read_summary(one) and stands.is_safe(one, one.code)
    )


def is_failing_lead(tx: ReadTransaction, case: Case, late: FocalPoint) -> bool:
    """Return whether there is a reason to replace the late office as the lead."""
    return Relation.LEAD in case.list_relations(late.id) and is_failing(tx, case)


def notify_about_case(
    tx: WriteTransaction, case: Case, about: UUID, *focal_points: UUID | None
) -> None:
    """Notify offices about a case, without content. The id `about` is stored, not sent."""
    offices = [one for one in focal_points if one is not None]
    urgency = case.priority or Priority.NORMAL
    notify_offices(tx, offices, SILENCE, urgency=urgency, case_id=case.id, record_id=about)
