"""The view that each account has of a modelled case, and the checks of requirements."""

from tests.support.model.case_values import (
    ALIVE,
    CASE,
    HANDOVER,
    PAST,
    REFERRAL,
    THE_CASE,
    UNLED,
    Actor,
    Met,
    Model,
    View,
    check_handover_needs,
    check_referral_needs,
    get_case_sides,
    get_handover_sides,
    get_referral_sides,
    has_part,
)
from tests.support.model.deadlines import is_failing
from tests.support.model.effects import get_next_lead


def check_case_needs(world: Model, me: str) -> Met:
    """Return a function that tells whether the case meets a requirement of an action."""
    lead = world.find_party("lead")
    alive = [one for one in world.referrals if one.state in ALIVE]
    offered = [one for one in world.handovers if one.state == "offered"]
    met = {
        "summary": world.is_complete,
        "consent_to_refer": world.may_be_referred,
        "child_path": False,
        "vital_interest": False,
        "recipient_safe": me not in world.unsafe,
        "risk_current": world.risk_is_current,
        "nothing_sent": not any(one.is_sent for one in world.referrals),
        "nothing_open": not alive and not offered,
        "no_legal_hold": True,
        "return_over": True,
        "lead_failing": lead is not None and is_failing(world, lead),
        "nobody_named": get_next_lead(world) is None,
    }
    return met.__getitem__


def show_case(world: Model, actor: Actor) -> View | None:
    """Return the fields of the case that an account sees, or None if the case is hidden."""
    me = actor.focal_point
    if not world.can_see_case(me):
        return None
    sides, you_are = (
        get_case_sides(world, me),
        world.get_relations(me) or world.get_parts(me),
    )
    follows, (state, lead, holder) = world.can_follow(me), get_seen(world, me)
    steps = CASE.list_actions(state, sides, actor.roles, check_case_needs(world, me))
    shown = sides and (world.is_party(me) or world.state in UNLED | {"void"})
    due = world.get_time_left(THE_CASE) if shown else None
    if not follows and is_past_its_first_lead(world):
        return tuple(sorted(you_are)), state, None, None, None, steps
    return tuple(sorted(you_are)), state, lead, holder, due, steps


def get_seen(world: Model, me: str) -> tuple[str, str | None, str | None]:
    """Return the state, lead and holder that an office sees, if it sees them (ADR 90)."""
    now = world.state, world.find_party("lead"), world.holder
    mine = world.get_relations(me) - PAST
    helps = [o for o in world.referrals if o.to == me and has_part(o) and not o.is_past]
    others = world.get_parts(me) - PAST - {"submitter", "recipient"}
    if others or not helps or any(one.seen is None for one in helps):
        return now
    if mine and not is_past_its_first_lead(world):
        return now
    state, lead, holder = helps[-1].seen or now
    return world.state if mine else state, lead, holder


def is_past_its_first_lead(world: Model) -> bool:
    """Return whether the lead has changed, which the submitter does not see (ADR 12)."""
    handed = any(one.state == "effective" for one in world.handovers)
    return handed or world.find_party("former_lead") is not None


def show_referral(world: Model, number: int, actor: Actor) -> View | None:
    """Return the fields of a referral that an account sees, or None if it is hidden."""
    one = world.referrals[number]
    sides = get_referral_sides(world, one, actor.focal_point)
    if not sides:
        return None
    me = actor.focal_point
    met = check_referral_needs(world, one, me)
    steps = REFERRAL.list_actions(one.state, sides, actor.roles, met)
    sender = get_seen(world, me)[2] if world.can_see_case(me) else None
    due = world.get_time_left(("referral", number)) if one.is_known_to(me) else None
    return tuple(sorted(sides)), one.state, sender, due, steps


def show_handover(world: Model, number: int, actor: Actor) -> View | None:
    """Return the fields of a handover that an account sees, or None if it is hidden."""
    one = world.handovers[number]
    sides = get_handover_sides(world, one, actor.focal_point)
    if not sides:
        return None
    met = check_handover_needs(world, one, actor.focal_point)
    steps = HANDOVER.list_actions(one.state, sides, actor.roles, met)
    due = world.get_time_left(("handover", number))
    return tuple(sorted(sides)), one.state, one.lead, due, steps


def get_worklist(world: Model, me: str) -> list[View]:
    """Return the worklist of an office: each item's record, kind and minutes left."""
    mine = [clock for clock in world.clocks if clock.office == me]
    rows = [
        (THE_CASE if c.record[0] == "question" else c.record, c.kind, c.left) for c in mine
    ]
    return sorted(rows, key=repr)
