"""Functions that offer the lead of a case to another office and transfer it (BR20)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from app.cases import actions as case_actions
from app.cases import default_contacts
from app.cases.grants import Grant
from app.cases.models import Case
from app.cases.sections import NamedContacts, Paper, collect_names
from app.consents import standing
from app.consents.expiry_deadlines import watch_expiry
from app.consents.standing import Standing
from app.deadlines import actions as deadline_actions
from app.deadlines.queries import compute_due_at, find_running
from app.directory import queries as directory_queries
from app.directory.kinds import NEVER_LEAD
from app.directory.models import FocalPoint
from app.handovers import queries as handover_queries
from app.handovers.borders import LeadTransfer
from app.handovers.lifecycle import CLOCKS, EVENTS, OFFER, TABLE, Action, Row
from app.handovers.models import Handover
from app.handovers.needs import RULES, Facts, Terms
from app.handovers.schemas import (
    AcceptHandover,
    DeclineHandover,
    HandoverInput,
    HandoverReason,
)
from app.handovers.situation import build_facts, get_sides, redact_for
from app.kernel import lifecycle as kernel_lifecycle
from app.kernel.actors import Relation, get_handover_sides
from app.kernel.lifecycle import is_role_allowed
from app.kernel.problems import Problem
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import SeenVersions
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import OPEN as REFERRAL_OPEN
from app.returns import following as return_following


class SuccessorUnfit(Problem):
    """The focal point named cannot take over the lead."""

    status = 422


class HandoverOpenMembers(BaseModel):
    """The handover that is open."""

    handover: Annotated[UUID, Field(description="The id of the open handover.")]


class HandoverOpen(Problem):
    """The lead of this case has already been offered to another office."""

    status = 409
    members: ClassVar = HandoverOpenMembers


@dataclass(frozen=True)
class PendingStep:
    """A step that has passed all checks but has not been taken yet.

    `before` is the audience of the handover before the step.
    """

    case: Case
    handover: Handover
    step: Row
    before: frozenset[UUID]


def offer(tx: WriteTransaction, case: Case, new: HandoverInput) -> Handover:
    """Offer the lead of a locked case to another office; the caller must be the lead.

    Raises ActionNotYours or RoleMissing (403), FocalPointUnknown or SuccessorUnfit (422),
    or HandoverOpen or NeedsUnmet (409).
    """
    require_offer_allowed(tx, case)
    lead = directory_queries.by_id(tx, tx.actor.focal_point_id)
    successor = directory_queries.get_by_code_or_422(tx, new.to)
    require_fit_successor(case, successor)
    require_no_open_offer(tx, case)
    case_file = standing.filter_for_caller(tx, standing.load_for_case(tx, case))
    transfer, terms = LeadTransfer(lead, successor), Terms(reason=new.reason)
    facts = build_facts(tx, case_file, transfer, terms)
    RULES.require(OFFER, redact_for(case_file, lead, facts))
    return create_offer(tx, case, transfer, new.reason, new.note)


def create_offer(
    tx: WriteTransaction,
    case: Case,
    transfer: LeadTransfer,
    reason: HandoverReason,
    note: str | None = None,
) -> Handover:
    """Create a handover, make the successor a party of it, and record the offer."""
    lead, successor = transfer.lead, transfer.successor
    handover = Handover(
        id=tx.create_id(),
        case=case,
        case_id=case.id,
        lead_id=lead.id,
        successor_id=successor.id,
        reason=reason,
        offered_at=tx.now,
    )
    tx.session.add(handover)
    case.add_party(successor.id, Relation.HANDOVER_CANDIDATE, tx.now, handover.id)
    case_actions.add_note(tx, case, name_note(Action.OFFER), note)
    tx.session.flush()
    start_deadline(tx, handover)
    record_event(tx, handover, Action.OFFER, handover.audience)
    return handover


def name_note(action: Action) -> str:
    """Return the label of the note that an office adds to an action on a handover."""
    return f"{action}_handover"


def require_offer_allowed(tx: WriteTransaction, case: Case) -> None:
    """Raise ActionNotYours or RoleMissing (403) unless the caller may offer the lead."""
    sides = get_handover_sides(case.list_relations(tx.actor.focal_point_id))
    rows = [OFFER] if OFFER.sides & sides else []
    if not rows or not is_role_allowed(OFFER, sides, tx.actor.roles):
        TABLE.raise_unavailable(TABLE.start, [OFFER], rows)


def require_fit_successor(case: Case, successor: FocalPoint) -> None:
    """Raise SuccessorUnfit (422) if the office is the lead, is inactive, or cannot lead."""
    another = successor.id != case.with_relation(Relation.LEAD)
    able = successor.active and successor.can_lead and successor.kind not in NEVER_LEAD
    if not (another and able):
        raise SuccessorUnfit("Name another active focal point that can lead a case.")


def require_no_open_offer(tx: WriteTransaction, case: Case) -> None:
    """Raise HandoverOpen (409) if the case already has an open handover."""
    if asked := handover_queries.find_open(tx, case.id):
        facts = {"handover": str(asked.id)}
        raise HandoverOpen("Wait for the answer, or cancel that offer first.", facts)


def lock_and_check(
    tx: WriteTransaction,
    handover_id: UUID,
    action: Action,
    seen: SeenVersions,
    terms: Terms | None = None,
) -> PendingStep:
    """Lock a handover, check that an action is allowed, and return the pending step.

    Raises NotFound (404), VersionStale (412) or VersionNotGiven (428), ActionNotYours or
    RoleMissing (403), or ActionIllegal or NeedsUnmet (409).
    """
    handover = handover_queries.lock(tx, handover_id)
    seen.require_version(handover.version)
    step = TABLE.find(handover.state, action, get_sides(handover, tx.actor), tx.actor.roles)
    case_file = standing.filter_for_caller(tx, standing.load_for_case(tx, handover.case))
    facts = load_facts(tx, handover, case_file, terms)
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    RULES.require(step, redact_for(case_file, own_office, facts))
    return PendingStep(handover.case, handover, step, handover.audience)


def load_facts(
    tx: WriteTransaction,
    handover: Handover,
    case_file: Standing,
    terms: Terms | None = None,
) -> Facts:
    """Load the facts against which the requirements of a handover are checked."""
    clock = find_running(tx, [handover.id]).get(handover.id)
    transfer = LeadTransfer(handover.lead, handover.successor)
    return build_facts(tx, case_file, transfer, terms, clock)


def accept(
    tx: WriteTransaction, handover_id: UUID, seen: SeenVersions, promise: AcceptHandover
) -> Handover:
    """Accept the lead, and reassign the deadlines of the former lead to the successor.

    The contacts of the new lead replace those of the case. Raises the errors of
    `lock_and_check`, and SuccessorUnfit (422) if the successor has become unfit since the
    offer.
    """
    contacts = default_contacts.complete(tx, promise.contacts)
    names, capacity = collect_names(contacts), promise.capacity_confirmed
    terms = Terms(contacts=names, capacity=capacity)
    pending = lock_and_check(tx, handover_id, Action.ACCEPT, seen, terms)
    case, handover = pending.case, pending.handover
    require_fit_successor(case, handover.successor)
    before = case.audience
    case_actions.replace_sealed(tx, case, Paper.CONTACTS, NamedContacts(contacts=contacts))
    case.add_party(handover.lead_id, Relation.FORMER_LEAD, tx.now, handover.id)
    set_lead(tx, case, handover.successor_id)
    take_step(tx, pending)
    facts = {"state": case.state}
    tx.record("case.handed_over", case, before | case.audience, facts)
    record_sender_change(tx, case)
    return handover


def set_lead(
    tx: WriteTransaction, case: Case, successor: UUID, due_at: datetime | None = None
) -> None:
    """Make an office the lead and reassign the deadlines of the former lead to it.

    The relations of the former lead and of the escalation desk end, and pending approvals
    expire. `due_at` is the new due time of the case's deadline. If it is None, the deadline
    starts again.
    """
    for relation in (Relation.LEAD, Relation.ESCALATION_DESK):
        case.end_relation(relation, tx.now)
    case.add_party(successor, Relation.LEAD, tx.now)
    case.raise_version()
    case_actions.start_deadline(tx, case, due_at)
    case_actions.expire_approvals(tx, case)
    watch_expiry(tx, case)
    return_following.reassign_all_deadlines(tx, case)


def record_sender_change(tx: WriteTransaction, case: Case) -> None:
    """Record, for parties that may see the lead, that open referrals have a new sender."""
    for referral in referral_queries.list_of_case(tx, case.id):
        if referral.state in REFERRAL_OPEN:
            facts = {"state": str(referral.state), "service": str(referral.service)}
            informed = {o for o in referral.audience if Grant.LEAD in case.get_grants(o)}
            tx.record("referral.sender_changed", referral, frozenset(informed), facts)


def decline(tx: WriteTransaction, pending: PendingStep, why: DeclineHandover) -> Handover:
    """Decline a handover with a reason, and end the relation of the declining office."""
    pending.handover.decline_reason = why.reason
    case_actions.add_note(tx, pending.case, name_note(Action.DECLINE), why.note)
    return take_step(tx, pending)


def cancel(tx: WriteTransaction, pending: PendingStep, note: str | None) -> Handover:
    """Cancel a handover; the office that was asked to lead loses its access at once."""
    case_actions.add_note(tx, pending.case, name_note(Action.CANCEL), note)
    return take_step(tx, pending)


def take_step(
    tx: WriteTransaction, pending: PendingStep, *, by_system: bool = False
) -> Handover:
    """Take a step that ends an offer, and end the candidate's relation to the handover."""
    handover = pending.handover
    kernel_lifecycle.apply_step(handover, pending.step)
    handover.raise_version()
    pending.case.end_relation(Relation.HANDOVER_CANDIDATE, tx.now, handover.id)
    start_deadline(tx, handover)
    audience = pending.before | handover.audience
    record_event(tx, handover, pending.step.action, audience, by_system=by_system)
    return handover


def record_event(
    tx: WriteTransaction,
    handover: Handover,
    action: Action,
    audience: frozenset[UUID],
    *,
    by_system: bool = False,
) -> None:
    """Record a step in the journal, with the reason for declining or else for the offer."""
    reason = handover.decline_reason or handover.reason
    facts = {"state": str(handover.state), "reason": reason}
    tx.record(EVENTS[action], handover, audience, facts, by_system=by_system)


def start_deadline(tx: WriteTransaction, handover: Handover) -> None:
    """Start the deadline of the current state, if any, and stop any earlier deadline."""
    if handover.state not in CLOCKS:
        deadline_actions.stop(tx, handover.id)
        return
    kind, _ = CLOCKS[handover.state]
    successor_id = handover.successor_id
    due_at = compute_due_at(tx, kind, handover.case, waits_on=successor_id)
    deadline_actions.restart(tx, handover, kind, due_at, waits_on=successor_id)
