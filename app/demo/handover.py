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
    case = demo.meets(UZ_OFFICER, build_case(demo.now))
    if case is None:
        return
    case.say(f"  His consular officer submits the case; Kazakhstan leads: {case.code}")
    lead = case.player(KZ_LEAD)
    case.leads(lead)
    bed = case.refers(lead, KZ_SHELTER, "SHELTER", SHARED)
    case.accepts(bed, KZ_SHELTER).act(bed, "start", {"person_met": True})
    successor = case.player(UZ_LEAD)
    handover = offer_lead(case, lead, successor)
    accept_lead(case, successor, handover, bed)
    show_new_lead(case, lead, successor)


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


def offer_lead(case: Tale, lead: Player, successor: Player) -> str:
    """Offer the lead; the person and the States agreed to it."""
    reason = {
        "reason": "MIGRATION_OR_CHANGE_OF_LOCATION",
        "note": "Synthetic: he goes home.",
    }
    offered = lead.post(f"{case.case}/handovers", {"to": UZ_LEAD.focal_point} | reason)
    handover = f"handovers/{offered['id']}"
    case.say("Kazakhstan offers the lead to Uzbekistan. Three things hold: he consents to")
    case.say("  the new lead, he permits contact with his State, and both States have an")
    case.say(f"  agreement on what may cross the border ({AGREEMENT}).")
    due = successor.waits(handover)["answer_handover"]
    needed = successor.get(f"{case.case}/sections/needs")["content"]["summary"]
    case.say(f"  Uzbekistan has to answer by {due}, and reads what is needed: {needed}")
    return handover


def accept_lead(case: Tale, successor: Player, handover: str, bed: str) -> None:
    """Accept the lead, with all running referrals."""
    promise = {"contacts": build_contacts(UZ_LEAD), "capacity_confirmed": True}
    successor.act(handover, "accept", promise)
    lead = successor.get(case.case)["lead"]
    case.say(f"Uzbekistan accepts and is now the lead: {lead}. The referral for a bed in")
    case.say(f"  Kazakhstan continues; its sender is now {successor.get(bed)['sender']}.")
    case.hidden(successor.finds(f"{bed}/arrangement"))
    case.say("  His own State cannot open the address or who meets him there.")


def show_new_lead(case: Tale, lead: Player, successor: Player) -> None:
    """Let the new lead make a referral, which the former lead does not see."""
    before = lead.hears()
    referral = case.refers(successor, UZ_CENTRE, "REINTEGRATION", SHARED)
    case.accepts(referral, UZ_CENTRE)
    case.say("The new lead asks a centre in Uzbekistan to help him; it accepts.")
    case.hidden(lead.hears() != before, lead.finds(referral))
    case.say("  Kazakhstan gets no event about it, and can read only what it wrote.")
    case.say(f"  The case is {successor.get(case.case)['state']}.")
