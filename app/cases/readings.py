"""Readings in an emergency: finding them, and who can ask for one at all (R15, R17)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.cases.grants import WORKING, Grant
from app.cases.models import Case
from app.cases.queries import known
from app.cases.records import VitalReading
from app.cases.sections import ReadingPurpose, Section
from app.cases.vital import REVIEWED_WITHIN, ReadingState
from app.kernel.actors import Relation
from app.kernel.work import Reading

READ_BY: Final = WORKING | {Relation.SUBMITTER}
"""The relations by which an office may ask for emergency access."""


def of_case(work: Reading, case_id: UUID) -> list[VitalReading]:
    """List what was asked for in a case, oldest first."""
    rows = select(VitalReading).where(VitalReading.case_id == case_id)
    return list(work.session.scalars(rows.order_by(VitalReading.number)))


def get(work: Reading, case_id: UUID, reading_id: UUID) -> VitalReading:
    """Find one of a case, or raise NotFound (404)."""
    mine = (VitalReading.case_id == case_id) & (VitalReading.id == reading_id)
    return known(work.session.scalar(select(VitalReading).where(mine)), "reading")


def open_for(
    work: Reading, case: Case, section: Section, purpose: ReadingPurpose
) -> VitalReading | None:
    """Find what lets this very account open a section now, for the purpose it named.

    Whoever ceased to have a part in the case, or handed it on, reads no more; nor does it
    again once it has another part, for which nobody permitted anything.
    """
    us = work.actor.focal_point_id
    if not can_ask(case, us):
        return None
    mine = VitalReading.account_id == work.actor.account_id
    of_case = select(VitalReading).where(VitalReading.case_id == case.id, mine)
    return next(
        (
            reading
            for reading in work.session.scalars(of_case)
            if reading.state(work.now) == ReadingState.GRANTED
            and has_had_part_since(case, us, reading.asked_at)
            and reading.purpose == purpose
            and section in reading.sections
        ),
        None,
    )


def can_ask(case: Case, focal_point: UUID) -> bool:
    """Say whether a focal point can read in this case in an emergency at all.

    Oversight opens nothing that is sealed, and who handed a case on does not follow it
    (R12): it can call whoever leads.
    """
    return Grant.EMERGENCY_ACCESS in case.grants(focal_point)


def has_had_part_since(case: Case, focal_point: UUID, moment: datetime) -> bool:
    """Return whether an office had a relation to read by, all the time since then.

    It may have been one after the other, as when a candidate takes the lead. That of a
    submitter ends for this when a lead takes the case.
    """
    mine = (p for p in case.parties if p.focal_point_id == focal_point)
    parts = [party for party in mine if party.relation in READ_BY]
    for part in sorted(parts, key=lambda part: part.since):
        submitted = part.relation == Relation.SUBMITTER
        until = case.led_since if submitted else part.until
        if part.since <= moment:
            if until is None:
                return True
            moment = max(moment, until)
    return False


def is_waiting(work: Reading, case_id: UUID) -> bool:
    """Say whether this account asked in this case, and nobody answered yet."""
    return any(
        one.account_id == work.actor.account_id
        and one.state(work.now) == ReadingState.ASKED
        for one in of_case(work, case_id)
    )


def is_unreviewed(work: Reading) -> bool:
    """Say whether this account has read, and oversight did not review it in time (R17)."""
    latest = work.now - REVIEWED_WITHIN
    mine = (VitalReading.account_id == work.actor.account_id) & VitalReading.granted
    late = (VitalReading.decided_at <= latest) & VitalReading.reviewed_at.is_(None)
    return (
        work.session.scalar(select(VitalReading.id).where(mine, late).limit(1)) is not None
    )
