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
    LED,
    OVERSIGHT,
    SHORTLIST,
    UNLED,
    Handover,
    Model,
    Referral,
    has_part,
)
from tests.support.model.deadlines import (
    hand_over_deadlines,
    start_case_deadline,
    update_handover,
    update_referral,
)


def is_fit(world: Model, chosen: str) -> bool:
    """Return whether a desk may assign the case to an office.

    The office has to be a possible lead in Kazakhstan that a consent permits. The office
    must also be safe, and not hold the case already.
    """
    is_permitted = (
        chosen in SHORTLIST and world.get_permitted_sections(chosen, "REFER") is not None
    )
    return is_permitted and chosen not in world.unsafe and chosen != world.holder


def may_take_over(world: Model, chosen: str) -> bool:
    """Return whether a desk may make an office the lead.

    A desk may choose every office for which `is_fit` is true. It may also choose an office
    in `SHORTLIST` that is safe and is not the holder, if the person consents to a handover
    to it. A consent that a desk records for a new lead counts for `is_fit`.
    """
    handed = (
        chosen in SHORTLIST and world.get_permitted_sections(chosen, "HANDOVER") is not None
    )
    safe = chosen not in world.unsafe and chosen != world.holder
    return is_fit(world, chosen) or (handed and safe)


def get_next_lead(world: Model) -> str | None:
    """Return the State office that a consent recorded by a desk permits as the next lead.

    Return None without such a consent, or if the office is unsafe or holds the case.
    """
    recorded = any(one.kind == BY_DESK and one.is_valid for one in world.consents)
    able = KZ not in world.unsafe and world.holder != KZ
    return KZ if recorded and able else None


def remove_parties(world: Model, *relations: str) -> Model:
    """Return the model without the parties that have these relations."""
    kept = frozenset((one, who) for one, who in world.parties if one not in relations)
    return replace(world, parties=kept)


def add_party(world: Model, relation: str, who: str) -> Model:
    """Return the model with an office added to the parties in the given relation."""
    return replace(world, parties=world.parties | {(relation, who)})


def offer_case(world: Model) -> Model:
    """Offer the case to the next safe office with a consent, or else to the desk."""
    able = [
        one
        for one in SHORTLIST
        if one not in world.asked_leads | world.unsafe
        and world.get_permitted_sections(one, "REFER") is not None
    ]
    if not able:
        return add_party(world, "desk", DESK)
    asked_leads = world.asked_leads | {able[0]}
    return add_party(replace(world, asked_leads=asked_leads), "candidate", able[0])


def apply_automatic_steps(world: Model) -> Model:
    """Apply the automatic steps `begin_assistance` and `fall_back` if they are due."""
    helped = any(one.state in HELPED for one in world.referrals)
    at_work = any(one.state in HELPED - {"completed"} for one in world.referrals)
    follows = {
        *([("referring", "assisting")] if helped else [("assisting", "referring")]),
        *([("monitoring", "assisting")] if at_work else []),
    }
    state = dict(follows).get(world.state)
    return start_case_deadline(replace(world, state=state, visits=())) if state else world


def update_referrals(
    world: Model, states: dict[str, str], only: Callable[[Referral], bool]
) -> Model:
    """Change the state of the referrals that satisfy a condition."""
    for number, one in enumerate(world.referrals):
        if one.state in states and only(one):
            world = update_referral(world, number, replace(one, state=states[one.state]))
    return world


def store_seen(world: Model) -> Model:
    """Store what offices see whose help is completed; the end of the case follows."""
    now = world.state, world.find_party("lead"), world.holder
    ended = world.state not in LED | UNLED
    found = (
        replace(
            one, seen=(now[0], *one.seen[1:]) if ended and one.seen else one.seen or now
        )
        if one.state == "completed"
        else one
        for one in world.referrals
    )
    return replace(world, referrals=tuple(found))


NEVER: Final = 1000 * HOUR
"""An age in minutes at which every assessment of the risk is too old."""

VISITS: Final = (DAY, 2 * DAY)
"""The times of the planned visits to the person, in minutes from now."""

WITHDRAWN: Final = dict.fromkeys(ALIVE, "withdrawn")
REVOKED: Final = {"draft": "revoked"}


