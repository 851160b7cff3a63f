"""Actions on consents, risk, safeguards, questions and failing leads in a modelled case."""

from dataclasses import replace
from typing import Any, Final

from tests.support.model.case_values import (
    BY_DESK,
    CASE_OPEN,
    DAY,
    FEARS,
    GONE,
    ILLEGAL,
    LED,
    NOT_FOUND,
    NOT_YOURS,
    OK,
    POST,
    ROLE_MISSING,
    TERMS,
    THE_CASE,
    UNLED,
    Actor,
    Consent,
    Model,
    Outcome,
    Question,
    Verdict,
    get_case_sides,
)
from tests.support.model.deadlines import (
    hand_over_deadlines,
    is_failing,
    start_case_deadline,
    update_question,
)
from tests.support.model.effects import (
    NEVER,
    WITHDRAWN,
    add_party,
    apply_automatic_steps,
    cancel_offers,
    get_next_lead,
    is_helping,
    may_take_over,
    offer_case,
    remove_parties,
    replace_lead,
    update_referrals,
    withdraw_consent,
)

WORKERS: Final = frozenset({"officer", "caseworker", "coordinator"})


def may_write(world: Model, actor: Actor) -> Verdict | None:
    """Return the reason to refuse a write to the case, or None if the write is allowed."""
    if world.state not in UNLED | LED:
        return ILLEGAL
    owner = "submitter" if world.state in UNLED else "lead"
    return None if owner in world.get_relations(actor.focal_point) else NOT_YOURS


def on_consent(world: Model, actor: Actor, name: str, target: Any, _: bool) -> Outcome:
    """Return the outcome of recording or withdrawing a consent."""
    me = actor.focal_point
    if not world.can_see_case(me):
        return NOT_FOUND, world
    if name == "record":
        given = replace(world, consents=(*world.consents, Consent(target, me)))
        if world.state == "closed":  # so that a consent can be given again
            return OK if "lead" in world.get_relations(me) else NOT_YOURS, given
        return may_write(world, actor) or OK, given
    consent: Consent = world.consents[target]
    if not may_see_consent(world, me, consent):
        return NOT_FOUND, world
    return OK, world if is_feared_submitter(world, me) else withdraw_consent(world, target)


def is_feared_submitter(world: Model, me: str) -> bool:
    """Return whether an office can only report the withdrawal of a consent (ADR 53).

    This applies to a submitter that the person fears, after a lead has taken the case.
    """
    handed_on = world.state not in UNLED | {"void"}
    return handed_on and me in world.unsafe and me != world.holder


def may_see_consent(world: Model, me: str, consent: Consent) -> bool:
    """Return whether an office may learn that a consent exists."""
    mine, reviews = world.get_relations(me), world.state == "under_review"
    holds = "lead" in mine or ("candidate" in mine and reviews)
    named = is_helping(world, me) and me in TERMS[consent.kind].to
    return holds or consent.recorded_by == me or named


def on_risk(world: Model, actor: Actor, _: str, level: str, __: bool) -> Outcome:
    """Return the outcome of a risk assessment.

    Of two assessments at the same time, the higher risk counts.
    """
    me = actor.focal_point
    if not world.can_see_case(me):
        return NOT_FOUND, world
    if world.state not in CASE_OPEN | {"draft"}:
        return ILLEGAL, world
    if not get_case_sides(world, me) and not is_helping(world, me):
        return NOT_YOURS, world
    after = replace(world, risk=min((0, level), world.risk or (NEVER, "")))
    return OK, start_case_deadline(after) if world.state in {
        "referring",
        "assisting",
    } else after


def on_safeguards(world: Model, actor: Actor, _: str, fears: str, __: bool) -> Outcome:
    """Return the outcome of writing the safeguards.

    A recipient that still helps, or the candidate of a case without a lead, loses access at
    once if it becomes unsafe (ADR 11).
    """
    me = actor.focal_point
    if not world.can_see_case(me):
        return NOT_FOUND, world
    if may_write(world, actor):
        return NOT_YOURS, world
    after = replace(world, fears=fears)
    after = update_referrals(after, WITHDRAWN, lambda one: one.to in after.unsafe)
    after = apply_automatic_steps(cancel_offers(after, lambda one: one.to in FEARS[fears]))
    if after.find_party("lead") is None and after.holder in after.unsafe:
        left = remove_parties(replace(after, state="submitted"), "candidate", "desk")
        after = start_case_deadline(hand_over_deadlines(offer_case(left)))
    return OK if after.can_see_case(me) else GONE, after


