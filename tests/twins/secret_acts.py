"""The secret acts: what happens in a real case in one world, and differently in the other.

An act is a generator that stops after each of its steps. Between two steps time passes, and
the coalition observes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from tests.support.returns import HOME, TOLD, create_return
from tests.support.world import Json, Someone, get_path, make_contacts, unwrap
from tests.twins.cast import LAWYER, LEAD, SHELTERS, Cast, RealCase
from tests.twins.real_cases import (
    BED,
    hand_over,
    make_meeting,
    require,
    withdraw_consents,
    write_safeguards,
)

NOTHING: Final = "nothing"
STEPS: Final = 3
"""The maximum number of steps of an act."""


@dataclass(frozen=True)
class Act:
    """A secret act on a real case, and a source of the choices that both worlds share."""

    cast: Cast
    real: RealCase
    chance: Random

    @property
    def case(self) -> Json:
        return self.real.case

    @property
    def lead(self) -> Someone:
        return self.real.lead

    def get_time(self, **later: float) -> str:
        return (self.cast.world.now + timedelta(**later)).isoformat()


type Steps = Iterator[None]


def help_in_shelter(act: Act, shelter: str) -> Steps:
    """Refer the person to one of two shelters, which answers and reports its places."""
    answer = act.chance.choice(("accept", "decline", "none", "none"))
    emergency = act.chance.random() < 0.3
    helper = act.cast[shelter]
    sent = unwrap(act.lead.refer(act.case, shelter, **BED))
    yield
    if answer == "none":
        return
    if emergency or answer == "accept":
        require(helper.does("acknowledge", sent))
    yield
    if answer == "decline":
        require(helper.does("decline", sent, {"reason": "NO_CAPACITY"}))
        return
    require(helper.does("accept", sent, make_meeting(act.cast.world)))
    report_places(helper, 0)


def report_places(helper: Someone, free: int) -> None:
    path = f"/focal-points/{helper.code}/capacity"
    require(helper.ask("PUT", path, {"free": free}))


def cross_border(act: Act, country: str) -> Steps:
    """Record that the person is in another country; its lead answers the offer or not."""
    answer = act.chance.choice(("accept", "decline", "none"))
    if country == "stays":
        return
    require(act.lead.does("relocate", act.case, {"country": country}))
    yield
    if answer == "none":
        return
    yield from answer_offer(act, act.cast[f"{country}_LEAD"], answer)


def answer_offer(act: Act, successor: Someone, answer: str) -> Steps:
    """Offer the lead to an office, which accepts or declines the offer."""
    query = {"case": act.case["code"], "state": "offered"}
    offers = unwrap(act.lead.get("/handovers", **query))["items"]
    if not offers:
        unwrap(act.lead.offer(act.case, successor.code))
    yield
    if answer == "accept":
        hand_over(act.lead, act.case, successor)
        act.real.lead = successor
    else:
        [offer] = unwrap(act.lead.get("/handovers", **query))["items"]
        require(successor.does("decline", offer, {"reason": "NO_CAPACITY"}))


def change_lead(act: Act, successor: str) -> Steps:
    """Hand the case over to another office in the same country."""
    if successor != NOTHING:
        yield from answer_offer(act, act.cast[successor], "accept")


def lead_abroad(act: Act, country: str) -> Steps:
    """Record that the person crossed a border, and hand the case over to the lead there."""
    require(act.lead.does("relocate", act.case, {"country": country}))
    yield from answer_offer(act, act.cast[f"{country}_LEAD"], "accept")


def cross_unled(act: Act, country: str) -> Steps:
    """Record as the candidate that the person crossed a border; the next office answers."""
    answer = act.chance.choice(("acknowledge", "lead", "decline", "none"))
    if country == "stays":
        return
    require(act.lead.does("relocate", act.case, {"country": country}))
    yield
    candidate = act.cast[f"{country}_LEAD"]
    if answer in {"acknowledge", "lead"}:
        require(candidate.does("acknowledge", act.case))
    yield
    if answer == "decline":
        require(candidate.does("decline-lead", act.case, {"reason": "NO_CAPACITY"}))
    elif answer == "lead":
        body = {"contacts": make_contacts()}
        require(candidate.does("accept-lead", act.case, body))


def fear(act: Act, whom: str) -> Steps:
    """Write that the person fears an office: one of the coalition, another one, or none."""
    if whom == NOTHING:
        return
    helper = act.real.helper
    feared = {
        "observer": [helper.code if helper else LEAD],
        "shelter": [SHELTERS[0]],
        "nobody": [],
    }
    write_safeguards(act.lead, act.case, {"unsafe_focal_points": feared[whom]})
    yield


def suspend(act: Act, course: str) -> Steps:
    """Suspend the case, and resume it."""
    if course == NOTHING:
        return
    body = {"reason": "SAFETY", "review_at": act.get_time(days=6)}
    require(act.lead.does("suspend", act.case, body))
    yield
    yield
    if course == "resumed":
        require(act.lead.does("resume", act.case))


def change_priority(act: Act, priority: str) -> Steps:
    """Make the case an emergency, or urgent."""
    if priority != NOTHING:
        match = {"If_Match": act.lead.get_tag(act.case)}
        body = {"priority": priority}
        require(act.lead.ask("PATCH", get_path(act.case), body, headers=match))
    yield


def withdraw_consent(act: Act, office: str) -> Steps:
    """Withdraw the consent to the service of an office outside the coalition."""
    if office != NOTHING:
        withdraw_consents(act.lead, act.case, office)
    yield


def write_section(act: Act, section: str) -> Steps:
    """Write a section that the coalition may not read."""
    texts: Mapping[str, Json] = {
        "perpetrators": {"text": "Two men from Osh"},
        "contact": {"alias": "Anor", "safe_channel": "Signal"},
    }
    if section != NOTHING:
        path = f"{get_path(act.case)}/sections/{section}"
        body = {"section": section} | texts[section]
        match = {"If_Match": act.lead.get_tag(act.case)}
        require(act.lead.ask("PUT", path, body, headers=match))
    yield


def open_return(act: Act, course: str) -> Steps:
    """Refer the person to an organisation at home, and open or stop a return."""
    home = act.cast[HOME]
    terms = {"service": "RETURN", "sections": ["needs", "contact", "identity"]}
    sent = unwrap(act.lead.refer(act.case, HOME, **terms))
    require(home.does("accept", sent, make_meeting(act.cast.world)))
    yield
    if course == NOTHING:
        return
    record = unwrap(create_return(act.lead, sent))
    require(act.lead.does("inform", record, TOLD))
    yield
    if course == "stopped":
        require(act.lead.send(f"{get_path(record)}/call-off", {}))


def end_part(act: Act, cause: str) -> Steps:
    """End the referral to an office of the coalition, for one of several causes."""
    lead, case, referral = act.lead, act.case, act.real.referral
    assert referral
    assert act.real.helper
    match cause:
        case "withdrawn":
            body = {"reason": "NO_LONGER_NEEDED"}
            require(lead.does("withdraw", referral, body))
        case "refused":
            require(lead.does("withdraw", referral, {"reason": "SURVIVOR_DECLINED"}))
        case "consent":
            withdraw_consents(lead, case, act.real.helper.code)
        case "feared":
            feared = {"unsafe_focal_points": [act.real.helper.code]}
            write_safeguards(lead, case, feared)
        case "asylum":
            write_safeguards(lead, case, {"seeks_asylum": True})
        case "blocked":
            write_safeguards(lead, case, {"origin_contact": "blocked"})
        case "stopped":
            require(lead.send(f"{get_path(case)}/stop", {"reason": "SURVIVOR_REQUEST"}))
        case _:
            raise ValueError(cause)
    yield


ACTS: Final[Mapping[str, Callable[[Act, str], Steps]]] = {
    "shelter": help_in_shelter,
    "country": cross_border,
    "lead": change_lead,
    "border": lead_abroad,
    "route": cross_unled,
    "fear": fear,
    "suspension": suspend,
    "priority": change_priority,
    "consent": withdraw_consent,
    "section": write_section,
    "return": open_return,
    "cause": end_part,
}
"""The secret acts by the name of the secret."""


def run_act(act: Act, secret: str, variant: str) -> Steps:
    """Return the steps of an act, in one of its variants."""
    return ACTS[secret](act, variant)


VARIANTS: Final[Mapping[str, tuple[str, ...]]] = {
    "shelter": SHELTERS,
    "country": ("stays", "KG", "TT"),
    "lead": (NOTHING, "SANA_SEZIM", "IOM"),
    "border": ("KG", "TT"),
    "route": ("stays", "KG", "TT"),
    "fear": (NOTHING, "nobody", "shelter", "observer"),
    "suspension": (NOTHING, "suspended", "resumed"),
    "priority": (NOTHING, "emergency", "urgent"),
    "consent": (NOTHING, "IOM", LAWYER),
    "section": (NOTHING, "perpetrators", "contact"),
    "return": (NOTHING, "opened", "stopped"),
    "cause": (
        "withdrawn",
        "refused",
        "consent",
        "feared",
        "asylum",
        "blocked",
        "stopped",
    ),
}
"""The variants of each secret. Two worlds play two of them."""
