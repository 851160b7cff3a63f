"""Predictions of the service's answers and of a case's next state, as a pure function.

Written from LIFECYCLES.md and the independent copies of its tables, never from the code.
Where docs/adr departs from the document, so does this model. The values are in
case_values.py, the steps of the tables in this module, consents and other side records in
side_records.py, deadlines in clocks.py, and missed deadlines in silence.py.
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
    NOT_FOUND,
    NOT_YOURS,
    OF_HANDOVER,
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
    handover_needs,
    referral_needs,
    sides_of,
    sides_of_case,
    sides_of_handover,
    sides_of_referral,
)
from tests.support.model.clocks import (
    go_on,
    pause,
    resume_questions,
    step,
    wind_case,
    wind_handover,
)
from tests.support.model.moves import THEN, fits, give_lead, is_unfit, settle
from tests.support.model.side_records import BESIDE
from tests.support.model.silence import pass_time, wait
from tests.support.model.views import case_needs

type Standing = tuple[frozenset[str], frozenset[str]]
"""The sides of an account, and its roles."""

type Act = tuple[str, Any, bool]
"""An action, its target, and whether the request is poor: one contact, a visit too late."""

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
"""Requirements that a request can bring and still not meet."""


def predict(world: Model, actor: Actor, act: Act) -> Outcome:
    """Return what an account is answered for an action, and the case after it."""
    action, target, poor = act
    about, _, name = action.partition(".")
    if about == "time":
        return OK, (wait if name == "wait" else pass_time)(world, target)
    verdict, after = MACHINES[about](world, actor, name, target, poor)
    return verdict, after if verdict in {OK, GONE} else world


def judged(machine: Machine, name: str, state: str, actor: Standing, met: Met) -> Verdict:
    """Return why an action is refused, or OK."""
    sides, roles = actor
    if refusal := machine.refusal(state, name, sides, roles):
        return refusal
    lacks = machine.lacks(name, met)
    return ("needs-unmet", *lacks) if lacks else OK


def bringing(met: Met, poor: bool, **named: bool) -> Met:
    """Return a function that also judges the requirements that a request meets itself."""

    def judge(need: str) -> bool:
        if need in named:
            return named[need]
        return not poor if need in SPOILED else need in ALWAYS or met(need)

    return judge


ALWAYS: Final = frozenset(
    ["reason", "question", "alternative", "outcome", "feedback", "second_person"]
)
"""Requirements that a well-formed request meets; a second person approves at once."""


# The case.


def on_case(world: Model, actor: Actor, name: str, target: str, poor: bool) -> Outcome:
    """Take an action on the case."""
    me = actor.focal_point
    sides = sides_of_case(world, me)
    if not world.sees_case(me):
        return NOT_FOUND, world
    if not sides and name != "stop":
        return NOT_YOURS, world
    met = bringing(case_needs(world, me), poor, focal_point_chosen=fits(world, target))
    verdict = judged(CASE, name, world.state, (sides, actor.roles), met)
    if verdict != OK:
        return verdict, world
    moved = replace(world, state=CASE.lines[name].target, visits=())
    after = THEN[name](moved, me, target) if name in THEN else moved
    after = wind_case(after, DAY if name == "suspend" else None)
    after = settle(AND_THEN[name](after) if name in AND_THEN else after)
    return OK if after.sees_case(me) else GONE, after


AND_THEN: Final = {"suspend": pause, "resume": go_on, "reopen": resume_questions}
"""Effects on the other deadlines, once the case has its own."""


# Referrals.


def on_referral(world: Model, actor: Actor, name: str, target: Any, poor: bool) -> Outcome:
    """Open a referral, or take an action on one."""
    if name == "open":
        return open_referral(world, actor, *target)
    number, *rest = target
    one = world.referrals[number]
    sides = sides_of_referral(world, one, actor.focal_point)
    if not sides:
        return NOT_FOUND, world
    more = frozenset(rest if name == "answer" else ())
    met = bringing(
        referral_needs(world, one, actor.focal_point),
        poor,
        consent_to_answer=world.covers(one, more),
    )
    verdict = judged(REFERRAL, name, one.state, (sides, actor.roles), met)
    if verdict != OK:
        return verdict, world
    to = rest[0] if name == "redirect" else one.to
    if name in {"send", "redirect"} and (is_unfit(world, to) or rest == [one.to]):
        return UNFIT, world
    state = REFERRAL.lines[name].target
    moved = replace(
        one,
        state=one.state if state == "same" else state,
        told=one.told or name == "send",
        left=one.left or name == "confirm_deletion",
        sections=one.sections | more,
    )
    after, way = step(world, number, moved, name), one.way | {one.to}
    if name == "redirect" and to not in way:
        by = actor.focal_point
        again = Referral(to, one.service, one.sections, way=way, by=by)
        after = draft(after, again)
    after = settle(after)
    return OK if sides_of_referral(after, moved, actor.focal_point) else GONE, after


def open_referral(world: Model, actor: Actor, one: Referral, send: bool) -> Outcome:
    """Open a referral as the holder, and send it at once if asked to."""
    me = actor.focal_point
    if not world.sees_case(me):
        return NOT_FOUND, world
    refusals = {
        ILLEGAL: world.state not in CASE_OPEN,
        NOT_YOURS: "holder" not in sides_of_case(world, me),
        ROLE_MISSING: not actor.roles & {"caseworker", "coordinator"},
        UNFIT: is_unfit(world, one.to),
    }
    if refusal := next((why for why, holds in refusals.items() if holds), None):
        return refusal, world
    after = draft(world, replace(one, by=me))
    if not send:
        return OK, after
    return on_referral(after, actor, "send", (len(world.referrals),), False)


def draft(world: Model, one: Referral) -> Model:
    """Add a draft."""
    after = replace(world, referrals=(*world.referrals, one))
    return step(after, len(world.referrals), one)


# Handovers.


def on_handover(world: Model, actor: Actor, name: str, target: Any, poor: bool) -> Outcome:
    """Offer the lead, or answer an offer."""
    if name == "offer":
        return offer(world, actor, target)
    me, one = actor.focal_point, world.handovers[target]
    sides = sides_of_handover(world, one, me)
    if not sides:
        return NOT_FOUND, world
    met = bringing(handover_needs(world, one, me), poor)
    verdict = judged(HANDOVER, name, one.state, (sides, actor.roles), met)
    if verdict != OK:
        return verdict, world
    moved = replace(one, state=HANDOVER.lines[name].target)
    after = give_lead(world, me) if name == "accept" else world
    after = wind_handover(after, target, moved)
    return OK if sides_of_handover(after, moved, me) else GONE, after


def offer(world: Model, actor: Actor, to: str) -> Outcome:
    """Offer the lead to another office, one at a time."""
    me, one = actor.focal_point, Handover(actor.focal_point, to)
    if not world.sees_case(me):
        return NOT_FOUND, world
    sides = sides_of(world.relations(me), OF_HANDOVER)
    if refusal := HANDOVER.refusal("new", "offer", sides, actor.roles):
        return refusal, world
    if to not in LEADERS or to == me:
        return ("successor-unfit",), world
    if any(other.state == "offered" for other in world.handovers):
        return ("handover-open",), world
    met = bringing(handover_needs(world, one, me), poor=False)
    verdict = judged(HANDOVER, "offer", "new", (sides, actor.roles), met)
    if verdict != OK:
        return verdict, world
    after = replace(world, handovers=(*world.handovers, one))
    return OK, wind_handover(after, len(world.handovers), one)


MACHINES: Final = {
    "case": on_case,
    "referral": on_referral,
    "handover": on_handover,
    **BESIDE,
}
