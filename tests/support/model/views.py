"""What each account sees of a modelled case, and how requirements are judged."""

from tests.support.model.case_values import (
    ALIVE,
    CASE,
    HANDOVER,
    REFERRAL,
    THE_CASE,
    UNLED,
    Actor,
    Met,
    Model,
    View,
    handover_needs,
    referral_needs,
    sides_of_case,
    sides_of_handover,
    sides_of_referral,
)
from tests.support.model.clocks import is_failing
from tests.support.model.moves import next_lead


def case_needs(world: Model, me: str) -> Met:
    """Return a function that judges the requirements of actions on the case."""
    lead = world.who("lead")
    alive = [one for one in world.referrals if one.state in ALIVE]
    offered = [one for one in world.handovers if one.state == "offered"]
    met = {
        "notice": world.whole,
        "consent_to_refer": world.may_be_referred,
        "child_path": False,
        "vital_interest": False,
        "recipient_safe": me not in world.unsafe,
        "risk_current": world.risk_is_current,
        "nothing_sent": not any(one.told for one in world.referrals),
        "nothing_open": not alive and not offered,
        "no_legal_hold": True,
        "return_over": True,
        "lead_failing": lead is not None and is_failing(world, lead),
        "nobody_named": next_lead(world) is None,
    }
    return met.__getitem__


def view_case(world: Model, actor: Actor) -> View | None:
    """Return what an account sees of the case, or None."""
    me = actor.focal_point
    if not world.sees_case(me):
        return None
    sides, you_are = sides_of_case(world, me), world.relations(me) or world.parts(me)
    steps = CASE.open_to(world.state, sides, actor.roles, case_needs(world, me))
    follows = world.follows(me)
    shown = sides and (world.is_party(me) or world.state in UNLED | {"void"})
    due = world.left(THE_CASE) if shown else None
    if not follows and is_past_its_first_lead(world):
        return tuple(sorted(you_are)), world.state, None, None, None, steps
    return tuple(sorted(you_are)), world.state, world.who("lead"), world.holder, due, steps


def is_past_its_first_lead(world: Model) -> bool:
    """Return whether the lead has moved, which a submitter does not see (ADR 12)."""
    handed = any(one.state == "effective" for one in world.handovers)
    return handed or world.who("former_lead") is not None


def view_referral(world: Model, number: int, actor: Actor) -> View | None:
    """Return what an account sees of a referral, or None."""
    one = world.referrals[number]
    sides = sides_of_referral(world, one, actor.focal_point)
    if not sides:
        return None
    me = actor.focal_point
    met = referral_needs(world, one, me)
    steps = REFERRAL.open_to(one.state, sides, actor.roles, met)
    sender = world.holder if world.sees_case(me) else None
    due = world.left(("referral", number)) if one.is_known_to(me) else None
    return tuple(sorted(sides)), one.state, sender, due, steps


def view_handover(world: Model, number: int, actor: Actor) -> View | None:
    """Return what an account sees of a handover, or None."""
    one = world.handovers[number]
    sides = sides_of_handover(world, one, actor.focal_point)
    if not sides:
        return None
    met = handover_needs(world, one, actor.focal_point)
    steps = HANDOVER.open_to(one.state, sides, actor.roles, met)
    due = world.left(("handover", number))
    return tuple(sorted(sides)), one.state, one.lead, due, steps


def worklist(world: Model, me: str) -> list[View]:
    """Return the worklist of an office: record, kind and minutes left of each item."""
    mine = [clock for clock in world.clocks if clock.whom == me]
    rows = [(THE_CASE if c.of[0] == "question" else c.of, c.kind, c.left) for c in mine]
    return sorted(rows, key=repr)
