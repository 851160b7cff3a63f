"""Emergency access: one person requests it, and another grants it (LIFECYCLES.md, 5).

The two people belong to two organisations. The access is limited to the named sections and
purpose, and lasts four hours. The holder and oversight are notified when it starts and
ends, the person is told within a day, and oversight reviews each access.
"""

from typing import Final
from uuid import UUID

from app.access.second_person import NotASecondPerson, require_other_person
from app.cases import actions as case_actions
from app.cases import emergency_access
from app.cases import queries as case_queries
from app.cases.approvals import OVERSIGHT_APPROVERS
from app.cases.further_actions import WRITERS
from app.cases.lifecycle import OPEN
from app.cases.models import Case
from app.cases.records import EmergencyAccess
from app.cases.vital_interest import HOLDS_FOR, EmergencyAccessState
from app.casework import acting, bodies
from app.casework.sides import get_sides, list_active_overseers
from app.consents import office_names
from app.deadlines import actions as deadline_actions
from app.deadlines.limits import DeadlineKind, Priority
from app.deadlines.queries import compute_due_at
from app.kernel.actors import HOLDER_APPROVERS, AccountKind, Role, Side
from app.kernel.lifecycle import ActionNotYours
from app.kernel.problems import NotFound, Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.notifications.actions import notify_offices

_K = DeadlineKind
REQUESTED, GRANTED, REFUSED, EXPIRED, ENDED = (
    f"case.emergency_access_{word}"
    for word in ("requested", "granted", "refused", "expired", "ended")
)


class EmergencyAccessUnreviewed(Problem):
    """The review of your earlier emergency access is late. Ask oversight to review it."""

    status = 409


class EmergencyAccessPending(Problem):
    """Your request for emergency access in this case is undecided. Call instead."""

    status = 409


class EmergencyAccessDecided(Problem):
    """The emergency access was already decided, is over, or is not at this step."""

    status = 409


def list_watchers(case: Case) -> frozenset[UUID]:
    """Return the offices that watch emergency access: the holder and oversight."""
    return case.overseers | ({case.holder} if case.holder else set())


def get_audience(case: Case, reading: EmergencyAccess) -> frozenset[UUID]:
    """Return the holder, oversight, and the requesting office if it may have access."""
    asks = emergency_access.may_request(case, reading.asked_by)
    return list_watchers(case) | ({reading.asked_by} if asks else set())


def list_accesses(tx: ReadTransaction, case: Case) -> list[EmergencyAccess]:
    """List the emergency accesses of a case that the caller may see.

    The holder, the desk and oversight see all of them. Any other office sees only those
    that it asked for.
    """
    me, found = tx.actor.focal_point_id, emergency_access.list_for_case(tx, case.id)
    watches = me in list_watchers(case) or Side.DESK in get_sides(tx, case)
    return [one for one in found if watches or one.asked_by == me]


def find_access(tx: ReadTransaction, case: Case, access_id: UUID) -> EmergencyAccess:
    """Return an emergency access that the caller may see, or raise NotFound (404)."""
    reading = emergency_access.get(tx, case.id, access_id)
    if reading not in list_accesses(tx, case):
        raise NotFound("There is no such emergency access in this case.")
    return reading


def lock_access(
    tx: WriteTransaction, code: str, access_id: UUID
) -> tuple[Case, EmergencyAccess]:
    """Lock a case and return one of its emergency accesses, or raise NotFound (404)."""
    case = case_queries.lock(tx, code)
    return case, find_access(tx, case, access_id)


