"""Invented cases with which the coalition prepares its observations.

The coalition invents people whose State of origin is another one, so that it may lead their
cases and ask offices of any country for help.
"""

from typing import Any, Final

from tests.support.world import (
    Json,
    Someone,
    get_path,
    make_consent,
    make_service_consent,
    unwrap,
)
from tests.twins.cast import CONSULATE, LAWYER, LEAD, SHELTERS, Cast
from tests.twins.real_cases import make_state_consent, require

LED: Final = "led"
"""The name of an invented case that the coalition leads, with the person in Kazakhstan."""
COUNTRIES: Final = ("KG", "KZ", "TT")
"""The countries whose lead is asked to lead an invented case."""
WITHDRAWN: Final[Json] = {"reason": "SENT_IN_ERROR"}
ASKED: Final = ((SHELTERS[0], "SHELTER"), (SHELTERS[1], "SHELTER"), (LAWYER, "LEGAL_AID"))
HISTORIES: Final = ("nothing", "two answers", "late answers")
"""What an office did before with invented requests: nothing, answer, or answer late.

After two requests that were withdrawn, a third answer is enough for a rating. After late
answers, one answer in time changes the rating.
"""


def make_invention(country: str, **summary: Any) -> Json:
    """Return the body of an invented case whose person is in a country."""
    services = ["SHELTER", "LEGAL_AID", "PSYCHOSOCIAL", "RETURN"]
    named: Json = {"country": country, "services": services, "priority": "normal"}
    helps = ["SHELTER", "LEGAL_AID", "PSYCHOSOCIAL"]
    return {
        "summary": named | summary,
        "safeguards": {"country_of_origin": "TM", "origin_contact": "permitted"},
        "consents": [
            *(make_state_consent(one) for one in ("UZ", *COUNTRIES)),
            *(make_service_consent("non_state", one, purposes=helps) for one in COUNTRIES),
            make_consent(focal_point="IOM", purposes=helps),
            make_consent(focal_point="KZ_LEAD", purposes=["HANDOVER"]),
        ],
    }


def prepare_coalition(cast: Cast, history: str, priority: str) -> None:
    """Invent the cases from which the coalition observes, with a history of answers."""
    cast.ids.begin(f"invented {history} {priority}")
    consulate = cast[CONSULATE]
    cast.invented[LED] = invent_led(cast, priority=priority)
    if history != "nothing":
        for _ in range(2):
            ask_and_withdraw(cast, late=history == "late answers")
    for country in COUNTRIES:
        cast.invented[country] = consulate.submit(**make_invention(country))


def invent_led(cast: Cast, **summary: Any) -> Json:
    """Invent a case, and let the coalition lead it and move it to Kazakhstan."""
    case = cast[CONSULATE].submit(**make_invention("UZ", **summary))
    cast[LEAD].take_lead(case)
    require(cast[LEAD].does("relocate", case, {"country": "KZ"}))
    return case


def ask_and_withdraw(cast: Cast, *, late: bool) -> None:
    """Send an invented request to each office, and withdraw it after a minute or late."""
    consulate, lead, urgent = cast[CONSULATE], cast[LEAD], {"priority": "emergency"}
    cases = [consulate.submit(**make_invention(one, **urgent)) for one in COUNTRIES]
    case = invent_led(cast, **urgent)
    sent = [refer(lead, case, to, service) for to, service in ASKED]
    cast.world.wait(minutes=65 if late else 1)
    for one in cases:
        consulate.does("withdraw", one, WITHDRAWN)
    for referral in sent:
        require(lead.does("withdraw", referral, WITHDRAWN))
    if late:
        cast.world.wait(minutes=1)


def refer(lead: Someone, case: Json, to: str, service: str) -> Json:
    terms = {"recipient": to, "service": service, "sections": ["needs"], "send": True}
    return unwrap(lead.create(f"{get_path(case)}/referrals", terms))
