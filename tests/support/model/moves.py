"""The effects of actions on a modelled case, as pure functions."""

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
    """Return whether a desk may assign the case to an office (country, consent, safety)."""
    told = chosen in SHORTLIST and world.told(chosen, "REFER") is not None
    return told and chosen not in world.unsafe and chosen != world.holder


def may_take_over(world: Model, chosen: str) -> bool:
    """Return whether a desk may make an office the lead.

    It may if the office `fits`, or if the person agreed to it as a new lead. It also may if
    a desk recorded a consent to this kind of office; the model has one office of that kind.
    """
    handed = chosen in SHORTLIST and world.told(chosen, "HANDOVER") is not None
    safe = chosen not in world.unsafe and chosen != world.holder
    return fits(world, chosen) or (handed and safe)


def next_lead(world: Model) -> str | None:
    """Return the next lead by the consent that a desk recorded, or None."""
    recorded = any(one.kind == BY_DESK and one.stands for one in world.consents)
    able = KZ not in world.unsafe and world.holder != KZ
    return KZ if recorded and able else None


def without(world: Model, *relations: str) -> Model:
    """Return the model without the parties of these relations."""
    kept = frozenset((one, who) for one, who in world.parties if one not in relations)
    return replace(world, parties=kept)


def admit(world: Model, relation: str, who: str) -> Model:
    """Return the model with an office admitted in a relation."""
    return replace(world, parties=world.parties | {(relation, who)})


def route(world: Model) -> Model:
    """Offer the case to the next safe office that has a consent, else to the desk."""
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
    """Apply the automatic steps begin_assistance and fall_back."""
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
    """Move the referrals that are in some states and satisfy a condition."""
    for number, one in enumerate(world.referrals):
        if one.state in states and only(one):
            world = step(world, number, replace(one, state=states[one.state]))
    return world


def leave(world: Model, only: Callable[[Referral], bool]) -> Model:
    """End the part of the recipients whose sent referrals satisfy a condition."""
    left = (
        replace(one, past=True) if one.told and only(one) else one
        for one in world.referrals
    )
    return replace(world, referrals=tuple(left))


NEVER: Final = 1000 * HOUR
"""An age after which an assessment of the risk no longer matters."""

VISITS: Final = (DAY, 2 * DAY)
"""When the person is to be visited, as the stories plan it."""

WITHDRAWN: Final = dict.fromkeys(ALIVE, "withdrawn")
REVOKED: Final = {"draft": "revoked"}


def cancel(world: Model, only: Callable[[Handover], bool] = lambda _: True) -> Model:
    """Cancel the offers of the lead that satisfy a condition."""
    for number, one in enumerate(world.handovers):
        if one.state == "offered" and only(one):
            world = wind_handover(world, number, replace(one, state="cancelled"))
    return world


def end_drafts(world: Model, *_: str) -> Model:
    """Revoke all drafts of referrals."""
    return change(world, REVOKED, lambda _: True)


def end_all(world: Model, *_: str) -> Model:
    """End every referral and handover."""
    return cancel(end_drafts(change(world, WITHDRAWN, lambda _: True)))


def erase(world: Model, *_: str) -> Model:
    """Destroy the sealed documents, and end the part of all parties except oversight."""
    left = tuple(replace(one, left=True) for one in world.referrals)
    parties = frozenset({("oversight", OVERSIGHT)})
    return replace(world, sealed=False, parties=parties, referrals=left, clocks=())


def discard(world: Model, *_: str) -> Model:
    """Destroy the sealed documents of a draft."""
    return replace(world, sealed=False)


def assign(world: Model, _: str, chosen: str) -> Model:
    """Assign a candidate, and end the part of the desk; no office is asked twice."""
    asked = replace(without(world, "desk"), asked=world.asked | {chosen})
    return hand_on(admit(asked, "candidate", chosen))


def give_lead(world: Model, who: str, until: int | None = None) -> Model:
    """Replace the lead; its deadlines restart for the new one, and the desk leaves."""
    led = lead(without(world, "lead", "escalation_desk"), who)
    return hand_on(wind_case(led, until))


def lead(world: Model, who: str) -> Model:
    """Make an office the lead; a deadline missed at this moment counts as missed by one."""
    then = tuple(replace(one, led=one.led or one.now) for one in world.silences)
    return admit(replace(world, silences=then), "lead", who)


def take_back(world: Model, number: int) -> Model:
    """Withdraw a consent, and end what no other consent covers."""
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
    """Return whether an office gives no help, or holds the case itself."""
    return to not in HELPS or to == world.holder


def is_helping(world: Model, me: str) -> bool:
    """Return whether an office has a referral that did not end without help."""
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
