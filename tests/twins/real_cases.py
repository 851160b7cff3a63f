"""Real cases, one for each relation that an office of the coalition can have to a case."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from typing import Any, Final

from httpx2 import Response

from tests.support.moved_cases import ASK, DONE, LEADS, MET
from tests.support.returns import HOME, make_return_consent
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_takeover,
    unwrap,
)
from tests.twins.cast import (
    CONSULATE,
    HELPER,
    LAWYER,
    LEAD,
    SHELTERS,
    Cast,
    RealCase,
)

NONE, SUBMITTER, DECLINED = "none", "submitter", "declined candidate"
ASKED, ASKED_ENDED = "asked consulate", "consulate that was asked"
RUNNING, COMPLETED, ENDED = "running helper", "completed helper", "ended helper"
FORMER_LEAD = "former lead"
UNLED, SUBMITTER_UNLED = "none, not led", "submitter, not led"

IDENTITY: Final[Json] = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
BED: Final[Json] = {"service": "SHELTER", "sections": ["needs"]}
GUARDS: Final[Json] = {"country_of_origin": "UZ", "origin_contact": "permitted"}
NEEDED: Final = ("KZ_LEAD", "IOM", *LEADS)


def require(answer: Response) -> None:
    """Raise AssertionError unless a request succeeded."""
    assert answer.is_success, answer.text


def list_consents(country: str) -> list[Json]:
    """Return the consents of a real case, which allow every secret action."""
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
    return [
        *(make_state_consent(one) for one in dict.fromkeys(("KZ", "KG", "TT", country))),
        *(make_bed_consent(one) for one in (HELPER, *SHELTERS)),
        make_consent(focal_point=LAWYER, purposes=["LEGAL_AID"]),
        make_consent(focal_point="ISTIQBOLLI_AVLOD", purposes=["REFER"]),
        make_consent(focal_point="IOM", purposes=["REINTEGRATION"], sections=["needs"]),
        make_return_consent(),
        make_consent(focal_point=CONSULATE, **papers),
        *(make_handover_consent(one) for one in dict.fromkeys(NEEDED)),
    ]


def make_state_consent(country: str) -> Json:
    return make_consent(recipient_class={"kind": "state", "country": country})


def make_bed_consent(office: str) -> Json:
    return make_consent(focal_point=office, purposes=["SHELTER"], sections=["needs"])


def submit(cast: Cast, office: str, country: str = "KZ", **guards: Any) -> Json:
    """Submit a real case, and return it."""
    services = ["SHELTER", "LEGAL_AID", "RETURN"]
    summary = {"country": country, "services": services, "priority": cast.priority}
    given = {"summary": summary, "consents": list_consents(country)}
    return cast[office].submit(safeguards=GUARDS | guards, **given)


def make_meeting(world: World) -> Json:
    """Return the body with which an office accepts a referral now."""
    return make_acceptance(at=(world.now + timedelta(hours=20)).isoformat())


def lead_case(cast: Cast, case: Json) -> RealCase:
    """Let KZ_LEAD lead a case, and a lawyer help in it."""
    lead = cast["KZ_LEAD"]
    lead.take_lead(case)
    terms = {"service": "LEGAL_AID", "sections": ["needs", "contact"]}
    sent = unwrap(lead.refer(case, LAWYER, **terms))
    unwrap(cast[LAWYER].does("accept", sent, make_meeting(cast.world)))
    return RealCase(case, lead)


def build_unrelated(cast: Cast) -> RealCase:
    return lead_case(cast, submit(cast, "IOM"))


def build_submitted(cast: Cast) -> RealCase:
    real = lead_case(cast, submit(cast, CONSULATE))
    real.helper = cast[CONSULATE]
    return real


def build_unled(cast: Cast, submitter: str) -> RealCase:
    """Submit a case that a candidate has acknowledged, but does not lead."""
    case, candidate = submit(cast, submitter), cast["KZ_LEAD"]
    unwrap(candidate.does("acknowledge", case))
    helper = cast[submitter] if submitter == CONSULATE else None
    return RealCase(case, candidate, helper=helper)


def build_declined(cast: Cast) -> RealCase:
    """Let the coalition's lead decline a case, whose person then goes to Kazakhstan."""
    case = submit(cast, "IOM", "UZ")
    require(cast[LEAD].does("decline-lead", case, {"reason": "NO_CAPACITY"}))
    second = cast[HOME]
    unwrap(second.does("acknowledge", case))
    require(second.does("relocate", case, {"country": "KZ"}))
    real = lead_case(cast, case)
    real.helper = cast[LEAD]
    return real


def build_former_lead(cast: Cast) -> RealCase:
    """Let the coalition's lead lead a case, and hand it over to Kazakhstan."""
    lead = cast[LEAD]
    case = submit(cast, "IOM", "UZ", country_of_origin="TJ")
    lead.take_lead(case)
    unwrap(lead.does("relocate", case, {"country": "KZ"}))
    hand_over(lead, case, cast["KZ_LEAD"])
    terms = {"service": "LEGAL_AID", "sections": ["needs", "contact"]}
    sent = unwrap(cast["KZ_LEAD"].refer(case, LAWYER, **terms))
    unwrap(cast[LAWYER].does("accept", sent, make_meeting(cast.world)))
    return RealCase(case, cast["KZ_LEAD"], helper=lead)


