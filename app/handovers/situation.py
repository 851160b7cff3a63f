"""Functions that load the facts of a handover and build its view for the caller."""

from collections.abc import Sequence
from dataclasses import replace

from app.cases.default_contacts import has_default
from app.cases.sections import Section
from app.consents import standing
from app.consents.coverage import Purpose
from app.consents.standing import Standing
from app.deadlines import queries as deadline_queries
from app.deadlines.models import Clock
from app.deadlines.queries import list_answers
from app.directory import queries as directory_queries
from app.directory.kinds import DisclosureLevel
from app.directory.models import FocalPoint
from app.handovers.borders import LeadTransfer, is_agreed, list_held_back_sections
from app.handovers.lifecycle import ANSWERS, TABLE, Action, State
from app.handovers.models import Handover
from app.handovers.needs import RULES, Facts, Terms
from app.handovers.schemas import AvailableHandoverAction, HandoverOut, HandoverReason
from app.kernel.actors import Actor, Side, get_handover_sides
from app.kernel.transactions import ReadTransaction


def get_sides(handover: Handover, actor: Actor) -> frozenset[Side]:
    """Return the sides of an actor in a handover."""
    return get_handover_sides(handover.list_relations(actor.focal_point_id))


def build_facts(
    tx: ReadTransaction,
    case_file: Standing,
    transfer: LeadTransfer,
    terms: Terms | None = None,
    clock: Clock | None = None,
) -> Facts:
    """Build the facts against which the requirements are checked."""
    to = transfer.successor
    sections = case_file.get_covered_sections(to, Purpose.HANDOVER)
    return Facts(
        case_state=case_file.case.state,
        covered=sections is not None,
        child_path=case_file.facts.interests_are_assessed,
        recipient_safe=case_file.is_safe(to, to.code),
        agreed=is_agreed(tx, case_file.case, transfer, DisclosureLevel.SUMMARY),
        origin_permitted=case_file.is_permitted_for_origin(to),
        time_is_up=clock is not None and (clock.due_at <= tx.now or not to.active),
        may_be_child=case_file.case.may_be_child_to(tx.actor.focal_point_id),
        terms=terms or Terms(),
        successor=to.code,
    )


def redact_for(case_file: Standing, reader: FocalPoint, facts: Facts) -> Facts:
    """Return the facts that a reader may see.

    If the reader must not learn the fears of the person, a successor that is unsafe or not
    permitted appears only to lack a consent. A successor of the State of origin must not
    learn that the person fears this State.
    """
    if case_file.may_know_fears(reader):
        return facts
    safe = facts.recipient_safe and facts.origin_permitted
    return replace(
        facts,
        covered=facts.covered and safe,
        child_path=facts.child_path and safe,
        recipient_safe=True,
        origin_permitted=True,
    )


def show(tx: ReadTransaction, handovers: Sequence[Handover]) -> list[HandoverOut]:
    """Return handovers as the caller may see them."""
    if not handovers:  # the usual result of a poll
        return []
    found = standing.load_for_cases(tx, [handover.case for handover in handovers])
    case_files = {key: standing.filter_for_caller(tx, one) for key, one in found.items()}
    clocks = deadline_queries.find_running(tx, [handover.id for handover in handovers])
    return [show_one(tx, h, case_files[h.case_id], clocks.get(h.id)) for h in handovers]


def show_one(
    tx: ReadTransaction, handover: Handover, case_file: Standing, clock: Clock | None
) -> HandoverOut:
    """Return one handover as the caller may see it, with the available actions."""
    sides = get_sides(handover, tx.actor)
    rows = TABLE.list_steps_for(handover.state, sides, tx.actor.roles)
    transfer = LeadTransfer(handover.lead, handover.successor)
    facts = build_facts(tx, case_file, transfer, clock=clock)
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    known = redact_for(case_file, own_office, facts)
    if any(step.action == Action.ACCEPT for step, _ in rows):
        known = replace(known, default_contacts=has_default(tx, own_office.id))
    return HandoverOut(
        id=handover.id,
        case=handover.case.code,
        you_are=sorted(sides),
        lead=handover.lead.code,
        to=handover.successor.code,
        reason=HandoverReason(handover.reason),
        state=handover.state,
        decline_reason=handover.decline_reason,
        offered_at=handover.offered_at,
        due_at=clock.due_at if clock else None,
        held_back=list_held_back(tx, handover, case_file, transfer, sides),
        version=handover.version,
        available_actions=AvailableHandoverAction.list_from(
            rows, RULES, known, list_answers(clock, ANSWERS, own_office.id)
        ),
    )


def list_held_back(
    tx: ReadTransaction,
    handover: Handover,
    case_file: Standing,
    transfer: LeadTransfer,
    sides: frozenset[Side],
) -> list[Section]:
    """List the sections that the person agreed to but that may not cross the border.

    The list is empty unless the caller is the lead that makes the offer, or the new lead.
    """
    state, to = handover.state, transfer.successor
    is_new_lead = state == State.EFFECTIVE and to.id == tx.actor.focal_point_id
    if Side.LEAD not in sides or not (state == State.OFFERED or is_new_lead):
        return []
    purposes = (Purpose.REFER, Purpose.HANDOVER)
    agreed = [case_file.get_covered_sections(to, p) or frozenset() for p in purposes]
    return list_held_back_sections(tx, case_file.case, transfer, frozenset().union(*agreed))
