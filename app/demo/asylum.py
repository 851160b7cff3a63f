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
    demo.say("A woman from Turkmenistan, who fears her State, calls a helpline in Bishkek.")
    case = demo.meets(KG_OFFICER, build_case(demo.now))
    if case is None:
        return
    case.say("  She seeks asylum, and consents to international organisations only.")
    case.say(f"  The helpline submits the case: {case.code}")
    lead = case.player(IOM)
    case.leads(lead)
    show_routing(case, lead)
    ask_helpers(case, lead)
    show_outcome(case, lead)


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


def show_routing(case: Tale, lead: Player) -> None:
    """Show the candidates and the offices left out, as the lead sees them."""
    routing = lead.get(f"{case.case}/routing")
    case.say("IOM takes the lead, and reads why it was asked and others were not:")
    for one in routing["candidates"]:
        case.say(f"  {one['place']}. {one['focal_point']}: {', '.join(one['reasons'])}")
    for one in routing["left_out"]:
        case.say(f"  not {one['focal_point']}: {', '.join(one['reasons'])}")
    case.say("  Only `no_consent`: it could lead if she agrees. Fear of an office is not")
    case.say("  a listed reason.")


def ask_helpers(case: Tale, lead: Player) -> None:
    """Refer to UNHCR and a shelter; show that a referral to her consulate is refused."""
    asylum = case.refers(lead, UNHCR, "ASYLUM", ["needs", "contact"])
    bed = case.refers(lead, KG_SHELTER, "SHELTER", ["needs", "contact"])
    for part, referral in ((UNHCR, asylum), (KG_SHELTER, bed)):
        helper = case.accepts(referral, part)
        helper.act(referral, "start", {"person_met": True})
    case.say("UNHCR takes on her asylum, and a shelter gives her a bed.")
    request = build_referral(TM_OFFICER, "CONSULAR_DOCUMENT")
    unmet = lead.lacks(f"{case.case}/referrals", request)
    case.say("IOM tries to ask her consulate for a passport. The service refuses:")
    for remedy in unmet.values():
        case.say(f"  {remedy}")


def show_outcome(case: Tale, lead: Player) -> None:
    """Show the state of the case, and that her consulate sees nothing."""
    case.say(f"The case is {lead.get(case.case)['state']}.")
    consulate = case.player(TM_OFFICER)
    case.hidden(consulate.hears(), consulate.finds(case.case))
    case.say("  The feed of her consulate is empty, and its request for the case gets")
    case.say("  the same answer as a request for an unknown code: not found.")
