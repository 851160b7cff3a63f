"""The journey of a worker who goes home: Kazakhstan hands over the lead to Uzbekistan."""

from datetime import datetime
from typing import Final

from app.demo.demo_accounts import KZ_LEAD, KZ_SHELTER, UZ_CENTRE, UZ_LEAD, UZ_OFFICER
from app.demo.demo_users import Demo, DemoCase, DemoUser, Json
from app.demo.texts import (
    build_consent,
    build_contact,
    build_contacts,
    build_identity,
    build_needs,
    build_recipient,
    build_summary,
    name_class,
    name_office,
)

REFERENCE: Final = "DEMO-ALMATY-2"
SHARED: Final = ("needs", "contact")
AGREEMENT: Final = "KZ_UZ_DEMO"


def play(demo: Demo) -> None:
    """Run the journey in which the lead is handed over."""
    demo.say("A man from the same farm near Almaty wants to go home.")
    case = demo.submit_case(UZ_OFFICER, build_case(demo.now))
    if case is None:
        return
    case.print(f"  His consular officer submits the case; Kazakhstan leads: {case.code}")
    lead = case.get_user(KZ_LEAD)
    case.take_lead(lead)
    bed = case.refer(lead, KZ_SHELTER, "SHELTER", SHARED)
    case.accept(bed, KZ_SHELTER).apply(bed, "start", {"person_met": True})
    successor = case.get_user(UZ_LEAD)
    handover = offer_lead(case, lead, successor)
    accept_lead(case, successor, handover, bed)
    show_new_lead(case, lead, successor)


def build_case(now: datetime) -> Json:
    """Return the request body with which the officer submits the case."""
    state, offices = name_class("state", "KZ"), name_class("non_state", "KZ")
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "summary": build_summary("KZ", "uz", "SHELTER", "REINTEGRATION"),
        "sections": [
            build_needs(
                "A bed now; later work and advice at home", "The foreman calls him daily"
            ),
            build_contact("Jasur", "Messages only, in Uzbek"),
            build_identity("UZ", "Жасур Намунавий Қўчқоров", "Jasur Namunaviy Qoʻchqorov"),
        ],
        "safeguards": {"country_of_origin": "UZ", "origin_contact": "permitted"},
        "consents": [
            build_consent(
                now,
                build_recipient(state, "REFER"),
                build_recipient(offices, "SHELTER"),
                build_recipient(name_office(UZ_LEAD), "HANDOVER"),
                build_recipient(name_office(UZ_CENTRE), "REINTEGRATION"),
            )
        ],
        "risk": {"level": "low"},
    }


def offer_lead(case: DemoCase, lead: DemoUser, successor: DemoUser) -> str:
    """Offer the lead to Uzbekistan, as a consent and an agreement of both States allow."""
    reason, note = "MIGRATION_OR_CHANGE_OF_LOCATION", "Synthetic: he goes home."
    offer = {"to": UZ_LEAD.focal_point, "reason": reason, "note": note}
    offered = lead.call(f"{case.path}/handovers", offer)
    handover = f"handovers/{offered['id']}"
    case.print("Kazakhstan offers the lead to Uzbekistan. This needs three things:")
    case.print("  he consents to the new lead, he permits contact with his State, and both")
    case.print(f"  States have an agreement on what may cross the border ({AGREEMENT}).")
    due = successor.list_deadlines(handover)["answer_handover"]
    needed = successor.get(f"{case.path}/sections/needs")["content"]["summary"]
    case.print(f"  Uzbekistan has to answer by {due}, and reads what is needed: {needed}")
    return handover


def accept_lead(case: DemoCase, successor: DemoUser, handover: str, bed: str) -> None:
    """Accept the lead, and show that the running referral continues."""
    promise = {"contacts": build_contacts(UZ_LEAD), "capacity_confirmed": True}
    successor.apply(handover, "accept", promise)
    lead = successor.get(case.path)["lead"]
    case.print(f"Uzbekistan accepts and is now the lead: {lead}. The referral for a bed in")
    case.print(f"  Kazakhstan continues; its sender is now {successor.get(bed)['sender']}.")
    case.expect_hidden(successor.can_read(f"{bed}/arrangement"))
    case.print("  His own State cannot read the address, or who meets him there.")


def show_new_lead(case: DemoCase, lead: DemoUser, successor: DemoUser) -> None:
    """Make a referral as the new lead, and check that the former lead cannot see it."""
    before = lead.list_events(case.path)
    referral = case.refer(successor, UZ_CENTRE, "REINTEGRATION", SHARED)
    case.accept(referral, UZ_CENTRE)
    case.print("The new lead asks a centre in Uzbekistan to help him. The centre accepts.")
    after = lead.list_events(case.path, referral)
    case.expect_hidden(after != before, lead.can_read(referral))
    case.print("  Kazakhstan gets no event about this, and can read only its own texts.")
    case.print(f"  The case is {successor.get(case.path)['state']}.")
