"""Functions that offer the lead of a case to another office and move it there (BR20)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.cases import actions as cases
from app.cases.grants import Grant
from app.cases.models import Case
from app.cases.sections import Contacts, Paper
from app.consents import standing
from app.consents.expiry_deadlines import watch_expiry
from app.consents.standing import Standing
from app.deadlines import actions as deadlines
from app.deadlines.queries import compute_due_at, find_running
from app.directory import queries as directory
from app.directory.kinds import NEVER_LEAD
from app.directory.models import FocalPoint
from app.handovers import queries
from app.handovers.borders import LeadTransfer
from app.handovers.lifecycle import CLOCKS, EVENTS, OFFER, TABLE, Action, Row
from app.handovers.models import Handover
from app.handovers.needs import RULES, Facts, Terms
from app.handovers.schemas import (
    AcceptHandover,
    DeclineHandover,
    HandoverReason,
    NewHandover,
)
from app.handovers.situation import build_facts, get_sides, redact_for
from app.kernel import lifecycle
from app.kernel.actors import Relation, get_handover_sides
from app.kernel.lifecycle import is_role_allowed
from app.kernel.problems import Problem
from app.kernel.transactions import Writing
from app.kernel.versions import SeenVersions
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import OPEN as REFERRAL_OPEN
from app.returns import following as return_following


class SuccessorUnfit(Problem):
    """The focal point named cannot take over the lead."""

    status = 422


class HandoverOpen(Problem):
    """The lead of this case is on offer already."""

    status = 409


@dataclass(frozen=True)
class PendingStep:
    """A step that passed every check and is about to be taken."""

    case: Case
    handover: Handover
    step: Row
    before: frozenset[UUID]


def offer(work: Writing, case: Case, new: NewHandover) -> Handover:
    """Offer the lead of a locked case to one office, as its lead.

    Raises ActionNotYours or RoleMissing (403), FocalPointUnknown or SuccessorUnfit (422),
    HandoverOpen or NeedsUnmet (409).
    """
    require_may_offer(work, case)
    lead = directory.by_id(work, work.actor.focal_point_id)
    successor = directory.get_by_code_or_422(work, new.to)
    require_fit_successor(case, successor)
    require_no_open_offer(work, case)
    case_file = standing.filter_for_caller(work, standing.load_for_case(work, case))
    transfer, terms = LeadTransfer(lead, successor), Terms(reason=new.reason)
    RULES.require(
        OFFER, redact_for(case_file, lead, build_facts(work, case_file, transfer, terms))
    )
    return create_offer(work, case, transfer, new.reason, new.note)


def create_offer(
    work: Writing,
    case: Case,
    transfer: LeadTransfer,
    reason: HandoverReason,
    note: str | None = None,
) -> Handover:
    """Create the handover; the successor becomes a party of it."""
    lead, successor = transfer.lead, transfer.successor
    handover = Handover(
        id=work.create_id(),
        case=case,
        case_id=case.id,
        lead_id=lead.id,
        successor_id=successor.id,
        reason=reason,
        offered_at=work.now,
    )
    work.session.add(handover)
    case.add_party(successor.id, Relation.HANDOVER_CANDIDATE, work.now, handover.id)
    cases.add_note(work, case, name_note(Action.OFFER), note)
    work.session.flush()
    start_deadline(work, handover)
    record_event(work, handover, Action.OFFER, handover.audience)
    return handover


def name_note(action: Action) -> str:
    """Return the label of the note of a step, which the leads of the case may open."""
    return f"{action}_handover"


def require_may_offer(work: Writing, case: Case) -> None:
    """Raise unless the caller leads this case and has a role that may offer the lead."""
    sides = get_handover_sides(case.list_relations(work.actor.focal_point_id))
    rows = [OFFER] if OFFER.sides & sides else []
    if not rows or not is_role_allowed(OFFER, sides, work.actor.roles):
        TABLE.raise_unavailable(TABLE.start, [OFFER], rows)


def require_fit_successor(case: Case, successor: FocalPoint) -> None:
    """Raise SuccessorUnfit (422) unless it is another active office that can lead."""
    another = successor.id != case.with_relation(Relation.LEAD)
    able = successor.active and successor.can_lead and successor.kind not in NEVER_LEAD
    if not (another and able):
        raise SuccessorUnfit("Name another active focal point that can lead a case.")


def require_no_open_offer(work: Writing, case: Case) -> None:
    """Raise HandoverOpen (409) if another offer of the lead is open."""
    if asked := queries.find_open(work, case.id):
        facts = {"handover": str(asked.id)}
        raise HandoverOpen("Wait for the answer, or cancel that offer first.", facts)


def lock_and_check(
    work: Writing,
    handover_id: UUID,
    action: Action,
    seen: SeenVersions,
    terms: Terms | None = None,
) -> PendingStep:
    """Lock a handover and check that the step may be taken now.

    The checks run in this order, so that an error reveals no more than the caller may know:
    not visible (404), stale version (412, 428), wrong state (409), another side or role
    (403), unmet requirements (409).
    """
    _, handover = queries.lock(work, handover_id)
    seen.require_version(handover.version)
    step = TABLE.find(
        handover.state, action, get_sides(handover, work.actor), work.actor.roles
    )
    case_file = standing.filter_for_caller(
        work, standing.load_for_case(work, handover.case)
    )
    facts = load_facts(work, handover, case_file, terms)
    own_office = directory.by_id(work, work.actor.focal_point_id)
    RULES.require(step, redact_for(case_file, own_office, facts))
    return PendingStep(handover.case, handover, step, handover.audience)


def load_facts(
    work: Writing, handover: Handover, case_file: Standing, terms: Terms | None = None
) -> Facts:
    """Load the facts of one handover that its requirements are checked against."""
    clock = find_running(work, [handover.id]).get(handover.id)
    transfer = LeadTransfer(handover.lead, handover.successor)
    return build_facts(work, case_file, transfer, terms, clock)


def accept(work: Writing, pending: PendingStep, promise: AcceptHandover) -> Handover:
    """Accept the lead; deadlines and the side of the sender move to the new lead.

    The contacts of the new lead replace the sealed ones. Raises SuccessorUnfit (422),
    because the successor may have changed since the offer.
    """
    case, handover = pending.case, pending.handover
    require_fit_successor(case, handover.successor)
    before = case.audience
    cases.replace_sealed(work, case, Paper.CONTACTS, Contacts(contacts=promise.contacts))
    case.add_party(handover.lead_id, Relation.FORMER_LEAD, work.now, handover.id)
    set_lead(work, case, handover.successor_id)
    take_step(work, pending)
    facts = {"state": case.state}
    work.record("case.handed_over", case, before | case.audience, facts)
    record_sender_change(work, case)
    return handover


def set_lead(
    work: Writing, case: Case, successor: UUID, due_at: datetime | None = None
) -> None:
    """Make an office the lead and reassign the deadlines of the former lead to it.

    The former lead and a desk that helped it lose their relations, and pending approvals
    expire. `due_at` is the due time of the case's deadline; if None, it starts anew.
    """
    for relation in (Relation.LEAD, Relation.ESCALATION_DESK):
        case.end_relation(relation, work.now)
    case.add_party(successor, Relation.LEAD, work.now)
    case.raise_version()
    cases.start_deadline(work, case, due_at)
    cases.expire_approvals(work, case)
    watch_expiry(work, case)
    return_following.reassign_all_deadlines(work, case)


def record_sender_change(work: Writing, case: Case) -> None:
    """Record the change of sender for the parties of open referrals that may know it."""
    for referral in referral_queries.list_of_case(work, case.id):
        if referral.state in REFERRAL_OPEN:
            facts = {"state": str(referral.state), "service": str(referral.service)}
            audience = frozenset(
                office
                for office in referral.audience
                if Grant.LEAD in case.get_grants(office)
            )
            work.record("referral.sender_changed", referral, audience, facts)


def decline(work: Writing, pending: PendingStep, why: DeclineHandover) -> Handover:
    """Decline the offer with a reason; the relation of the successor ends."""
    pending.handover.decline_reason = why.reason
    cases.add_note(work, pending.case, name_note(Action.DECLINE), why.note)
    return take_step(work, pending)


def cancel(work: Writing, pending: PendingStep, note: str | None) -> Handover:
    """Cancel the offer; the successor loses access at once."""
    cases.add_note(work, pending.case, name_note(Action.CANCEL), note)
    return take_step(work, pending)


def take_step(work: Writing, pending: PendingStep, *, by_system: bool = False) -> Handover:
    """Take the step, end the candidate's relation and record the event."""
    handover = pending.handover
    lifecycle.apply_step(handover, pending.step)
    handover.raise_version()
    pending.case.end_relation(Relation.HANDOVER_CANDIDATE, work.now, handover.id)
    start_deadline(work, handover)
    audience = pending.before | handover.audience
    record_event(work, handover, pending.step.action, audience, by_system=by_system)
    return handover


def record_event(
    work: Writing,
    handover: Handover,
    action: Action,
    audience: frozenset[UUID],
    *,
    by_system: bool = False,
) -> None:
    """Record a step in the journal, with the reason of the offer or of the refusal."""
    reason = handover.decline_reason or handover.reason
    facts = {"state": str(handover.state), "reason": reason}
    work.record(EVENTS[action], handover, audience, facts, by_system=by_system)


def start_deadline(work: Writing, handover: Handover) -> None:
    """Start the deadline for the current state, or stop the one that runs."""
    if handover.state not in CLOCKS:
        deadlines.stop(work, handover.id)
        return
    kind, _ = CLOCKS[handover.state]
    successor_id = handover.successor_id
    due_at = compute_due_at(work, kind, handover.case, waits_on=successor_id)
    deadlines.restart(work, handover, kind, due_at, waits_on=successor_id)
