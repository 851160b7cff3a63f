"""Changes to an offer of the lead that follow from changes to its case."""

from collections.abc import Sequence
from uuid import UUID

from app.cases.models import Case
from app.consents import standing
from app.consents.standing import Standing
from app.directory import queries as directory
from app.handovers import queries
from app.handovers.actions import PendingStep, create_offer, load_facts, take_step
from app.handovers.borders import LeadTransfer
from app.handovers.lifecycle import OFFER, TABLE, Action, State
from app.handovers.models import Handover
from app.handovers.needs import RULES, Terms
from app.handovers.schemas import HandoverReason
from app.handovers.situation import build_facts
from app.kernel.actors import Side
from app.kernel.transactions import Reading, Writing


def offer_to_first(work: Writing, case: Case, candidates: Sequence[UUID]) -> None:
    """Offer the lead to the first suitable candidate, after the person crossed a border.

    Nothing is offered while an offer is open, or before the person agrees. Only consents
    that the lead may know count, because the lead sees the office of the offer.
    """
    reason = HandoverReason.MIGRATION_OR_CHANGE_OF_LOCATION
    lead = directory.by_id(work, work.actor.focal_point_id)
    case_file = standing.filter_for_caller(work, standing.load_for_case(work, case))
    terms = Terms(reason=reason)
    for candidate in candidates if not queries.find_open(work, case.id) else ():
        transfer = LeadTransfer(lead, directory.by_id(work, candidate))
        if lead.id == candidate or RULES.list_unmet(
            OFFER, build_facts(work, case_file, transfer, terms)
        ):
            continue
        create_offer(work, case, transfer, reason)
        return


def is_offer_covered(work: Writing, case: Case, case_file: Standing) -> bool:
    """Return whether the lead of a case is on offer and a consent covers the offer."""
    handover = queries.find_open(work, case.id)
    return handover is not None and load_facts(work, handover, case_file).covered


def cancel_uncovered(work: Writing, case: Case, *, was_covered: bool) -> None:
    """Cancel an offer if a consent covered it before (`rested`) and none does now."""
    if was_covered and not is_offer_covered(work, case, standing.load_for_case(work, case)):
        cancel_open(work, case)


def cancel_unsafe(work: Writing, case: Case) -> None:
    """Cancel an offer to an office that turns out to be unsafe, without a reason."""
    handover, case_file = (
        queries.find_open(work, case.id),
        standing.load_for_case(work, case),
    )
    if handover and not load_facts(work, handover, case_file).recipient_safe:
        cancel_open(work, case)


def cancel_unagreed(work: Writing, case: Case) -> bool:
    """Cancel an offer that no agreement in force lets cross its border; False if none.

    Nobody could accept it, and the lead cannot offer the case to another office meanwhile.
    """
    handover = queries.find_open(work, case.id)
    if handover is None or not needs_agreement(work, handover):
        return False
    end_by_system(work, handover, Action.CANCEL)
    return True


def needs_agreement(work: Reading, handover: Handover) -> bool:
    """Return whether an offer crosses a border without an agreement in force.

    Raises NotFound (404) or Unopenable if the safeguards of the case do not open.
    """
    transfer = LeadTransfer(handover.lead, handover.successor)
    return not build_facts(
        work, standing.load_for_case(work, handover.case), transfer
    ).agreed


def cancel_open(work: Writing, case: Case) -> None:
    """Cancel the open offer of a locked case, if there is one, as the system.

    No reason is given: the successor must not learn of a fear.
    """
    handover = queries.find_open(work, case.id)
    if handover is not None:
        end_by_system(work, handover, Action.CANCEL)


def expire(work: Writing, handover: Handover) -> None:
    """Expire a handover whose deadline was missed (D07), or whose successor is closed.

    Raises NeedsUnmet (409) before that.
    """
    step = TABLE.find(handover.state, Action.EXPIRE, {Side.SYSTEM}, frozenset())
    case_file = standing.load_for_case(work, handover.case)
    RULES.require(step, load_facts(work, handover, case_file))
    end_by_system(work, handover, Action.EXPIRE)


def end_by_system(work: Writing, handover: Handover, action: Action) -> None:
    """Take a step of the system, which leaves the lead unchanged."""
    step = TABLE.find(State.OFFERED, action, {Side.SYSTEM}, frozenset())
    pending = PendingStep(handover.case, handover, step, handover.audience)
    take_step(work, pending, by_system=True)
