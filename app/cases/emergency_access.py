"""Queries for emergency access, and the offices that may request it (R15, R17)."""

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.access import people, unreviewed_accesses
from app.access.account_locks import lock_accounts
from app.access.models import Account
from app.cases.case_loading import require_all_loaded
from app.cases.grants import WORKING_RELATIONS, Grant
from app.cases.models import Case
from app.cases.queries import require_found
from app.cases.records import EmergencyAccess
from app.cases.sections import EmergencyAccessPurpose, Section
from app.cases.vital_interest import HOLDS_FOR, EmergencyAccessState
from app.kernel.actors import Relation
from app.kernel.protected_groups import verify_loaded
from app.kernel.recall import load_once
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import ReadTransaction, WriteTransaction

REQUESTING_RELATIONS: Final = WORKING_RELATIONS | {Relation.SUBMITTER}
"""The relations that allow an office to request emergency access."""


def list_for_case(tx: ReadTransaction, case_id: UUID) -> list[EmergencyAccess]:
    """List the requests for emergency access in a case, oldest first.

    Raises NotAuthentic if one was deleted outside the service.
    """
    rows = select(EmergencyAccess).where(EmergencyAccess.case_id == case_id)
    found = list(tx.session.scalars(rows.order_by(EmergencyAccess.number)))
    require_all_loaded(tx.session, [case_id], EmergencyAccess.list_labels())
    return found


def get(tx: ReadTransaction, case_id: UUID, access_id: UUID) -> EmergencyAccess:
    """Return one request for emergency access in a case, or raise NotFound (404)."""
    mine = (EmergencyAccess.case_id == case_id) & (EmergencyAccess.id == access_id)
    found = tx.session.scalar(select(EmergencyAccess).where(mine))
    return require_found(found, "emergency access")


def lock_account(tx: WriteTransaction, access_id: UUID) -> None:
    """Lock the account that requested an access. Call this before the case is locked.

    A decision or a review changes the MAC of this account.
    """
    own = select(EmergencyAccess.account_id).where(EmergencyAccess.id == access_id)
    lock_accounts(tx.session, Account.id.in_(own))


def record_decision(tx: WriteTransaction, access: EmergencyAccess, *, grant: bool) -> None:
    """Record the caller's decision. A granted access is valid from now on (R15)."""
    access.granted, access.decided_at = grant, tx.now
    access.decided_by = tx.actor.focal_point_id
    access.decided_account = tx.actor.account_id
    if grant:
        access.holds_until = tx.now + HOLDS_FOR
        unreviewed_accesses.add_unreviewed(tx.session, access.account_id, access.id)


def record_review(
    tx: WriteTransaction, access: EmergencyAccess, *, justified: bool
) -> None:
    """Record that an access was reviewed now."""
    access.reviewed_at, access.justified = tx.now, justified
    unreviewed_accesses.remove_reviewed(tx.session, access.account_id, access.id)


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


UNREVIEWED: Final = EmergencyAccess.granted & EmergencyAccess.reviewed_at.is_(None)
IS_OWN: Final = people.is_same_person(EmergencyAccess.account_id)
"""A condition for requests by the person to whom the account `:account` belongs."""
OWN: Final = select(EmergencyAccess).where(
    IS_OWN, EmergencyAccess.case_id.in_(make_list_parameter("cases")) | UNREVIEWED
)


@load_once(EmergencyAccess, Account)
def list_own(
    tx: ReadTransaction, account_id: UUID, case_ids: Iterable[UUID]
) -> list[EmergencyAccess]:
    """List a person's requests in the given cases, and all their unreviewed accesses.

    `account_id` is any account of the person.
    """
    given = {"account": account_id, "cases": list(case_ids)}
    return list(tx.session.scalars(OWN, given))


@dataclass(frozen=True)
class OwnRequests:
    """The caller's emergency access requests that determine whether a new one is possible.

    Requests from all accounts of the person count. `pending` contains the cases with a
    pending request. `has_unreviewed` is true if the review of an access is overdue (R17).
    """

    pending: AbstractSet[UUID] = frozenset()
    has_unreviewed: bool = False


def load_own_requests(
    tx: ReadTransaction, case_ids: Collection[UUID], page: Iterable[UUID] = ()
) -> OwnRequests:
    """Load the caller's requests in the given cases, and whether a review is overdue.

    `page` are the ids of all cases that are shown together, whose requests may have been
    loaded already. It contains `case_ids`, or is empty. Rows of other cases are not
    verified, so the result shows which actions are available, but does not decide.
    """
    found = list_own(tx, tx.actor.account_id, page or case_ids)
    return build_own_requests(tx, (one for one in found if one.case_id in case_ids), found)


def load_verified_requests(tx: ReadTransaction, case_id: UUID) -> OwnRequests:
    """Load the caller's requests in a case, and whether a review is overdue in any case.

    All requests of the person are loaded and verified, because a query for unreviewed
    accesses would not find one that was altered. Raises NotAuthentic if one was altered
    outside the service, or if one is missing in the case or is missing and not reviewed.
    """
    accounts = people.list_own_accounts(tx)
    in_case = [one for one in list_for_case(tx, case_id) if one.account_id in accounts]
    own = select(EmergencyAccess).where(EmergencyAccess.account_id.in_(accounts))
    found = tx.session.scalars(own).all()
    unreviewed_accesses.require_unreviewed(tx, accounts, {one.id for one in found})
    verify_loaded(tx.session)
    return build_own_requests(tx, in_case, found)


def build_own_requests(
    tx: ReadTransaction,
    of_cases: Iterable[EmergencyAccess],
    every: Iterable[EmergencyAccess],
) -> OwnRequests:
    """Return which requests in some cases are pending, and whether a review is overdue."""
    return OwnRequests(
        pending={
            one.case_id
            for one in of_cases
            if one.get_state(tx.now) == EmergencyAccessState.REQUESTED
        },
        has_unreviewed=any(one.is_review_overdue(tx.now) for one in every),
    )