def hand_over(lead: Someone, case: Json, successor: Someone) -> None:
    """Offer the lead to an office, unless the service has done so, and let it accept."""
    offers = unwrap(lead.get("/handovers", case=case["code"], state="offered"))["items"]
    offer = offers[0] if offers else unwrap(lead.offer(case, successor.code))
    unwrap(successor.does("accept", offer, make_takeover()))


def build_helped(cast: Cast, office: str, terms: Json) -> RealCase:
    """Refer a real case to an office of the coalition."""
    real = lead_case(cast, submit(cast, "IOM"))
    real.helper = cast[office]
    real.referral = unwrap(real.lead.refer(real.case, office, **terms))
    return real


def advance_helper(cast: Cast, real: RealCase, state: str) -> RealCase:
    """Let the helper act until its referral is in a state."""
    helper, sent = real.helper, real.referral
    assert helper
    assert sent
    review = (cast.world.now + timedelta(minutes=50)).isoformat()
    ways: Mapping[str, list[tuple[str, Any]]] = {
        "sent": [],
        "received": [("acknowledge", None)],
        "info_requested": [("acknowledge", None), ("ask", ASK)],
        "accepted": [("accept", make_meeting(cast.world))],
        "in_progress": [("accept", make_meeting(cast.world)), ("start", MET)],
        "on_hold": [
            ("accept", make_meeting(cast.world)),
            ("start", MET),
            ("hold", {"reason": "SAFETY", "review_at": review}),
        ],
        "completed": [
            ("accept", make_meeting(cast.world)),
            ("start", MET),
            ("complete", DONE),
        ],
    }
    for action, body in ways[state]:
        unwrap(helper.does(action, sent, body))
    return real


def end_helper(cast: Cast, real: RealCase, cause: str) -> RealCase:
    """End the referral to an office of the coalition, for a cause."""
    helper, lead, sent, case = real.helper, real.lead, real.referral, real.case
    assert helper
    assert sent
    match cause:
        case "declined":
            unwrap(helper.does("decline", sent, {"reason": "NO_CAPACITY"}))
        case "expired":
            cast.world.wait(hours=3)
        case "withdrawn":
            unwrap(lead.does("withdraw", sent, {"reason": "NO_LONGER_NEEDED"}))
        case "consent":
            withdraw_consents(lead, case, helper.code)
        case "feared":
            write_safeguards(lead, case, {"unsafe_focal_points": [helper.code]})
        case _:
            raise ValueError(cause)
    return real


def write_safeguards(lead: Someone, case: Json, changes: Json) -> None:
    """Replace the safeguards of a case."""
    match = {"If_Match": lead.get_tag(case)}
    body = GUARDS | changes
    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", body, headers=match))


def withdraw_consents(lead: Someone, case: Json, office: str) -> None:
    """Withdraw the consents for a service that one office gives."""
    path = f"{get_path(case)}/consents"
    for one in unwrap(lead.get(path))["items"]:
        if one["focal_point"] == office and "HANDOVER" not in one["purposes"]:
            require(lead.send(f"{path}/{one['id']}/withdraw"))


STATES: Final[Mapping[str, tuple[str, ...]]] = {
    ASKED: ("sent", "received", "info_requested", "accepted", "in_progress", "on_hold"),
    RUNNING: ("sent", "accepted", "in_progress", "on_hold"),
    COMPLETED: ("completed",),
    ENDED: ("declined", "expired", "withdrawn", "consent", "feared"),
    ASKED_ENDED: ("declined", "withdrawn", "consent", "feared"),
}
"""The states of the referral to the coalition, or the causes for which it ended."""
BUILDERS: Final[Mapping[str, Callable[[Cast], RealCase]]] = {
    NONE: build_unrelated,
    SUBMITTER: build_submitted,
    DECLINED: build_declined,
    FORMER_LEAD: build_former_lead,
    UNLED: lambda cast: build_unled(cast, "IOM"),
    SUBMITTER_UNLED: lambda cast: build_unled(cast, CONSULATE),
}


def build_real_case(cast: Cast, relation: str, chance: Random, priority: str) -> RealCase:
    """Build a real case of a priority, to which the coalition has a relation."""
    cast.ids.begin(f"real {relation}")
    cast.priority = priority
    if relation in BUILDERS:
        return BUILDERS[relation](cast)
    is_asked = relation in {ASKED, ASKED_ENDED}
    state = chance.choice(STATES[relation])
    if state == "expired":
        cast.priority = "emergency"
    office, terms = (CONSULATE, IDENTITY) if is_asked else (HELPER, BED)
    real = build_helped(cast, office, terms)
    advance = end_helper if relation in {ENDED, ASKED_ENDED} else advance_helper
    return advance(cast, real, state)
