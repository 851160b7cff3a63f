"""Journey: an asylum seeker from Turkmenistan in Bishkek, kept secret from her State."""

from datetime import datetime
from typing import Final

from app.demo.cast import IOM, KG_OFFICER, KG_SHELTER, TM_OFFICER, UNHCR
from app.demo.players import Json, Player, Tale, Troupe, build_referral
from app.demo.words import (
    build_consent,
    build_contact,
    build_identity,
    build_needs,
    build_summary,
    name_class,
)

REFERENCE: Final = "DEMO-BISHKEK-1"


def play(demo: Troupe) -> None:
    """Play the journey."""
    demo.say(
        "A helpline in Bishkek is called by a woman from Turkmenistan who fears her State."
    )
    journey = demo.meets(KG_OFFICER, build_case(demo.now))
    if journey is None:
        return
    journey.say(
        "  She seeks asylum, and agrees that only international organisations may know."
    )
    journey.say(f"  The helpline submits the case: {journey.code}")
    lead = journey.player(IOM)
    journey.leads(lead)
    show_routing(journey, lead)
    ask_helpers(journey, lead)
    show_outcome(journey, lead)


def build_case(now: datetime) -> Json:
    """Return the case as the helpline submits it."""
    known = name_class("intergovernmental", "KG")
    offices = name_class("non_state", "KG")
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "notice": build_summary("KG", "tk", "ASYLUM", "SHELTER"),
        "sections": [
            build_needs(
                "Asylum, and a bed where nobody asks", "Men of the consulate look for her"
            ),
            build_contact("Aýgözel", "Through the helpline, in Turkmen"),
            build_identity("TM", "Aýgözel Ýasama Öwezowa", "Айгозель Ясама Овезова"),
        ],
        "safeguards": {
            "country_of_origin": "TM",
            "fear_of_state": True,
            "seeks_asylum": True,
            "origin_contact": "blocked",
            "unsafe_focal_points": [TM_OFFICER.focal_point],
        },
        "consents": [
            build_consent(now, known, "REFER", "ASYLUM", language="tk"),
            build_consent(now, offices, "SHELTER", language="tk"),
        ],
        "risk": {"level": "high", "remarks": "Synthetic: her brother was questioned."},
    }


def show_routing(journey: Tale, lead: Player) -> None:
    """Show the candidates and the offices left out, as the lead sees them."""
    routing = lead.get(f"{journey.case}/routing")
    journey.say(
        "IOM acknowledges, takes the lead, and reads why it was asked and others were not:"
    )
    for one in routing["candidates"]:
        journey.say(f"  {one['place']}. {one['focal_point']}: {', '.join(one['reasons'])}")
    for one in routing["left_out"]:
        journey.say(f"  not {one['focal_point']}: {', '.join(one['reasons'])}")
    journey.say(
        "  Only `no_consent`: it could lead if she agrees. Fear of an office is never"
    )
    journey.say("  listed as a reason.")


def ask_helpers(journey: Tale, lead: Player) -> None:
    """Refer to UNHCR and a shelter; show that a referral to her consulate is refused."""
    asylum = journey.refers(lead, UNHCR, "ASYLUM", ["needs", "contact"])
    bed = journey.refers(lead, KG_SHELTER, "SHELTER", ["needs", "contact"])
    for part, referral in ((UNHCR, asylum), (KG_SHELTER, bed)):
        who = journey.accepts(referral, part)
        who.act(referral, "start", {"person_met": True})
    journey.say("UNHCR takes on her asylum, and a shelter gives her a bed.")
    request = build_referral(TM_OFFICER, "CONSULAR_DOCUMENT")
    unmet = lead.lacks(f"{journey.case}/referrals", request)
    journey.say("IOM tries to ask her consulate for a passport. The service refuses:")
    for remedy in unmet.values():
        journey.say(f"  {remedy}")


def show_outcome(journey: Tale, lead: Player) -> None:
    """Show the state of the case, and that her consulate sees nothing."""
    journey.say(f"The case is {lead.get(journey.case)['state']}.")
    consulate = journey.player(TM_OFFICER)
    journey.hidden(consulate.hears(), consulate.finds(journey.case))
    journey.say(
        "  The feed of the consulate of Turkmenistan is empty. A request for the case by"
    )
    journey.say("  its code gets the same answer as an unknown code: not found.")
