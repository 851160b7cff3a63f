"""Who else hears that somebody does not answer: deputy, coordinator, desk (section 4).

None of them becomes a party by it but the desk, which sees the notice and may move the
lead. A deputy and a coordinator hear that an office is silent, never about whom or what,
and only where the person would let them be told, and fears nobody there: a State must not
learn from a silence that somebody it looks for is near.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from app.cases.models import Case
from app.casework.carrying import escalate
from app.casework.failing_leads import is_failing
from app.consents import standing
from app.deadlines.limits import Priority
from app.deadlines.models import Clock
from app.directory import queries as directory
from app.directory.kinds import Function, Kind, homes
from app.directory.models import FocalPoint
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.vault import Unopenable
from app.kernel.work import Named, Reading, Writing
from app.notices.actions import tell

SILENCE: Final = "silence"
"""Why an office is called on: somebody did not answer in time, it or another."""


def remind(work: Writing, case: Case, clock: Clock, count: int) -> None:
    """Remind whoever is late; tell its deputy, then its coordinator, at last the desk.

    The desk comes in once the lead of a case let its clocks pass three times, whichever
    they were, or is active no longer, or nobody can sign in there. Raises DeskMissing
    (503).
    """
    if clock.waits_on is None:
        return
    late = directory.by_id(work, clock.waits_on)
    told = may_be_told(work, case, answerable_for(work, late, count))
    if told:
        office = Named(late.id, case.id, f"focal-points/{late.code}")
        work.record("focal_point.silent", office, told, {"silence": count})
    if is_failing_lead(work, case, late):
        escalate(work, case)
    desk = case.with_relation(Relation.ESCALATION_DESK)
    alert(work, case, clock.record_id, late.id, desk, *told)


def answerable_for(work: Reading, late: FocalPoint, count: int) -> list[FocalPoint]:
    """Name who answers for an office: its deputy, from the second silence on its country.

    The country's coordinator is a State body that leads and coordinates there (section 6).
    """
    others = [one for one in directory.active(work) if one.id != late.id]
    deputies = [one for one in others if one.code == late.deputy]
    countries = set(homes(late))
    coordinators = [
        one
        for one in others
        if one.kind == Kind.STATE and one.can_lead and one.of_state in countries
        if one.function == Function.COORDINATION
    ]
    return deputies if count == 1 else [*deputies, *coordinators]


def may_be_told(
    work: Reading, case: Case, offices: Iterable[FocalPoint]
) -> frozenset[UUID]:
    """Keep those whom the person would let be told, and does not fear.

    None, if the safeguards do not open: nobody knows then whom the person fears. That must
    not keep a missed deadline from those who have a part in the case.
    """
    try:
        stands = standing.of_case(work, case)
    except (NotFound, Unopenable):
        return frozenset()
    return frozenset(
        one.id for one in offices if stands.may_hear(one) and stands.is_safe(one, one.code)
    )


def is_failing_lead(work: Reading, case: Case, late: FocalPoint) -> bool:
    """Say whether a desk may have to move the lead of a case."""
    return Relation.LEAD in case.relations_of(late.id) and is_failing(work, case)


def alert(work: Writing, case: Case, about: UUID, *focal_points: UUID | None) -> None:
    """Call on these offices, without a word of what waits for them (section 7).

    That it was about this record of the case is kept as evidence alone.
    """
    offices = [one for one in focal_points if one is not None]
    urgency = case.priority or Priority.NORMAL
    tell(work, offices, SILENCE, urgency=urgency, case_id=case.id, record_id=about)
