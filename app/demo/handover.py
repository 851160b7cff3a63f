"""A worker met in Almaty whose case goes home with him: Kazakhstan hands it over."""

from datetime import datetime
from typing import Final

from app.demo.cast import KZ_LEAD, KZ_SHELTER, UZ_CENTRE, UZ_LEAD, UZ_OFFICER
from app.demo.players import Json, Player, Tale, Troupe
from app.demo.words import (
    build_consent,
    build_contact,
    build_contacts,
    build_identity,
    build_needs,
    build_summary,
    name_class,
    name_office,
)

REFERENCE: Final = "DEMO-ALMATY-2"
SHARED: Final = ("needs", "contact")
AGREEMENT: Final = "KZ_UZ_DEMO"


def play(troupe: Troupe) -> None:
    """Play it all."""
    troupe.say("A man from the same farm near Almaty was sheltered, and wants to go home.")
    tale = troupe.meets(UZ_OFFICER, build_case(troupe.now))
    if tale is None:
        return
    tale.say(f"  His consular officer submits the case, and Kazakhstan leads: {tale.code}")
    lead = tale.player(KZ_LEAD)
    tale.leads(lead)
    bed = tale.refers(lead, KZ_SHELTER, "SHELTER", SHARED)
    tale.accepts(bed, KZ_SHELTER).act(bed, "start", {"person_met": True})
    successor = tale.player(UZ_LEAD)
    handover = offer_lead(tale, lead, successor)
    accept_lead(tale, successor, handover, bed)
    show_new_lead(tale, lead, successor)


def build_case(now: datetime) -> Json:
    """Write the case as the officer sends it."""
    state, offices = name_class("state", "KZ"), name_class("non_state", "KZ")
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "notice": build_summary("KZ", "uz", "SHELTER", "REINTEGRATION"),
        "sections": [
            build_needs(
                "A bed now; later work and advice at home", "The foreman calls him daily"
            ),
            build_contact("Jasur", "Messages only, in Uzbek"),
            build_identity("UZ", "Жасур Намунавий Қўчқоров", "Jasur Namunaviy Qoʻchqorov"),
        ],
        "safeguards": {"country_of_origin": "UZ", "origin_contact": "permitted"},
        "consents": [
            build_consent(now, state, "REFER"),
            build_consent(now, offices, "SHELTER"),
            build_consent(now, name_office(UZ_LEAD), "HANDOVER"),
            build_consent(now, name_office(UZ_CENTRE), "REINTEGRATION"),
        ],
        "risk": {"level": "low"},
    }


def offer_lead(tale: Tale, lead: Player, successor: Player) -> str:
    """Offer the lead: he agreed to it, and so did the States."""
    why = {"reason": "MIGRATION_OR_CHANGE_OF_LOCATION", "note": "Synthetic: he goes home."}
    offered = lead.post(f"{tale.case}/handovers", {"to": UZ_LEAD.focal_point} | why)
    handover = f"handovers/{offered['id']}"
    tale.say(
        "Kazakhstan offers the lead to Uzbekistan. Three things had to hold: he consents"
    )
    tale.say(
        "  to this new lead, he lets his State know, and both States agreed to exchange"
    )
    tale.say(f"  this much ({AGREEMENT}).")
    due = successor.waits(handover)["answer_handover"]
    needed = successor.get(f"{tale.case}/sections/needs")["content"]["summary"]
    tale.say(f"  Uzbekistan has until {due}, and reads what is needed: {needed}")
    return handover


def accept_lead(tale: Tale, successor: Player, handover: str, bed: str) -> None:
    """Take the lead, and with it everything that runs."""
    promise = {"contacts": build_contacts(UZ_LEAD), "capacity_confirmed": True}
    successor.act(handover, "accept", promise)
    lead = successor.get(tale.case)["lead"]
    tale.say(f"Uzbekistan accepts, and is the lead at that moment: {lead}. His bed in")
    tale.say(f"  Kazakhstan is kept: its sender is now {successor.get(bed)['sender']}.")
    tale.hidden(successor.finds(f"{bed}/arrangement"))
    tale.say("  The address, and who meets him there, stay sealed to his own State.")


def show_new_lead(tale: Tale, lead: Player, successor: Player) -> None:
    """Let the new lead go on; the old one sees nothing of it."""
    before = lead.hears()
    work = tale.refers(successor, UZ_CENTRE, "REINTEGRATION", SHARED)
    tale.accepts(work, UZ_CENTRE)
    tale.say("The new lead asks a centre at home to help him begin again; it accepts.")
    tale.hidden(lead.hears() != before, lead.finds(work))
    tale.say(
        "  Kazakhstan heard nothing of that: it keeps what it wrote, and sees no more."
    )
    tale.say(f"  The case is {successor.get(tale.case)['state']}.")
