"""Pure functions that predict the service's responses and the next state of a case.

The model is written from LIFECYCLES.md and the independent copies of its tables, never from
the code. Where docs/adr differs from LIFECYCLES.md, the model follows docs/adr. The values
are in case_values.py, the steps of the tables in this module, consents and other side
records in side_records.py, deadlines in deadlines.py, and missed deadlines in
missed_deadlines.py.
"""

from dataclasses import replace
from typing import Any, Final

from tests.support.model.case_values import (
    CASE,
    CASE_OPEN,
    DAY,
    GONE,
    HANDOVER,
    ILLEGAL,
    LEADERS,
    LOOP,
    NOT_FOUND,
    NOT_YOURS,
    OF_HANDOVER,
    OF_ORIGIN,
    OK,
    REFERRAL,
    ROLE_MISSING,
    UNFIT,
    Actor,
    Handover,
    Machine,
    Met,
    Model,
    Outcome,
    Referral,
    Verdict,
    check_handover_needs,
    check_referral_needs,
    get_case_sides,
    get_handover_sides,
    get_referral_sides,
    get_sides,
)
from tests.support.model.deadlines import (
    pause_deadlines,
    resume_deadlines,
    resume_questions,
    start_case_deadline,
    update_handover,
    update_referral,
)
from tests.support.model.effects import (
    THEN,
    apply_automatic_steps,
    is_fit,
    is_unfit,
    replace_lead,
    store_seen,
)
from tests.support.model.missed_deadlines import advance, wait
from tests.support.model.side_records import BESIDE
from tests.support.model.views import check_case_needs

type Standing = tuple[frozenset[str], frozenset[str]]
"""The sides of an account, and its roles."""

type Act = tuple[str, Any, bool]
"""An action, its target, and whether the request leaves a requirement unmet."""

SPOILED: Final = frozenset(
    {
        "two_contacts",
        "review_date",
        "schedule",
        "person_informed",
        "meeting",
        "person_met",
        "capacity",
    }
)
"""Requirements that a request itself can leave unmet."""


def compute_outcome(world: Model, actor: Actor, act: Act) -> Outcome:
    """Return the verdict on an action of an account, and the case after the action."""
    action, target, poor = act
    about, _, name = action.partition(".")
    if about == "time":
        return OK, store_seen((wait if name == "wait" else advance)(world, target))
    verdict, after = MACHINES[about](world, actor, name, target, poor)
    return verdict, store_seen(after) if verdict in {OK, GONE} else world


def get_verdict(
    machine: Machine, name: str, state: str, actor: Standing, met: Met
) -> Verdict:
    """Return the refusal of an action, or OK if the action is allowed."""
    sides, roles = actor
    if refusal := machine.get_refusal(state, name, sides, roles):
        return refusal
    lacks = machine.list_unmet(name, met)
    return ("needs-unmet", *lacks) if lacks else OK


def add_brought(met: Met, poor: bool, **named: bool) -> Met:
    """Return a check that also covers the requirements that only a request can meet."""

    def is_met(need: str) -> bool:
        if need in named:
            return named[need]
        return not poor if need in SPOILED else need in ALWAYS or met(need)

    return is_met


ALWAYS: Final = frozenset(
    ["reason", "question", "alternative", "outcome", "feedback", "second_person"]
)
"""Requirements that a well-formed request meets; the second person approves at once."""


# The case.


def on_case(world: Model, actor: Actor, name: str, target: str, poor: bool) -> Outcome:
    """Return the outcome of an action on the case."""
    me = actor.focal_point
    sides = get_case_sides(world, me)
    if not world.can_see_case(me):
        return NOT_FOUND, world
    if not sides and name != "stop":
        return NOT_YOURS, world
    met = add_brought(
        check_case_needs(world, me), poor, focal_point_chosen=is_fit(world, target)
    )
    verdict = get_verdict(CASE, name, world.state, (sides, actor.roles), met)
    if verdict != OK:
        return verdict, world
    moved = replace(world, state=CASE.lines[name].target, visits=())
    after = THEN[name](moved, me, target) if name in THEN else moved
    after = start_case_deadline(after, DAY if name == "suspend" else None)
    after = apply_automatic_steps(AND_THEN[name](after) if name in AND_THEN else after)
    return OK if after.can_see_case(me) else GONE, after


AND_THEN: Final = {
    "suspend": pause_deadlines,
    "resume": resume_deadlines,
    "reopen": resume_questions,
}
"""Effects of actions on other deadlines, applied after the case's deadline is changed."""


# Referrals.


