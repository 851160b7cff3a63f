"""A woman in Almaty who says no: it holds at once, everywhere, through whom she trusts."""

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


def play(troupe: Troupe) -> None:
    """Play it all."""
    troupe.say("A woman in Almaty lets an NGO lead, and says for each thing who may know.")
    tale = troupe.meets(UZ_OFFICER, build_case(troupe.now))
    if tale is None:
        return
    lead = tale.player(KZ_NGO)
    tale.leads(lead)
    tale.say(f"  Sana Sezim leads: {tale.code}")
    shelter, bed = start_help(tale, lead)
    show_refusal(tale, lead)
    withdraw_consent(tale, lead, shelter, bed)
    ask_other_shelter(tale, lead)


def build_case(now: datetime) -> Json:
    """Write the case as the officer sends it."""
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


def start_help(tale: Tale, lead: Player) -> tuple[Player, str]:
    """Let a shelter and a lawyer help, each with what she allowed it."""
    bed = tale.refers(lead, KZ_SHELTER, "SHELTER", SHARED)
    advice = tale.refers(lead, KZ_LAWYER, "LEGAL_AID", ["needs"])
    shelter, _ = tale.accepts(bed, KZ_SHELTER), tale.accepts(advice, KZ_LAWYER)
    alias = shelter.get(f"{tale.case}/sections/contact")["content"]["alias"]
    tale.say(f"A shelter takes her in, and reads how to reach her: {alias}.")
    tale.say("  A lawyer reads what she needs, and not that.")
    tale.hidden(tale.player(KZ_LAWYER).finds(f"{tale.case}/sections/contact"))
    return shelter, bed


def show_refusal(tale: Tale, lead: Player) -> None:
    """Show that no name goes from an NGO to a State body that she did not name."""
    asked = build_referral(KZ_LEAD, "SOCIAL_WELFARE", ["needs", "identity"])
    lacks = lead.lacks(f"{tale.case}/referrals", asked)
    tale.say("Social welfare is to have her name: she agreed to `State offices in KZ`, and")
    tale.say("  to none by its own name. The service refuses:")
    for remedy in lacks.values():
        tale.say(f"  {remedy}")


def withdraw_consent(tale: Tale, lead: Player, shelter: Player, bed: str) -> None:
    """Let her say no to the lawyer, and show how soon that holds at the shelter."""
    tale.say("She no longer wants that shelter to know of her. She tells the lawyer, who")
    tale.say("  records it, without being shown what she had agreed to:")
    said = {"purposes": ["SHELTER"]}
    tale.player(KZ_LAWYER).post(f"{tale.case}/consents/withdraw", said)
    ended = shelter.get(bed)
    tale.say(f"  the referral is {ended['state']}: {ended['reason']}.")
    tale.hidden(shelter.finds(f"{tale.case}/sections/contact"), shelter.finds(tale.case))
    until = shelter.waits(bed)["confirm_deletion"]
    tale.say(
        "The shelter's very next request is answered like anybody's who made it up: not"
    )
    tale.say(f"  found. It has until {until} to say that it deleted, and says so.")
    shelter.act(bed, "confirm-deletion")
    told = [kind for kind in lead.hears() if "withdrawn" in kind or "deletion" in kind]
    tale.say(f"  Sana Sezim heard of each step: {', '.join(told)}.")


def ask_other_shelter(tale: Tale, lead: Player) -> None:
    """Go on with another shelter, and show who looked."""
    yes = build_consent(
        tale.troupe.now, name_office(KZ_FULL_SHELTER), "SHELTER", sections=["needs"]
    )
    tale.consents(lead, yes)
    bed = tale.refers(lead, KZ_FULL_SHELTER, "SHELTER", ["needs"])
    tale.accepts(bed, KZ_FULL_SHELTER)
    tale.say("Another shelter takes her in, with what she needs and no more.")
    tale.say(
        f"The case is {lead.get(tale.case)['state']}. Who tried to open what, and was let:"
    )
    for one in lead.get(f"{tale.case}/access-log")["items"]:
        let = "yes" if one["allowed"] else "no"
        tale.say(f"  {one['focal_point']}: {one['subject']}, {let}")
