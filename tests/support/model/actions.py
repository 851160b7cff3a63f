"""The actions of a modelled case, and the HTTP requests that perform them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from tests.support.model.case_values import (
    BY_DESK,
    CASE,
    CONSENTS,
    DAY,
    DESK,
    FEARS,
    HANDOVER,
    HOUR,
    KZ,
    LAWYER,
    LEADERS,
    NGO,
    REFERRAL,
    SERVICES,
    SHELTER,
    UZ,
    Model,
    Referral,
)
from tests.support.model.missed_deadlines import list_moments
from tests.support.model.predictions import SPOILED, Act
from tests.support.world import (
    Json,
    World,
    make_acceptance,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_lead_consent,
    make_service_consent,
)

BY_SYSTEM: Final = {
    "reroute",
    "erase_again",
    "begin_assistance",
    "fall_back",
    "expire",
}
OF_THE_LEAD: Final = frozenset({"take_over", "record_lead_consent"})
"""Actions of a desk about a lead that does not act; the case keeps its state."""
CHOSEN: Final = (*LEADERS, SHELTER)
SECTIONS: Final = ("needs", "identity")


def list_case_acts(_: Model) -> Iterator[Act]:
    """Yield the actions on the case, and variants that leave a requirement unmet."""
    for name in CASE.lines.keys() - OF_THE_LEAD:
        for target in CHOSEN if name == "assign" else (None,):
            yield from add_poor_variant(f"case.{name}", target)
    yield "lead.visit", None, False
    yield "lead.record_lead_consent", BY_DESK, False
    for target in CHOSEN:
        yield "lead.take_over", target, False
        yield "lead.take_over", target, True


def list_referral_acts(world: Model) -> Iterator[Act]:
    """Yield the actions on referrals, and openings of referrals if there are only a few."""
    for number in range(len(world.referrals)):
        for name in REFERRAL.lines:
            rest = {"answer": SECTIONS, "redirect": (SHELTER, LAWYER, DESK)}.get(name)
            for target in [(number, one) for one in rest] if rest else [(number,)]:
                yield from add_poor_variant(f"referral.{name}", target)
    if len(world.referrals) < MOST:
        yield from list_opening_acts()


def list_opening_acts() -> Iterator[Act]:
    """Yield the actions that open a referral, for each service and section to be tested."""
    for to, service in (*SERVICES.items(), (DESK, "SHELTER"), (SHELTER, "LEGAL_AID")):
        for section in SECTIONS:
            one = Referral(to, service, frozenset({section}))
            yield "referral.open", (one, False), False
            yield "referral.open", (one, True), False


def list_handover_acts(world: Model) -> Iterator[Act]:
    """Yield the actions on handovers, and offers of the lead if there are few handovers."""
    for number in range(len(world.handovers)):
        for name in set(HANDOVER.lines) - {"offer"}:
            yield from add_poor_variant(f"handover.{name}", number)
    for to in CHOSEN if len(world.handovers) < MOST else ():
        yield "handover.offer", to, False


def list_side_acts(world: Model) -> Iterator[Act]:
    """Yield the actions on consents, risk assessments, safeguards and questions."""
    for number, given in enumerate(world.consents):
        if given.is_valid:
            yield "consent.withdraw", number, False
    for kind in CONSENTS if len(world.consents) < 2 * MOST else ():
        yield "consent.record", kind, False
    for level in ("low", "high"):
        yield "risk.assess", level, False
    for fears in FEARS:
        yield "safeguards.write", fears, False
    for number in range(len(world.questions)):
        yield "question.answer", number, False
    if len(world.questions) < MOST:
        yield "question.ask", None, False


def list_time_acts(world: Model) -> Iterator[Act]:
    """Yield steps in which only time passes, with the worker running and without it."""
    for minutes in list_moments(world):
        yield "time.wait", minutes, False
    for minutes in (HOUR, 8 * DAY):
        yield "time.pass", minutes, False


MOST: Final = 4


def add_poor_variant(action: str, target: Any) -> Iterator[Act]:
    """Yield an action and, if possible, a variant that leaves a requirement unmet.

    Yield nothing for an action that only the system takes.
    """
    about, _, name = action.partition(".")
    if name in BY_SYSTEM:
        return
    machine = {"case": CASE, "referral": REFERRAL, "handover": HANDOVER}[about]
    needs = {need for options in machine.get_options(name) for need in options}
    yield action, target, False
    if needs & SPOILED:
        yield action, target, True


GROUPS: Final = (
    list_case_acts,
    list_referral_acts,
    list_handover_acts,
    list_side_acts,
    list_time_acts,
)


# Bodies of requests.

LATER: Final = "2029-01-01T00:00:00Z"
HOW: Final[dict[str, Json]] = {
    "refer": make_consent(),
    "refer_ngo": make_consent(focal_point=NGO),
    "refer_uz": make_consent(focal_point=UZ),
    "services": make_service_consent(sections=["needs", "contact"]),
    "shelter": make_consent(
        focal_point=SHELTER,
        purposes=["SHELTER", "LEGAL_AID"],
        sections=["needs", "identity"],
    ),
    "lead_ngo": make_handover_consent(NGO),
    "lead_uz": make_handover_consent(UZ),
    "lead_kz": make_handover_consent(KZ),
}
GUARDS: Final[dict[str, Json]] = {
    "nothing": {},
    "permitted": {"origin_contact": "permitted"},
    "blocked": {"fear_of_state": True},
    "lead": {"unsafe_focal_points": [KZ]},
    "shelter": {"unsafe_focal_points": [SHELTER]},
}


def make_given_consent(kind: str) -> Json:
    """Return the body of a consent that does not expire during the test."""
    return HOW[kind] | {"expires_at": LATER}


def make_safeguards(fears: str) -> Json:
    """Return the safeguards of a person from Uzbekistan."""
    return {"country_of_origin": "UZ"} | GUARDS[fears]


def make_body(world: World, act: Act) -> Json | None:
    """Return the request body of an action, or None if the action has no body."""
    action, target, poor = act
    people = make_contacts(*(["Айгүл"] * 2 if poor else []))
    hours = {"meeting": -1 if poor else 24, "review": 24 * 60 if poor else 24}

    def get_time_ahead(hours: int) -> str:
        return (world.now + timedelta(hours=hours)).isoformat()

    visits = (
        [get_time_ahead(48), get_time_ahead(24)]
        if poor
        else [get_time_ahead(24), get_time_ahead(48)]
    )
    meeting = {
        "place": "Rayymbek 1",
        "at": get_time_ahead(hours["meeting"]),
        "person": "Гүлнар",
    }
    taken_back = {"reason": "SURVIVOR_DECLINED"}
    rests = {"reason": "SAFETY", "review_at": get_time_ahead(hours["review"])}
    bodies: dict[str, Json] = {
        "case.withdraw": {"reason": "SENT_IN_ERROR"},
        "case.decline_lead": {"reason": "NO_CAPACITY"},
        "case.assign": {"focal_point": target, "reason": "LOCAL_KNOWLEDGE"},
        "case.accept_lead": {"contacts": people},
        "case.suspend": rests,
        "case.monitor": {"visits": visits},
        "case.reopen_assistance": {"reason": "NEW_NEED"},
        "case.close": {"reason": "GOALS_MET", "person_informed": not poor},
        "case.stop": {"reason": "SURVIVOR_REQUEST"},
        "case.reopen": {"reason": "NEW_NEED"},
        "case.erase": {"reason": "SURVIVOR_REQUEST"},
        "lead.visit": {"person_met": True, "early": True},
        "lead.record_lead_consent": make_lead_consent(
            kind="state", expires_at=LATER, reason="LEAD_SILENT"
        ),
        "lead.take_over": {
            "focal_point": target,
            "reason": "LEAD_SILENT",
            "person_informed": not poor,
        },
        "referral.ask": {"topics": ["identity"], "question": "?"},
        "referral.answer": {"sections": [get_last_part(target)], "answer": "!"},
        "referral.accept": make_acceptance() | {"meeting": meeting, "contacts": people},
        "referral.decline": {"reason": "NO_CAPACITY"},
        "referral.redirect": {
            "reason": "NO_CAPACITY",
            "alternative": get_last_part(target),
        },
        "referral.start": {"person_met": not poor},
        "referral.hold": rests,
        "referral.report": {"feedback": "So far good"},
        "referral.complete": {"outcome": "delivered", "feedback": "Good"},
        "referral.withdraw": taken_back,
        "referral.revoke": taken_back,
        "handover.accept": {"contacts": people, "capacity_confirmed": not poor},
        "handover.decline": {"reason": "NO_CAPACITY"},
        "handover.cancel": {},
    }
    return bodies.get(action)


def get_last_part(target: Any) -> Any:
    """Return the last item of a target that is a tuple, or None for any other target."""
    return target[-1] if isinstance(target, tuple) else None