def request_access(
    tx: WriteTransaction, code: str, new: bodies.RequestEmergencyAccess
) -> EmergencyAccess:
    """Ask another organisation to grant emergency access; the request itself opens nothing.

    Raises EmergencyAccessPending (409) if the caller has an open request in the case, with
    any account, or EmergencyAccessUnreviewed (409) if the review of an access is overdue.
    """
    case, own_office = case_queries.lock(tx, code), tx.actor.focal_point_id
    acting.require_state(case, OPEN)
    takes_part = emergency_access.may_request(case, own_office)
    if not takes_part or tx.actor.kind != AccountKind.PERSON:
        raise ActionNotYours("Only a person at an office that is a party can request this.")
    acting.require_working_role(tx)
    own = emergency_access.load_verified_requests(tx, case.id)
    if own.has_unreviewed:
        raise EmergencyAccessUnreviewed(
            "Until then, another person at your office can make the request."
        )
    if own.pending:
        raise EmergencyAccessPending(
            "Call oversight or the holder, who see it in their worklists."
        )
    reading = build_request(tx, case, new)
    tx.session.add(reading)
    tx.session.flush()
    case_actions.add_note(tx, case, f"vital_reading {reading.id}", new.note)
    others = list_active_overseers(tx, case) - {own_office}
    first = min(others, default=None)
    start_deadline(tx, reading, _K.DECIDE_EMERGENCY_ACCESS, first)
    notify_watchers(tx, case, reading, REQUESTED)
    return reading


def build_request(
    tx: WriteTransaction, case: Case, new: bodies.RequestEmergencyAccess
) -> EmergencyAccess:
    """Build the database row for a new request by the caller's account."""
    return EmergencyAccess(
        id=tx.create_id(),
        case=case,
        case_id=case.id,
        reason=new.reason,
        purpose=new.purpose,
        sections=sorted(set(new.sections)),
        asked_by=tx.actor.focal_point_id,
        account_id=tx.actor.account_id,
        asked_at=tx.now,
        holds_until=tx.now + HOLDS_FOR,
    )


def decide_access(
    tx: WriteTransaction, code: str, access_id: UUID, *, grant: bool
) -> EmergencyAccess:
    """Grant or refuse a request as a second person.

    If the account repeats its own decision, nothing changes. Raises EmergencyAccessDecided
    (409) if the request was already decided or has expired, or if access is granted to an
    office that may no longer have access.
    """
    emergency_access.lock_account(tx, access_id)
    case, reading = lock_access(tx, code, access_id)
    require_other_organisation(tx, case, reading)
    if reading.granted == grant and reading.decided_account == tx.actor.account_id:
        return reading
    acting.require_state(case, OPEN)
    if reading.get_state(tx.now) != EmergencyAccessState.REQUESTED:
        raise EmergencyAccessDecided("The office that asked can make a new request.")
    if grant and not emergency_access.may_request(case, reading.asked_by):
        raise EmergencyAccessDecided("The office that asked may no longer have access.")
    emergency_access.record_decision(tx, reading, grant=grant)
    if grant:
        start_deadline(tx, reading, _K.EMERGENCY_ACCESS_ENDS, None)
    else:
        deadline_actions.stop(tx, reading.id)
    notify_watchers(tx, case, reading, GRANTED if grant else REFUSED)
    return reading


DECIDERS: Final = {
    Side.OVERSIGHT: OVERSIGHT_APPROVERS,
    Side.LEAD: HOLDER_APPROVERS,
    Side.DESK: HOLDER_APPROVERS,
}
"""The sides that may decide on requests of another organisation, with their roles."""


def require_other_organisation(
    tx: WriteTransaction, case: Case, reading: EmergencyAccess
) -> None:
    """Require that the caller may decide on the request of another organisation (R15).

    The caller must belong to oversight, the desk or the lead, and must be allowed to know
    which office asks for the emergency access.
    """
    own_office = tx.actor.focal_point_id
    if own_office == reading.asked_by:
        raise NotASecondPerson("A person of another organisation has to decide.")
    require_other_person(tx, reading.account_id)
    roles = [DECIDERS[one] for one in get_sides(tx, case) if one in DECIDERS]
    names = office_names.load_names(tx, [(case, reading.asked_by, reading.asked_at)])
    if not roles or not names.may_name(case, reading.asked_by, reading.asked_at):
        raise ActionNotYours("Only oversight, the desk or the lead can decide this.")
    acting.require_role(tx, frozenset[Role]().union(*roles))


def stop_access(tx: WriteTransaction, code: str, access_id: UUID) -> EmergencyAccess:
    """End an access, or raise EmergencyAccessDecided (409) if it was not decided."""
    case, reading = lock_access(tx, code, access_id)
    acting.require_role(tx, HOLDER_APPROVERS | OVERSIGHT_APPROVERS | WRITERS)
    if reading.granted is None:
        raise EmergencyAccessDecided("The emergency access was not granted.")
    if reading.get_state(tx.now) == EmergencyAccessState.GRANTED:
        end_access(tx, case, reading)
    return reading