def cancel_offers(world: Model, only: Callable[[Handover], bool] = lambda _: True) -> Model:
    """Cancel the open handover offers that satisfy a condition."""
    for number, one in enumerate(world.handovers):
        if one.state == "offered" and only(one):
            world = update_handover(world, number, replace(one, state="cancelled"))
    return world


def end_drafts(world: Model, *_: str) -> Model:
    """Revoke every referral that is a draft."""
    return update_referrals(world, REVOKED, lambda _: True)


def end_all(world: Model, *_: str) -> Model:
    """End every open referral and handover."""
    return cancel_offers(end_drafts(update_referrals(world, WITHDRAWN, lambda _: True)))


def erase_case(world: Model, *_: str) -> Model:
    """Destroy the sealed documents and deadlines, and keep only oversight as a party."""
    left = tuple(replace(one, has_left=True) for one in world.referrals)
    parties = frozenset({("oversight", OVERSIGHT)})
    return replace(world, sealed=False, parties=parties, referrals=left, clocks=())


def discard_draft(world: Model, *_: str) -> Model:
    """Destroy the sealed documents of a draft."""
    return replace(world, sealed=False)


def assign_candidate(world: Model, _: str, chosen: str) -> Model:
    """Make an office the candidate instead of the desk, and record the office as asked.

    The deadlines of the holder in referrals are restarted.
    """
    assigned = replace(
        remove_parties(world, "desk"), asked_leads=world.asked_leads | {chosen}
    )
    return hand_over_deadlines(add_party(assigned, "candidate", chosen))


def replace_lead(world: Model, who: str, until: int | None = None) -> Model:
    """Replace the lead, restart the lead's deadlines, and remove the desk as a party."""
    led = add_lead(remove_parties(world, "lead", "escalation_desk"), who)
    return hand_over_deadlines(start_case_deadline(led, until))


def add_lead(world: Model, who: str) -> Model:
    """Make an office the lead.

    A deadline that is missed at the same time counts as missed under the new lead.
    """
    then = tuple(
        replace(one, had_lead=one.had_lead or one.is_now) for one in world.missed_deadlines
    )
    return add_party(replace(world, missed_deadlines=then), "lead", who)


def withdraw_consent(world: Model, number: int) -> Model:
    """Withdraw a consent, and end the referrals and offers that no other consent covers."""
    gone = replace(world.consents[number], is_valid=False)
    consents = (*world.consents[:number], gone, *world.consents[number + 1 :])
    after = replace(world, consents=consents)

    def is_lost(one: Referral) -> bool:
        return world.covers(one) and not after.covers(one)

    def is_lead_lost(one: Handover) -> bool:
        before, then = (
            at.get_permitted_sections(one.to, "HANDOVER") for at in (world, after)
        )
        return before is not None and then is None

    return apply_automatic_steps(
        cancel_offers(update_referrals(after, WITHDRAWN, is_lost), is_lead_lost)
    )


def is_unfit(world: Model, to: str) -> bool:
    """Return whether an office is unfit for a referral.

    An office is unfit if it does not give help, or if it holds the case itself.
    """
    return to not in HELPS or to == world.holder


def is_helping(world: Model, me: str) -> bool:
    """Return whether an office is asked to help, helps, or has helped in a referral."""
    mine = [one for one in world.referrals if one.to == me and has_part(one)]
    return any(one.state in ALIVE | HELPED for one in mine)


THEN: Final[dict[str, Callable[[Model, str, str], Model]]] = {
    "submit": lambda w, *_: offer_case(add_party(w, "oversight", OVERSIGHT)),
    "discard": discard_draft,
    "withdraw": lambda w, *_: end_drafts(remove_parties(w, "candidate", "desk")),
    "decline_lead": lambda w, *_: hand_over_deadlines(
        offer_case(remove_parties(w, "candidate"))
    ),
    "assign": assign_candidate,
    "accept_lead": lambda w, me, _: add_lead(remove_parties(w, "candidate"), me),
    "monitor": lambda w, *_: replace(w, visits=VISITS),
    "close": end_drafts,
    "stop": end_all,
    "erase": erase_case,
}
