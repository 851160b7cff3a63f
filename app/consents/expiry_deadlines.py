"""Functions that start, update and stop the deadlines for the end of consents."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

from app.cases.lifecycle import OPEN
from app.cases.models import Case
from app.consents import queries as consent_queries
from app.consents import standing
from app.consents.coverage import Addressee, CoverageQuestion, Purpose, is_valid, may_give
from app.consents.expiry import find_last_announcement, find_next_announcement, is_renewed
from app.consents.models import Consent
from app.deadlines import actions as deadline_actions
from app.deadlines.actions import restart_clock
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.deadlines.queries import list_running_of_kind
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind
from app.directory.models import FocalPoint
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, RecordIdentity, WriteTransaction
from app.kernel.vault import Unopenable

KIND: Final = DeadlineKind.CONSENT_ENDS


def watch_expiry(tx: WriteTransaction, case: Case, anew: Collection[UUID] = ()) -> None:
    """Start, update or stop the deadline for the expiry of each consent of a case.

    A deadline is due when the expiry is next announced. After the first announcement, the
    deadline waits for the lead. The deadlines of the consents in `anew` are restarted.
    """
    given = consent_queries.list_for_case(tx, case.id)
    found = {clock.record_id: clock for clock in list_running_of_kind(tx, case.id, KIND)}
    known = list_known_to_lead(tx, case, given)
    awaited = list_awaited(tx, case, given, known, found)
    deadline_actions.stop_all(tx, found.keys() - {one.id for one in awaited})
    for consent in awaited:
        clock = found.get(consent.id)
        if clock is None:
            start_deadline(tx, case, consent)
            continue
        if consent.id in anew:
            clock = restart_clock(tx, clock, clock.due_at)
        clock.waits_on = find_awaited_office(tx, case, consent)


def list_awaited(
    tx: ReadTransaction,
    case: Case,
    consents: Iterable[Consent],
    known: Sequence[Consent],
    running: Collection[UUID],
) -> list[Consent]:
    """Return the consents of a case whose end needs a deadline.

    Only a consent in `known` can renew another consent. `running` are the ids of the
    consents that have a deadline.
    """
    if case.state not in OPEN:
        return []
    renewing = [one for one in known if is_valid(one, tx.now, child=case.is_child)]
    known_ids = {one.id for one in known}
    return [
        one
        for one in consents
        if may_give(one.given_by, child=case.is_child)
        and not one.withdrawn_at
        and (tx.now < one.expires_at or one.id in running)
        and not (
            one.id in known_ids
            and is_renewed(one, renewing, build_question_for(tx, case, one))
        )
    ]


def list_known_to_lead(
    tx: ReadTransaction, case: Case, given: Sequence[Consent]
) -> Sequence[Consent]:
    """Return the consents that the lead may see (ADR 35).

    A lead of the State of origin could otherwise record consents one by one, and find out
    from a deadline which office a hidden consent names. If the safeguards cannot be opened,
    the list is empty for a lead that is a State body.
    """
    lead = find_state_lead(tx, case)
    if lead is None:
        return given
    try:
        stands = standing.load_for_case(tx, case)
    except (NotFound, Unopenable):
        return []
    return standing.filter_for_office(tx, stands, lead).consents


def may_lead_belong_to_origin_state(tx: ReadTransaction, case: Case) -> bool:
    """Return whether the lead may belong to the State of origin (R12).

    If the safeguards cannot be opened, the result is True if the lead is a State body.
    """
    lead = find_state_lead(tx, case)
    try:
        return lead is not None and standing.load_for_case(
            tx, case
        ).may_belong_to_origin_state(lead)
    except (NotFound, Unopenable):
        return True


def find_state_lead(tx: ReadTransaction, case: Case) -> FocalPoint | None:
    """Return the lead of a case if it is a State body, otherwise None."""
    lead_id = case.with_relation(Relation.LEAD)
    lead = directory_queries.by_id(tx, lead_id) if lead_id else None
    return lead if lead and lead.kind == OfficeKind.STATE else None


def build_question_for(
    tx: ReadTransaction, case: Case, consent: Consent
) -> CoverageQuestion | None:
    """Build the coverage question for the office that a consent names; None for a class."""
    if consent.focal_point_id is None:
        return None
    office = directory_queries.by_id(tx, consent.focal_point_id)
    return build_question(tx, case, office, Purpose(consent.purposes[0]))


def build_question(
    tx: ReadTransaction, case: Case, office: Addressee, purpose: Purpose
) -> CoverageQuestion:
    """Build the coverage question for an office, without opening the safeguards."""
    from_ngo = office.kind == OfficeKind.STATE and bool(standing.find_ngo_cases(tx, [case]))
    return CoverageQuestion(
        recipient=office,
        purpose=purpose,
        now=tx.now,
        child=case.is_child,
        from_ngo=from_ngo,
    )


def start_deadline(tx: WriteTransaction, case: Case, consent: Consent) -> None:
    """Start the deadline for the next announcement that a consent ends, or for the end."""
    end, record = consent.expires_at, RecordIdentity(consent.id, case.id, case.reference)
    due_at = find_next_announcement(end, tx.now, tx.runtime.speed) or end
    office = find_awaited_office(tx, case, consent)
    deadline_actions.start(tx, record, KIND, due_at, waits_on=office)


def move_deadline(tx: WriteTransaction, case: Case, consent: Consent, clock: Clock) -> None:
    """Move a deadline to the next announcement that the consent ends, or to the end."""
    due_at = find_next_announcement(consent.expires_at, tx.now, tx.runtime.speed)
    clock.due_at = due_at or consent.expires_at
    clock.waits_on = find_awaited_office(tx, case, consent)
    if due_at:
        clock.fires_at = None


def find_awaited_office(tx: ReadTransaction, case: Case, consent: Consent) -> UUID | None:
    """Return the lead from the first announcement of the consent's end, otherwise None."""
    speed = tx.runtime.speed
    is_near = find_last_announcement(consent.expires_at, tx.now, speed) is not None
    return case.with_relation(Relation.LEAD) if is_near else None
