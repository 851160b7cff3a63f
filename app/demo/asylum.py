"""An asylum seeker from Turkmenistan, met in Bishkek, whose own State must never know."""

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


def play(troupe: Troupe) -> None:
    """Play it all."""
    troupe.say(
        "A helpline in Bishkek hears of a woman from Turkmenistan who fears her State."
    )
    tale = troupe.meets(KG_OFFICER, build_case(troupe.now))
    if tale is None:
        return
    tale.say("  She seeks asylum, and lets international organisations know, nobody else.")
    tale.say(f"  The helpline submits the case: {tale.code}")
    lead = tale.player(IOM)
    tale.leads(lead)
    show_routing(tale, lead)
    ask_helpers(tale, lead)
    show_outcome(tale, lead)


def build_case(now: datetime) -> Json:
    """Write the case as the helpline sends it."""
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


def show_routing(tale: Tale, lead: Player) -> None:
    """Show who is asked and who is not, as the lead reads it."""
    routing = lead.get(f"{tale.case}/routing")
    tale.say(
        "IOM acknowledges, takes the lead, and reads why it was asked, and who was not:"
    )
    for one in routing["candidates"]:
        tale.say(f"  {one['place']}. {one['focal_point']}: {', '.join(one['reasons'])}")
    for one in routing["left_out"]:
        tale.say(f"  not {one['focal_point']}: {', '.join(one['reasons'])}")
    tale.say(
        "  `no_consent` alone would mean: it could lead, ask her. That she fears somebody"
    )
    tale.say("  is never a reason that is written.")


def ask_helpers(tale: Tale, lead: Player) -> None:
    """Ask UNHCR and a shelter; her consulate cannot be asked, even by mistake."""
    asylum = tale.refers(lead, UNHCR, "ASYLUM", ["needs", "contact"])
    bed = tale.refers(lead, KG_SHELTER, "SHELTER", ["needs", "contact"])
    for part, referral in ((UNHCR, asylum), (KG_SHELTER, bed)):
        who = tale.accepts(referral, part)
        who.act(referral, "start", {"person_met": True})
    tale.say("UNHCR takes on her asylum, and a shelter gives her a bed.")
    paper = build_referral(TM_OFFICER, "CONSULAR_DOCUMENT")
    lacks = lead.lacks(f"{tale.case}/referrals", paper)
    tale.say("Somebody at IOM would ask her consulate for a passport. The service refuses:")
    for remedy in lacks.values():
        tale.say(f"  {remedy}")


def show_outcome(tale: Tale, lead: Player) -> None:
    """Tell how it stands, and what her consulate knows: nothing."""
    tale.say(f"The case is {lead.get(tale.case)['state']}.")
    consulate = tale.player(TM_OFFICER)
    tale.hidden(consulate.hears(), consulate.finds(tale.case))
    tale.say("  The consulate of Turkmenistan polls its feed: it is empty. Asked for the")
    tale.say("  case by its code it is answered like anybody who made one up: not found.")