def expire_access(tx: WriteTransaction, case: Case, access_id: UUID) -> None:
    """Expire an emergency access, or a request for emergency access, in a locked case."""
    reading = emergency_access.get(tx, case.id, access_id)
    if reading.granted:
        end_access(tx, case, reading)
    else:
        deadline_actions.stop(tx, reading.id)
        notify_watchers(tx, case, reading, EXPIRED)


def end_access(tx: WriteTransaction, case: Case, reading: EmergencyAccess) -> None:
    """End an access, and start the deadline to tell the person if nobody has done so."""
    reading.ended_at = tx.now
    deadline_actions.stop(tx, reading.id)
    if reading.person_informed_at is None:
        start_deadline(tx, reading, _K.INFORM_PERSON, case.holder)
    notify_watchers(tx, case, reading, ENDED)


def start_deadline(
    tx: WriteTransaction, reading: EmergencyAccess, kind: _K, waits_on: UUID | None
) -> None:
    """Start the deadline for the next step of an emergency access."""
    due_at = reading.holds_until
    if kind == _K.INFORM_PERSON:
        due_at = compute_due_at(tx, kind, reading.case, waits_on=waits_on)
    deadline_actions.restart(tx, reading, kind, due_at, waits_on=waits_on)


def notify_watchers(
    tx: WriteTransaction, case: Case, reading: EmergencyAccess, event: str
) -> None:
    """Record an event, and notify the other offices that watch emergency access (R16)."""
    facts = {"emergency_access": str(reading.id), "reason": str(reading.reason)}
    tx.record(event, case, get_audience(case, reading), facts)
    called = sorted(list_watchers(case) - {tx.actor.focal_point_id})
    urgency, about = Priority.EMERGENCY, reading.id
    notify_offices(tx, called, event, urgency=urgency, case_id=case.id, record_id=about)


def confirm_person_told(
    tx: WriteTransaction, code: str, access_id: UUID, body: bodies.InformOfEmergencyAccess
) -> EmergencyAccess:
    """Record, as the holder, that the person was told of an emergency access."""
    case, reading = lock_access(tx, code, access_id)
    if Side.HOLDER not in get_sides(tx, case):
        raise ActionNotYours("Only the holder of the case can do this.")
    acting.require_working_role(tx)
    if not reading.granted:
        raise EmergencyAccessDecided(
            "The access was not granted, so there is nothing to tell the person."
        )
    if reading.person_informed_at is None:
        reading.person_informed_at = tx.now
        if reading.get_state(tx.now) == EmergencyAccessState.ENDED:
            deadline_actions.stop(tx, reading.id)
        case_actions.add_note(tx, case, f"vital_reading {reading.id}", body.note)
        facts = {"emergency_access": str(reading.id)}
        tx.record("case.person_informed", case, get_audience(case, reading), facts)
    return reading


def record_review(
    tx: WriteTransaction, code: str, access_id: UUID, found: bodies.ReviewEmergencyAccess
) -> EmergencyAccess:
    """Record, as oversight, whether an emergency access was justified (R17).

    The reviewer must not be the person who granted or had the access. A review is possible
    only after the access has ended, so that it covers everything that was read.
    """
    emergency_access.lock_account(tx, access_id)
    case, reading = lock_access(tx, code, access_id)
    acting.require_protection_officer(tx, case)
    require_other_person(tx, reading.account_id, reading.decided_account)
    if (
        reading.get_state(tx.now) != EmergencyAccessState.ENDED
        or reading.reviewed_at is not None
    ):
        raise EmergencyAccessDecided(
            "The access was not granted, is not over yet, or has already been reviewed."
        )
    emergency_access.record_review(tx, reading, justified=found.justified)
    facts = {"emergency_access": str(reading.id), "justified": str(found.justified).lower()}
    event = "case.emergency_access_reviewed"
    tx.record(event, case, get_audience(case, reading), facts)
    return reading