def on_question(world: Model, actor: Actor, name: str, number: Any, _: bool) -> Outcome:
    """Return the outcome of a question by the holder, or of an answer by the submitter."""
    me = actor.focal_point
    if not world.can_see_case(me):
        return NOT_FOUND, world
    side = "holder" if name == "ask" else "submitter"
    refusals = {
        ILLEGAL: world.state not in CASE_OPEN,
        NOT_YOURS: side not in get_case_sides(world, me),
        ROLE_MISSING: not actor.roles & WORKERS,
    }
    if refusal := next((why for why, holds in refusals.items() if holds), None):
        return refusal, world
    if name == "ask" and POST in world.unsafe and world.may_know(me):
        return ("needs-unmet", "recipient_safe"), world
    if name == "ask":
        updated = replace(world, questions=(*world.questions, Question()))
        return OK, update_question(updated, len(world.questions), Question())
    question: Question = world.questions[number]
    if question.is_answered:
        return ("question-answered",), world
    return OK, update_question(world, number, Question(is_answered=True))


def on_lead(world: Model, actor: Actor, name: str, target: Any, poor: bool) -> Outcome:
    """Return the outcome of a visit by the lead, or of a step to replace that lead."""
    me = actor.focal_point
    sides = get_case_sides(world, me)
    if not world.can_see_case(me):
        return NOT_FOUND, world
    if name == "visit" and not sides:
        return NOT_YOURS, world
    states = {"monitoring"} if name == "visit" else LED
    if name == "record_lead_consent":
        states = {*LED, "submitted"}
    roles = WORKERS if name == "visit" else {"coordinator"}
    refusals = {
        ILLEGAL: world.state not in states,
        NOT_YOURS: ("lead" if name == "visit" else "desk") not in sides,
        ROLE_MISSING: not actor.roles & roles,
    }
    if refusal := next((why for why, holds in refusals.items() if holds), None):
        return refusal, world
    if name == "visit":
        return OK, start_case_deadline(replace(world, visits=world.visits[1:]))
    if name == "record_lead_consent":
        return record_lead_consent(world, me)
    return take_over(world, me, target, poor)


def record_lead_consent(world: Model, me: str) -> Outcome:
    """Return the outcome when a desk records a consent to State offices as the new lead.

    A desk cannot record another one while the first is valid. Before a case has a lead,
    recording requires that the submitter no longer acts. In the model the submitter always
    acts.
    """
    if world.state == "submitted":
        return ("needs-unmet", "reason", "submitter_gone"), world
    if not is_failing(world, world.find_party("lead") or ""):
        return ("lead-not-failing",), world
    if get_next_lead(world) is not None:
        return ("needs-unmet", "nobody_named"), world
    if any(one.kind == BY_DESK and one.is_valid for one in world.consents):
        return ("lead-consent-recorded",), world
    return OK, replace(world, consents=(*world.consents, Consent(BY_DESK, me)))


def take_over(world: Model, me: str, chosen: str, poor: bool) -> Outcome:
    """Return the outcome when a desk replaces a failing lead.

    If the lead has offered a handover, the offer is cancelled.
    """
    lead = world.find_party("lead")
    assert lead is not None
    if not is_failing(world, lead):
        return ("lead-not-failing",), world
    met = {"person_informed": not poor, "focal_point_chosen": may_take_over(world, chosen)}
    if lacking := [need for need, holds in met.items() if not holds]:
        return ("needs-unmet", *lacking), world
    after = add_party(world, "former_lead", lead)
    after = replace_lead(cancel_offers(after), chosen, get_time_of_new_lead(world))
    return OK if after.can_see_case(me) else GONE, after


def get_time_of_new_lead(world: Model) -> int | None:
    """Return the minutes that a new lead has: the time left, or one day if none is left.

    Return None if no deadline of the case runs, or if it has no predicted time.
    """
    left = world.get_time_left(THE_CASE)
    return DAY if left is not None and left <= 0 else left


BESIDE: Final = {
    "consent": on_consent,
    "risk": on_risk,
    "safeguards": on_safeguards,
    "question": on_question,
    "lead": on_lead,
}
