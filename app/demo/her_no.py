"""Journey: a woman in Almaty withdraws a consent, which takes effect at once."""

from datetime import datetime
from typing import Final

from app.demo.cast import (
    KZ_FULL_SHELTER,
    KZ_LAWYER,
    KZ_LEAD,
    KZ_NGO,
    KZ_SHELTER,
    UZ_OFFICER,
)
from app.demo.players import Json, Player, Tale, Troupe, build_referral
from app.demo.words import (
    build_consent,
    build_contact,
    build_identity,
    build_needs,
    build_summary,
    name_class,
    name_office,
)

REFERENCE: Final = "DEMO-ALMATY-NO"
SHARED: Final = ("needs", "contact")


def play(demo: Troupe) -> None:
    """Play the journey."""
    demo.say("A woman in Almaty agrees that an NGO leads, and consents to each service.")
    case = demo.meets(UZ_OFFICER, build_case(demo.now))
    if case is None:
        return
    lead = case.player(KZ_NGO)
    case.leads(lead)
    case.say(f"  Sana Sezim leads: {case.code}")
    shelter, bed = start_help(case, lead)
    show_refusal(case, lead)
    withdraw_consent(case, lead, shelter, bed)
    ask_other_shelter(case, lead)


def build_case(now: datetime) -> Json:
    """Return the case as the officer submits it."""
    state = name_class("state", "KZ")
    everything = ["needs", "contact", "identity"]
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "notice": build_summary("KZ", "uz", "SHELTER", "LEGAL_AID"),
        "sections": [
            build_needs(
                "A bed, and advice on her papers", "Her husband's family looks for her"
            ),
            build_contact("Zarina", "Messages only, in Uzbek"),
            build_identity("UZ", "Зарина Намунавий Раҳимова", "Zarina Namunaviy Rahimova"),
        ],
        "safeguards": {"country_of_origin": "UZ"},
        "consents": [
            build_consent(now, name_office(KZ_NGO), "REFER", sections=everything),
            build_consent(now, name_office(KZ_SHELTER), "SHELTER"),
            build_consent(now, name_office(KZ_LAWYER), "LEGAL_AID", sections=["needs"]),
            build_consent(now, state, "SOCIAL_WELFARE", sections=everything),
        ],
        "risk": {"level": "medium"},
    }


def start_help(case: Tale, lead: Player) -> tuple[Player, str]:
    """Refer to a shelter and a lawyer, each with the sections that she consented to."""
    bed = case.refers(lead, KZ_SHELTER, "SHELTER", SHARED)
    advice = case.refers(lead, KZ_LAWYER, "LEGAL_AID", ["needs"])
    shelter, _ = case.accepts(bed, KZ_SHELTER), case.accepts(advice, KZ_LAWYER)
    alias = shelter.get(f"{case.case}/sections/contact")["content"]["alias"]
    case.say(f"A shelter accepts, and reads how to reach her: {alias}.")
    case.say("  A lawyer reads what she needs, but not how to reach her.")
    case.hidden(case.player(KZ_LAWYER).finds(f"{case.case}/sections/contact"))
    return shelter, bed


def show_refusal(case: Tale, lead: Player) -> None:
    """Show that an NGO cannot share her name with a State body that she did not name."""
    asked = build_referral(KZ_LEAD, "SOCIAL_WELFARE", ["needs", "identity"])
    unmet = lead.lacks(f"{case.case}/referrals", asked)
    case.say("Social welfare asks for her name. She consented to State offices, but to")
    case.say("  none of them by name. The service refuses:")
    for remedy in unmet.values():
        case.say(f"  {remedy}")


def withdraw_consent(case: Tale, lead: Player, shelter: Player, bed: str) -> None:
    """Withdraw a consent at the lawyer, and show that the shelter loses access at once."""
    case.say("She withdraws her consent for the shelter. Her lawyer records")
    case.say("  it without seeing her consents:")
    body = {"purposes": ["SHELTER"]}
    case.player(KZ_LAWYER).post(f"{case.case}/consents/withdraw", body)
    ended = shelter.get(bed)
    case.say(f"  The referral is {ended['state']}: {ended['reason']}.")
    case.hidden(shelter.finds(f"{case.case}/sections/contact"), shelter.finds(case.case))
    until = shelter.waits(bed)["confirm_deletion"]
    case.say("The next request of the shelter is answered like an unknown code: not")
    case.say(f"  found. It has to confirm deletion by {until}, and does so.")
    shelter.act(bed, "confirm-deletion")
    events = [kind for kind in lead.hears() if "withdrawn" in kind or "deletion" in kind]
    case.say(f"  Sana Sezim gets an event for each step: {', '.join(events)}.")


def ask_other_shelter(case: Tale, lead: Player) -> None:
    """Refer to another shelter, and show the access log."""
    yes = build_consent(
        case.troupe.now, name_office(KZ_FULL_SHELTER), "SHELTER", sections=["needs"]
    )
    case.consents(lead, yes)
    bed = case.refers(lead, KZ_FULL_SHELTER, "SHELTER", ["needs"])
    case.accepts(bed, KZ_FULL_SHELTER)
    case.say("Another shelter accepts, and may read only what she needs.")
    case.say(f"The case is {lead.get(case.case)['state']}. The access log:")
    for one in lead.get(f"{case.case}/access-log")["items"]:
        allowed = "yes" if one["allowed"] else "no"
        case.say(f"  {one['focal_point']}: {one['subject']}, {allowed}")
