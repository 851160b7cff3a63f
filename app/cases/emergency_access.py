"""Queries for emergency access, and the offices that may request it (R15, R17)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.access import people
from app.cases.grants import WORKING_RELATIONS, Grant
from app.cases.models import Case
from app.cases.queries import require_found
from app.cases.records import EmergencyAccess
from app.cases.sections import EmergencyAccessPurpose, Section
from app.cases.vital_interest import REVIEWED_WITHIN, EmergencyAccessState
from app.kernel.actors import Relation
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import ReadTransaction

REQUESTING_RELATIONS: Final = WORKING_RELATIONS | {Relation.SUBMITTER}
"""The relations that allow an office to request emergency access."""


def list_for_case(tx: ReadTransaction, case_id: UUID) -> list[EmergencyAccess]:
    """List the requests for emergency access in a case, oldest first."""
    rows = select(EmergencyAccess).where(EmergencyAccess.case_id == case_id)
    return list(tx.session.scalars(rows.order_by(EmergencyAccess.number)))


def get(tx: ReadTransaction, case_id: UUID, access_id: UUID) -> EmergencyAccess:
    """Return one request for emergency access in a case, or raise NotFound (404)."""
    mine = (EmergencyAccess.case_id == case_id) & (EmergencyAccess.id == access_id)
    found = tx.session.scalar(select(EmergencyAccess).where(mine))
    return require_found(found, "emergency access")


def find_granted(
    tx: ReadTransaction, case: Case, section: Section, purpose: EmergencyAccessPurpose
) -> EmergencyAccess | None:
    """Return the caller's granted access to a section for a purpose, or None.

    An office loses the access when it hands the case on or has no relation to the case any
    more. A new relation does not restore the access, because nobody approved it again.
    """
    own_office = tx.actor.focal_point_id
    if not may_request(case, own_office):
        return None
    mine = EmergencyAccess.account_id == tx.actor.account_id
    of_case = select(EmergencyAccess).where(EmergencyAccess.case_id == case.id, mine)
    return next(
        (
            reading
            for reading in tx.session.scalars(of_case)
            if reading.get_state(tx.now) == EmergencyAccessState.GRANTED
            and has_had_relation_since(case, own_office, reading.asked_at)
            and reading.purpose == purpose
            and section in reading.sections
        ),
        None,
    )


def may_request(case: Case, focal_point: UUID) -> bool:
    """Return whether an office may request emergency access in a case.

    Oversight may not, because it cannot open sealed documents. A submitter that has handed
    the case on may not, because it must not see later changes (R12).
    """
    return Grant.EMERGENCY_ACCESS in case.get_grants(focal_point)


def has_had_relation_since(case: Case, focal_point: UUID, moment: datetime) -> bool:
    """Return whether an office has had a relation to a case without a gap since `moment`.

    Relations count if they allow emergency access. One relation may directly follow
    another, for example when a candidate becomes the lead. The relation of the submitter
    counts until a lead takes the case.
    """
    mine = (p for p in case.parties if p.focal_point_id == focal_point)
    parts = [party for party in mine if party.relation in REQUESTING_RELATIONS]
    for part in sorted(parts, key=lambda part: part.since):
        submitted = part.relation == Relation.SUBMITTER
        until = case.led_since if submitted else part.until
        if part.since <= moment:
            if until is None:
                return True
            moment = max(moment, until)
    return False


OWN: Final = select(EmergencyAccess).where(
    EmergencyAccess.case_id.in_(make_list_parameter("cases")),
    EmergencyAccess.account_id.in_(make_list_parameter("accounts")),
)


def find_pending(tx: ReadTransaction, case_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return the ids of the cases in which the caller's person has a pending request."""
    accounts = list(people.list_own_accounts(tx))
    asked = {"cases": list(case_ids), "accounts": accounts}
    own = tx.session.scalars(OWN, asked)
    waiting = [
        one for one in own if one.get_state(tx.now) == EmergencyAccessState.REQUESTED
    ]
    return frozenset(one.case_id for one in waiting)


def has_unreviewed_access(tx: ReadTransaction) -> bool:
    """Return whether the caller's person has an access whose review is overdue (R17)."""
    latest = tx.now - REVIEWED_WITHIN
    own = people.list_own_accounts(tx)
    mine = EmergencyAccess.account_id.in_(own) & EmergencyAccess.granted
    late = (EmergencyAccess.decided_at <= latest) & EmergencyAccess.reviewed_at.is_(None)
    return (
        tx.session.scalar(select(EmergencyAccess.id).where(mine, late).limit(1)) is not None
    )
