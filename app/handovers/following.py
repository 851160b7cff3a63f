"""Changes to a handover that follow from changes to the case."""

from collections.abc import Sequence
from uuid import UUID

from app.cases.models import Case
from app.consents import standing
from app.consents.standing import Standing
from app.directory import queries as directory_queries
from app.handovers import queries as handover_queries
from app.handovers.actions import PendingStep, create_offer, load_facts, take_step
from app.handovers.borders import LeadTransfer
from app.handovers.lifecycle import OFFER, TABLE, Action, State
from app.handovers.models import Handover
from app.handovers.needs import RULES, Terms
from app.handovers.schemas import HandoverReason
from app.handovers.situation import build_facts
from app.kernel.actors import Side
from app.kernel.transactions import ReadTransaction, WriteTransaction


def offer_to_first(tx: WriteTransaction, case: Case, candidates: Sequence[UUID]) -> None:
    """Offer the lead to the first suitable candidate after the person crossed a border.

    No offer is made if the case has an open offer, or if no candidate meets the
    requirements, such as a consent. Only consents that the lead may see count, because the
    lead sees which office gets the offer.
    """
    reason = HandoverReason.MIGRATION_OR_CHANGE_OF_LOCATION
    lead = directory_queries.by_id(tx, tx.actor.focal_point_id)
    case_file = standing.filter_for_caller(tx, standing.load_for_case(tx, case))
    terms = Terms(reason=reason)
    for candidate in candidates if not handover_queries.find_open(tx, case.id) else ():
        transfer = LeadTransfer(lead, directory_queries.by_id(tx, candidate))
        facts = build_facts(tx, case_file, transfer, terms)
        if lead.id == candidate or RULES.list_unmet(OFFER, facts):
            continue
        create_offer(tx, case, transfer, reason)
        return


def is_offer_covered(tx: WriteTransaction, case: Case, case_file: Standing) -> bool:
    """Return whether the case has an open handover offer that a consent covers."""
    handover = handover_queries.find_open(tx, case.id)
    return handover is not None and load_facts(tx, handover, case_file).covered


def cancel_uncovered(tx: WriteTransaction, case: Case, *, was_covered: bool) -> None:
    """Cancel the open offer if a consent covered it before and none covers it now."""
    if was_covered and not is_offer_covered(tx, case, standing.load_for_case(tx, case)):
        cancel_open(tx, case)


def cancel_unsafe(tx: WriteTransaction, case: Case) -> None:
    """Cancel the open offer, without stating why, if the successor is unsafe."""
    handover = handover_queries.find_open(tx, case.id)
    case_file = standing.load_for_case(tx, case)
    if handover and not load_facts(tx, handover, case_file).recipient_safe:
        cancel_open(tx, case)


def cancel_unagreed(tx: WriteTransaction, case: Case) -> bool:
    """Cancel an open handover that lacks an agreement; return whether it was cancelled.

    Nobody could accept such a handover, and an open handover blocks any other offer.
    """
    handover = handover_queries.find_open(tx, case.id)
    if handover is None or not needs_agreement(tx, handover):
        return False
    end_by_system(tx, handover, Action.CANCEL)
    return True


def needs_agreement(tx: ReadTransaction, handover: Handover) -> bool:
    """Return whether an offer lacks an agreement that it needs to cross a border.

    Raises NotFound (404) or Unopenable if the safeguards of the case cannot be opened.
    """
    transfer = LeadTransfer(handover.lead, handover.successor)
    return not build_facts(tx, standing.load_for_case(tx, handover.case), transfer).agreed


def cancel_open(tx: WriteTransaction, case: Case) -> None:
    """Cancel the open offer of a case, if any, automatically and without stating why."""
    handover = handover_queries.find_open(tx, case.id)
    if handover is not None:
        end_by_system(tx, handover, Action.CANCEL)


def expire(tx: WriteTransaction, handover: Handover) -> None:
    """Expire a handover (D07), or raise NeedsUnmet (409) if it can still be answered."""
    step = TABLE.find(handover.state, Action.EXPIRE, {Side.SYSTEM}, frozenset())
    case_file = standing.load_for_case(tx, handover.case)
    RULES.require(step, load_facts(tx, handover, case_file))
    end_by_system(tx, handover, Action.EXPIRE)


def end_by_system(tx: WriteTransaction, handover: Handover, action: Action) -> None:
    """End an open offer automatically; the lead does not change."""
    step = TABLE.find(State.OFFERED, action, {Side.SYSTEM}, frozenset())
    pending = PendingStep(handover.case, handover, step, handover.audience)
    take_step(tx, pending, by_system=True)
