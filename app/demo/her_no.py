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
    journey = demo.meets(UZ_OFFICER, build_case(demo.now))
    if journey is None:
        return
    lead = journey.player(KZ_NGO)
    journey.leads(lead)
    journey.say(f"  Sana Sezim leads: {journey.code}")
    shelter, bed = start_help(journey, lead)
    show_refusal(journey, lead)
    withdraw_consent(journey, lead, shelter, bed)
    ask_other_shelter(journey, lead)


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


def start_help(journey: Tale, lead: Player) -> tuple[Player, str]:
    """Refer to a shelter and a lawyer, each with the sections that she consented to."""
    bed = journey.refers(lead, KZ_SHELTER, "SHELTER", SHARED)
    advice = journey.refers(lead, KZ_LAWYER, "LEGAL_AID", ["needs"])
    shelter, _ = journey.accepts(bed, KZ_SHELTER), journey.accepts(advice, KZ_LAWYER)
    alias = shelter.get(f"{journey.case}/sections/contact")["content"]["alias"]
    journey.say(f"A shelter accepts, and reads how to reach her: {alias}.")
    journey.say("  A lawyer reads what she needs, but not how to reach her.")
    journey.hidden(journey.player(KZ_LAWYER).finds(f"{journey.case}/sections/contact"))
    return shelter, bed


def show_refusal(journey: Tale, lead: Player) -> None:
    """Show that an NGO cannot share her name with a State body that she did not name."""
    asked = build_referral(KZ_LEAD, "SOCIAL_WELFARE", ["needs", "identity"])
    unmet = lead.lacks(f"{journey.case}/referrals", asked)
    journey.say(
        "Social welfare asks for her name. She consented to `State offices in KZ`, but to"
    )
    journey.say("  none of them by name. The service refuses:")
    for remedy in unmet.values():
        journey.say(f"  {remedy}")


def withdraw_consent(journey: Tale, lead: Player, shelter: Player, bed: str) -> None:
    """Withdraw a consent at the lawyer, and show that the shelter loses access at once."""
    journey.say(
        "She withdraws her consent for the shelter. She tells the lawyer, who records"
    )
    journey.say("  it without seeing her consents:")
    said = {"purposes": ["SHELTER"]}
    journey.player(KZ_LAWYER).post(f"{journey.case}/consents/withdraw", said)
    ended = shelter.get(bed)
    journey.say(f"  The referral is {ended['state']}: {ended['reason']}.")
    journey.hidden(
        shelter.finds(f"{journey.case}/sections/contact"), shelter.finds(journey.case)
    )
    until = shelter.waits(bed)["confirm_deletion"]
    journey.say(
        "The next request of the shelter gets the same answer as an unknown code: not"
    )
    journey.say(f"  found. It has to confirm deletion by {until}, and does so.")
    shelter.act(bed, "confirm-deletion")
    told = [kind for kind in lead.hears() if "withdrawn" in kind or "deletion" in kind]
    journey.say(f"  Sana Sezim gets an event for each step: {', '.join(told)}.")


def ask_other_shelter(journey: Tale, lead: Player) -> None:
    """Refer to another shelter, and show the access log."""
    yes = build_consent(
        journey.troupe.now, name_office(KZ_FULL_SHELTER), "SHELTER", sections=["needs"]
    )
    journey.consents(lead, yes)
    bed = journey.refers(lead, KZ_FULL_SHELTER, "SHELTER", ["needs"])
    journey.accepts(bed, KZ_FULL_SHELTER)
    journey.say("Another shelter accepts, and may read only what she needs.")
    journey.say(f"The case is {lead.get(journey.case)['state']}. The access log:")
    for one in lead.get(f"{journey.case}/access-log")["items"]:
        let = "yes" if one["allowed"] else "no"
        journey.say(f"  {one['focal_point']}: {one['subject']}, {let}")
