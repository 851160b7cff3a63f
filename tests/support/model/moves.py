"""What becomes of a modelled case when a step is taken: values in, values out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tests.support.model.case_values import (
    ALIVE,
    BY_DESK,
    DAY,
    DESK,
    HELPED,
    HELPS,
    HOUR,
    KZ,
    OVERSIGHT,
    SHORTLIST,
    Handover,
    Model,
    Referral,
    is_in,
)
from tests.support.model.clocks import hand_on, step, wind_case, wind_handover


def fits(world: Model, chosen: str) -> bool:
    """Whether a desk may give the case to one: of the country, agreed to, safe, another."""
    told = chosen in SHORTLIST and world.told(chosen, "REFER") is not None
    return told and chosen not in world.unsafe and chosen != world.holder


def may_take_over(world: Model, chosen: str) -> bool:
    """Whether a desk may give one the lead: as `fits`, or agreed to as a new lead.

    Or it is the one that is named since a desk recorded that the person agrees to its kind:
    in the model there is one of that kind alone.
    """
    handed = chosen in SHORTLIST and world.told(chosen, "HANDOVER") is not None
    safe = chosen not in world.unsafe and chosen != world.holder
    return fits(world, chosen) or (handed and safe)


def next_lead(world: Model) -> str | None:
    """Name who is to lead by what a desk recorded."""
    recorded = any(one.kind == BY_DESK and one.stands for one in world.consents)
    able = KZ not in world.unsafe and world.holder != KZ
    return KZ if recorded and able else None


def without(world: Model, *relations: str) -> Model:
    """End what holds these relations to the case."""
    kept = frozenset((one, who) for one, who in world.parties if one not in relations)
    return replace(world, parties=kept)


def admit(world: Model, relation: str, who: str) -> Model:
    """Give one a part in the case."""
    return replace(world, parties=world.parties | {(relation, who)})


def route(world: Model) -> Model:
    """Ask the next who may lead, was told nothing yet and is safe; at the end the desk."""
    able = [
        one
        for one in SHORTLIST
        if one not in world.asked | world.unsafe and world.told(one, "REFER") is not None
    ]
    if not able:
        return admit(world, "desk", DESK)
    asked = world.asked | {able[0]}
    return admit(replace(world, asked=asked), "candidate", able[0])


def settle(world: Model) -> Model:
    """Let the case follow its referrals: begin_assistance, fall_back."""
    helped = any(one.state in HELPED for one in world.referrals)
    helped = any(one.state in HELPED for one in world.referrals)
    at_work = any(one.state in HELPED - {"completed"} for one in world.referrals)
    follows = {
        *([("referring", "assisting")] if helped else [("assisting", "referring")]),
        *([("monitoring", "assisting")] if at_work else []),
    }
    state = dict(follows).get(world.state)
    return wind_case(replace(world, state=state, visits=())) if state else world


def change(world: Model, states: dict[str, str], only: Callable[[Referral], bool]) -> Model:
    """Move those referrals that are in some states, and of some kind."""
    for number, one in enumerate(world.referrals):
        if one.state in states and only(one):
            world = step(world, number, replace(one, state=states[one.state]))
    return world


def leave(world: Model, only: Callable[[Referral], bool]) -> Model:
    """End the part of those who were told of the person by some referrals."""
    left = (
        replace(one, past=True) if one.told and only(one) else one
        for one in world.referrals
    )
    return replace(world, referrals=tuple(left))


NEVER: Final = 1000 * HOUR
"""After which it does not matter any more how old an assessment is."""

VISITS: Final = (DAY, 2 * DAY)
"""When the person is to be visited, as the stories plan it."""

WITHDRAWN: Final = dict.fromkeys(ALIVE, "withdrawn")
REVOKED: Final = {"draft": "revoked"}


def cancel(world: Model, only: Callable[[Handover], bool] = lambda _: True) -> Model:
    """Take back the offer of the lead, if it is of some kind."""
    for number, one in enumerate(world.handovers):
        if one.state == "offered" and only(one):
            world = wind_handover(world, number, replace(one, state="cancelled"))
    return world


def end_drafts(world: Model, *_: str) -> Model:
    """Revoke what was never sent."""
    return change(world, REVOKED, lambda _: True)


def end_all(world: Model, *_: str) -> Model:
    """End every referral and handover."""
    return cancel(end_drafts(change(world, WITHDRAWN, lambda _: True)))


def erase(world: Model, *_: str) -> Model:
    """Destroy what is sealed; everybody leaves but oversight."""
    left = tuple(replace(one, left=True) for one in world.referrals)
    parties = frozenset({("oversight", OVERSIGHT)})
    return replace(world, sealed=False, parties=parties, referrals=left, clocks=())


def discard(world: Model, *_: str) -> Model:
    """Destroy what is sealed in a draft."""
    return replace(world, sealed=False)


def assign(world: Model, _: str, chosen: str) -> Model:
    """The desk's part ends with its choice, who was asked then and is not asked again."""
    asked = replace(without(world, "desk"), asked=world.asked | {chosen})
    return hand_on(admit(asked, "candidate", chosen))


def give_lead(world: Model, who: str, until: int | None = None) -> Model:
    """Make another the lead: what waited for the old one waits for it, no desk beside."""
    led = lead(without(world, "lead", "escalation_desk"), who)
    return hand_on(wind_case(led, until))


def lead(world: Model, who: str) -> Model:
    """Begin to lead: what was let pass in this very moment, a lead let pass."""
    then = tuple(replace(one, led=one.led or one.now) for one in world.silences)
    return admit(replace(world, silences=then), "lead", who)


def take_back(world: Model, number: int) -> Model:
    """Withdraw a consent; what rested on it, and on no other, ends at once."""
    gone = replace(world.consents[number], stands=False)
    consents = (*world.consents[:number], gone, *world.consents[number + 1 :])
    after = replace(world, consents=consents)

    def lost(one: Referral) -> bool:
        return world.covers(one) and not after.covers(one)

    def lost_lead(one: Handover) -> bool:
        before, then = (at.told(one.to, "HANDOVER") for at in (world, after))
        return before is not None and then is None

    return settle(cancel(change(after, WITHDRAWN, lost), lost_lead))


def is_unfit(world: Model, to: str) -> bool:
    """Whether one helps nobody, or holds the case itself."""
    return to not in HELPS or to == world.holder


def is_helping(world: Model, me: str) -> bool:
    """Whether one was asked to help, and that did not end without help."""
    mine = [one for one in world.referrals if one.to == me and is_in(one)]
    return any(one.state in ALIVE | HELPED for one in mine)


THEN: Final[dict[str, Callable[[Model, str, str], Model]]] = {
    "submit": lambda w, *_: route(admit(w, "oversight", OVERSIGHT)),
    "discard": discard,
    "withdraw": lambda w, *_: end_drafts(without(w, "candidate", "desk")),
    "decline_lead": lambda w, *_: hand_on(route(without(w, "candidate"))),
    "assign": assign,
    "accept_lead": lambda w, me, _: lead(without(w, "candidate"), me),
    "monitor": lambda w, *_: replace(w, visits=VISITS),
    "close": end_drafts,
    "stop": end_all,
    "erase": erase,
}