def on_referral(world: Model, actor: Actor, name: str, target: Any, poor: bool) -> Outcome:
    """Return the outcome of opening a referral, or of an action on a referral."""
    if name == "open":
        return create_referral(world, actor, *target)
    number, *rest = target
    one: Referral = world.referrals[number]
    sides = get_referral_sides(world, one, actor.focal_point)
    if not sides:
        return NOT_FOUND, world
    more = frozenset(rest if name == "answer" else ())
    met = add_brought(
        check_referral_needs(world, one, actor.focal_point),
        poor,
        consent_to_answer=world.covers(one, more),
    )
    verdict = get_verdict(REFERRAL, name, one.state, (sides, actor.roles), met)
    if verdict != OK:
        return verdict, world
    to, way = rest[0] if name == "redirect" else one.to, one.chain | {one.to}
    if name == "redirect" and to in way and may_know_asked(one, to):
        return LOOP, world
    if name in {"send", "redirect"} and is_unfit(world, to):
        return UNFIT, world
    state = REFERRAL.lines[name].target
    moved = replace(
        one,
        state=one.state if state == "same" else state,
        is_sent=one.is_sent or name == "send",
        has_left=one.has_left or name == "confirm_deletion",
        sections=one.sections | more,
    )
    after = update_referral(world, number, moved, name)
    if name == "redirect" and to not in way:
        by = actor.focal_point
        again = Referral(to, one.service, one.sections, chain=way, by=by)
        after = add_draft(after, again)
    after = apply_automatic_steps(after)
    return OK if get_referral_sides(after, moved, actor.focal_point) else GONE, after


def may_know_asked(one: Referral, other: str) -> bool:
    """Return whether a referral's recipient may learn that `other` was asked (ADR 57)."""
    return other == one.to or one.to not in OF_ORIGIN or other in OF_ORIGIN


def create_referral(world: Model, actor: Actor, one: Referral, send: bool) -> Outcome:
    """Return the outcome when an actor opens a referral and, if `send`, also sends it."""
    me = actor.focal_point
    if not world.can_see_case(me):
        return NOT_FOUND, world
    refusals = {
        ILLEGAL: world.state not in CASE_OPEN,
        NOT_YOURS: "holder" not in get_case_sides(world, me),
        ROLE_MISSING: not actor.roles & {"caseworker", "coordinator"},
        UNFIT: is_unfit(world, one.to),
    }
    if refusal := next((why for why, holds in refusals.items() if holds), None):
        return refusal, world
    after = add_draft(world, replace(one, by=me))
    if not send:
        return OK, after
    return on_referral(after, actor, "send", (len(world.referrals),), False)


def add_draft(world: Model, one: Referral) -> Model:
    """Add a referral as a draft."""
    after = replace(world, referrals=(*world.referrals, one))
    return update_referral(after, len(world.referrals), one)


# Handovers.


def on_handover(world: Model, actor: Actor, name: str, target: Any, poor: bool) -> Outcome:
    """Return the outcome of offering the lead, or of an action on such an offer."""
    if name == "offer":
        return offer_lead(world, actor, target)
    me = actor.focal_point
    one: Handover = world.handovers[target]
    sides = get_handover_sides(world, one, me)
    if not sides:
        return NOT_FOUND, world
    met = add_brought(check_handover_needs(world, one, me), poor)
    verdict = get_verdict(HANDOVER, name, one.state, (sides, actor.roles), met)
    if verdict != OK:
        return verdict, world
    moved = replace(one, state=HANDOVER.lines[name].target)
    after = replace_lead(world, me) if name == "accept" else world
    after = update_handover(after, target, moved)
    return OK if get_handover_sides(after, moved, me) else GONE, after


def offer_lead(world: Model, actor: Actor, to: str) -> Outcome:
    """Return the outcome of offering the lead to an office; only one offer can be open."""
    me, one = actor.focal_point, Handover(actor.focal_point, to)
    if not world.can_see_case(me):
        return NOT_FOUND, world
    sides = get_sides(world.get_relations(me), OF_HANDOVER)
    if refusal := HANDOVER.get_refusal("new", "offer", sides, actor.roles):
        return refusal, world
    if to not in LEADERS or to == me:
        return ("successor-unfit",), world
    if any(other.state == "offered" for other in world.handovers):
        return ("handover-open",), world
    met = add_brought(check_handover_needs(world, one, me), poor=False)
    verdict = get_verdict(HANDOVER, "offer", "new", (sides, actor.roles), met)
    if verdict != OK:
        return verdict, world
    after = replace(world, handovers=(*world.handovers, one))
    return OK, update_handover(after, len(world.handovers), one)


MACHINES: Final = {
    "case": on_case,
    "referral": on_referral,
    "handover": on_handover,
    **BESIDE,
}
