"""What must happen: the whole mechanism as one pure function.

Written from LIFECYCLES.md and the independent copies of its tables, never from the code;
docs/adr is followed where it departs from the document. The values are in mechanism.py.
"""

from dataclasses import replace
from typing import Any, Final

from tests.mechanism import (
    CASE,
    CASE_OPEN,
    CONSENTS,
    FEARS,
    HANDOVER,
    LEADERS,
    LED,
    OF_HANDOVER,
    REFERRAL,
    STOPPED,
    UNLED,
    Actor,
    Consent,
    Handover,
    Machine,
    Met,
    Model,
    Referral,
    Verdict,
    case_needs,
    handover_needs,
    referral_needs,
    sides_of,
    sides_of_case,
    sides_of_handover,
    sides_of_referral,
)
from tests.moves import (
    NEVER,
    THEN,
    WITHDRAWN,
    admit,
    cancel,
    change,
    fits,
    is_helping,
    is_unfit,
    leave,
    pass_time,
    route,
    settle,
    take_back,
    without,
)

type Outcome = tuple[Verdict, Model]
type Standing = tuple[frozenset[str], frozenset[str]]
"""On which sides an account stands, and its roles."""

type Act = tuple[str, Any, bool]
"""An action, its target, and whether the request is poor: one contact, a visit too late."""

OK, GONE, NOT_FOUND = ("ok",), ("gone",), ("not-found",)
NOT_YOURS, ILLEGAL = ("action-not-yours",), ("action-illegal",)
ROLE_MISSING, UNFIT = ("role-missing",), ("recipient-unfit",)
SPOILED: Final = frozenset(
    {
        *("two_contacts", "review_date", "schedule", "person_informed", "meeting"),
        *("person_met", "capacity"),
    }
)
"""What a request can bring and still not meet: one contact, a review too late."""
WORKERS: Final = frozenset({"officer", "caseworker", "coordinator"})


def predict(world: Model, actor: Actor, act: Act) -> Outcome:
    """Say what an account hears when it acts, and what is then."""
    action, target, poor = act
    about, _, name = action.partition(".")
    if about == "time":
        return OK, pass_time(world, target)
    verdict, after = MACHINES[about](world, actor, name, target, poor)
    return verdict, after if verdict in {OK, GONE} else world


def judged(machine: Machine, name: str, state: str, actor: Standing, met: Met) -> Verdict:
    """Say why a step is not taken, or that it is."""
    sides, roles = actor
    if refusal := machine.refusal(state, name, sides, roles):
        return refusal
    lacks = machine.lacks(name, met)
    return ("needs-unmet", *lacks) if lacks else OK


def bringing(met: Met, poor: bool, **named: bool) -> Met:
    """Judge by what a request brings too."""

    def judge(need: str) -> bool:
        if need in named:
            return named[need]
        return not poor if need in SPOILED else need in ALWAYS or met(need)

    return judge


ALWAYS: Final = frozenset(
    ["reason", "question", "alternative", "outcome", "feedback", "second_person"]
)
"""What a well-formed request brings; a second person says yes at once."""


# The case.


def on_case(world: Model, actor: Actor, name: str, target: str, poor: bool) -> Outcome:
    """Take a step of the case."""
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
    moved = replace(world, state=CASE.lines[name].target)
    after = settle(THEN[name](moved, me, target) if name in THEN else moved)
    return OK if after.sees_case(me) else GONE, after


# Referrals.


def on_referral(world: Model, actor: Actor, name: str, target: Any, poor: bool) -> Outcome:
    """Open a referral, or take a step of one."""
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
        past=one.past or state in STOPPED,
        sections=one.sections | more,
    )
    referrals = [*world.referrals[:number], moved, *world.referrals[number + 1 :]]
    way = one.way | {one.to}
    if name == "redirect" and to not in way:
        referrals.append(Referral(to, one.service, one.sections, way=way))
    after = settle(replace(world, referrals=tuple(referrals)))
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
    after = replace(world, referrals=(*world.referrals, one))
    if not send:
        return OK, after
    return on_referral(after, actor, "send", (len(world.referrals),), False)


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
    handovers = (*world.handovers[:target], moved, *world.handovers[target + 1 :])
    after = replace(world, handovers=handovers)
    if name == "accept":
        after = admit(without(after, "lead"), "lead", me)
    return OK if sides_of_handover(after, moved, me) else GONE, after


def offer(world: Model, actor: Actor, to: str) -> Outcome:
    """Offer the lead to another, one at a time."""
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
    return OK, replace(world, handovers=(*world.handovers, one))


# Beside the tables.


def may_write(world: Model, actor: Actor) -> Verdict | None:
    """Say why the case is not theirs to write: the submitter's, then the lead's."""
    if world.state not in UNLED | LED:
        return ILLEGAL
    owner = "submitter" if world.state in UNLED else "lead"
    return None if owner in world.relations(actor.focal_point) else NOT_YOURS


def on_consent(world: Model, actor: Actor, name: str, target: Any, _: bool) -> Outcome:
    """Record what the person agrees to, or that they take it back."""
    me = actor.focal_point
    if not world.sees_case(me):
        return NOT_FOUND, world
    if name == "record":
        given = replace(world, consents=(*world.consents, Consent(target, me)))
        if world.state == "closed":  # else a no could never become a yes again
            return OK if "lead" in world.relations(me) else NOT_YOURS, given
        return may_write(world, actor) or OK, given
    consent = world.consents[target]
    return OK if knows(world, me, consent) else NOT_FOUND, take_back(world, target)


def knows(world: Model, me: str, consent: Consent) -> bool:
    """Whether one may know of a consent: who leads of all, a helper of what names it."""
    mine, reviews = world.relations(me), world.state == "under_review"
    holds = "lead" in mine or ("candidate" in mine and reviews)
    named = is_helping(world, me) and me in CONSENTS[consent.kind].to
    return bool(holds) or consent.by == me or named


def on_risk(world: Model, actor: Actor, _: str, level: str, __: bool) -> Outcome:
    """Assess the risk; of two at one moment the graver counts."""
    me = actor.focal_point
    if not world.sees_case(me):
        return NOT_FOUND, world
    if world.state not in CASE_OPEN | {"draft"}:
        return ILLEGAL, world
    if not sides_of_case(world, me) and not is_helping(world, me):
        return NOT_YOURS, world
    return OK, replace(world, risk=min((0, level), world.risk or (NEVER, "")))


def on_safeguards(world: Model, actor: Actor, _: str, fears: str, __: bool) -> Outcome:
    """Write whom the person fears: who is unsafe loses everything at once (ADR 11)."""
    me = actor.focal_point
    if not world.sees_case(me):
        return NOT_FOUND, world
    if may_write(world, actor):
        return NOT_YOURS, world
    after = replace(world, fears=fears)
    after = change(after, WITHDRAWN, lambda one: one.to in after.unsafe)
    after = leave(after, lambda one: one.to in FEARS[fears])
    after = settle(cancel(after, lambda one: one.to in FEARS[fears]))
    if after.who("lead") is None and after.holder in after.unsafe:
        after = route(without(replace(after, state="submitted"), "candidate", "desk"))
    return OK if after.sees_case(me) else GONE, after


MACHINES: Final = {
    "case": on_case,
    "referral": on_referral,
    "handover": on_handover,
    "consent": on_consent,
    "risk": on_risk,
    "safeguards": on_safeguards,
}
