"""Journey: a worker goes home from Almaty, and Kazakhstan hands over the lead."""

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


def play(demo: Troupe) -> None:
    """Play the journey."""
    demo.say("A man from the same farm near Almaty wants to go home.")
    journey = demo.meets(UZ_OFFICER, build_case(demo.now))
    if journey is None:
        return
    journey.say(
        f"  His consular officer submits the case, and Kazakhstan leads: {journey.code}"
    )
    lead = journey.player(KZ_LEAD)
    journey.leads(lead)
    bed = journey.refers(lead, KZ_SHELTER, "SHELTER", SHARED)
    journey.accepts(bed, KZ_SHELTER).act(bed, "start", {"person_met": True})
    successor = journey.player(UZ_LEAD)
    handover = offer_lead(journey, lead, successor)
    accept_lead(journey, successor, handover, bed)
    show_new_lead(journey, lead, successor)


def build_case(now: datetime) -> Json:
    """Return the case as the officer submits it."""
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


def offer_lead(journey: Tale, lead: Player, successor: Player) -> str:
    """Offer the lead; the person and the States agreed to it."""
    why = {"reason": "MIGRATION_OR_CHANGE_OF_LOCATION", "note": "Synthetic: he goes home."}
    offered = lead.post(f"{journey.case}/handovers", {"to": UZ_LEAD.focal_point} | why)
    handover = f"handovers/{offered['id']}"
    journey.say(
        "Kazakhstan offers the lead to Uzbekistan. Three requirements hold: he consents to"
    )
    journey.say(
        "  the new lead, he permits contact with his State, and both States have an"
    )
    journey.say(f"  agreement on what may cross the border ({AGREEMENT}).")
    due = successor.waits(handover)["answer_handover"]
    needed = successor.get(f"{journey.case}/sections/needs")["content"]["summary"]
    journey.say(f"  Uzbekistan has to answer by {due}, and reads what is needed: {needed}")
    return handover


def accept_lead(journey: Tale, successor: Player, handover: str, bed: str) -> None:
    """Accept the lead, with all running referrals."""
    promise = {"contacts": build_contacts(UZ_LEAD), "capacity_confirmed": True}
    successor.act(handover, "accept", promise)
    lead = successor.get(journey.case)["lead"]
    journey.say(
        f"Uzbekistan accepts and is now the lead: {lead}. The referral for his bed in"
    )
    journey.say(
        f"  Kazakhstan continues; its sender is now {successor.get(bed)['sender']}."
    )
    journey.hidden(successor.finds(f"{bed}/arrangement"))
    journey.say("  His own State cannot open the address or who meets him there.")


def show_new_lead(journey: Tale, lead: Player, successor: Player) -> None:
    """Let the new lead make a referral, which the former lead does not see."""
    before = lead.hears()
    work = journey.refers(successor, UZ_CENTRE, "REINTEGRATION", SHARED)
    journey.accepts(work, UZ_CENTRE)
    journey.say("The new lead asks a centre in Uzbekistan to help him; it accepts.")
    journey.hidden(lead.hears() != before, lead.finds(work))
    journey.say(
        "  Kazakhstan gets no event about this. It can still read what it wrote itself."
    )
    journey.say(f"  The case is {successor.get(journey.case)['state']}.")
