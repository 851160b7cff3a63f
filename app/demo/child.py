"""A girl from Honduras, met in Guatemala: protected at once, before anybody can consent."""

from typing import Final

from app.demo.cast import GT_LEAD, GT_PROTECTION, GT_SHELTER, HN_OFFICER
from app.demo.players import Json, Player, Tale, Troupe
from app.demo.words import (
    build_consent,
    build_contact,
    build_contacts,
    build_identity,
    build_needs,
    build_summary,
    name_class,
)

REFERENCE: Final = "DEMO-GUATEMALA-1"


def play(troupe: Troupe) -> None:
    """Play it all."""
    troupe.say("A consular officer of Honduras in Guatemala meets a girl who is alone.")
    tale = troupe.meets(HN_OFFICER, build_case())
    if tale is None:
        return
    tale.say("  She may be 15 or 18: in doubt she is a child. Nobody can consent for her.")
    tale.say("  Harm is near: the officer declares a vital interest, and says why.")
    tale.say(f"  So the case goes without a consent, its notice alone: {tale.code}")
    lead = tale.player(GT_LEAD)
    ask_protection(tale, lead)
    record_facts(tale)
    ask_shelter(tale, lead)
    show_outcome(tale)


def build_case() -> Json:
    """Write the case as the officer sends it: there is no consent in it."""
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "notice": build_summary(
            *("GT", "es", "CHILD_PROTECTION", "GUARDIANSHIP", "SHELTER"),
            age_class="presumed_child",
            urgent_needs=["CHILD_PROTECTION"],
        ),
        "sections": [
            build_needs(
                "A woman to talk to, a doctor and a bed", "A man waits at the station"
            ),
            build_contact("Xiomara", "Through the child protection alone"),
            build_identity("HN", "Xiomara Ficticia Núñez Güell"),
        ],
        "safeguards": {"country_of_origin": "HN"},
        "vital_interest": {
            "reason": "CHILD_UNPROTECTED",
            "note": "Synthetic: alone at a station, and somebody waits for her.",
        },
        "risk": {"level": "high"},
    }


def ask_protection(tale: Tale, lead: Player) -> None:
    """Let the lead ask for the protection of the child before it has even accepted."""
    [advice] = lead.get(f"{tale.case}/routing")["advice"]
    tale.say(f"It is routed to {GT_LEAD.focal_point}, with an advice:")
    tale.say(f"  {advice['says']}")
    lead.act(tale.case, "acknowledge")
    asked = tale.refers(lead, GT_PROTECTION, "CHILD_PROTECTION")
    tale.say(
        "  Its coordinator asks the child protection at once, with the notice alone, before"
    )
    tale.say("  she has even taken the lead.")
    protection = tale.player(GT_PROTECTION)
    danger = protection.get(f"{tale.case}/safety-notice")["safety_notice"]
    tale.say(f"  The child protection reads what keeps her safe: {danger}")
    tale.hidden(protection.finds(f"{tale.case}/sections/needs"))
    tale.say("  Her needs, her name and how to reach her stay shut to it.")
    tale.accepts(asked, GT_PROTECTION)
    lead.act(tale.case, "accept-lead", {"contacts": build_contacts(lead.part)})
    due = lead.waits(tale.case)["assess_interests"]
    tale.say(f"  Both take her on. What is best for her is to be assessed by {due}.")


def record_facts(tale: Tale) -> None:
    """Let the child protection say that there is a guardian, and what is best for her."""
    protection = tale.player(GT_PROTECTION)
    for name, value in (("guardian", "appointed"), ("best_interests", "assessed")):
        note = "Synthetic: by an order of a judge for children."
        protection.post(f"{tale.case}/facts", {"name": name, "value": value, "note": note})
    tale.say("The child protection records two facts: a guardian is appointed, and what is")
    tale.say("  best for her was assessed. The time that ran for it stops.")


def ask_shelter(tale: Tale, lead: Player) -> None:
    """Let her guardian consent and her agree; then ask a shelter for more than a bed."""
    ask = {"recipient": GT_SHELTER.focal_point, "service": "SHELTER"}
    shared = ["needs", "contact"]
    path = f"{tale.case}/referrals"
    lacks = lead.lacks(path, ask | {"sections": shared, "send": True})
    tale.say("A shelter for girls should know what she needs. Not yet, says the service:")
    tale.say(f"  {lacks['consent']}")
    given = build_consent(
        *(tale.troupe.now, name_class("non_state", "GT"), "SHELTER"),
        language="es",
        given_by="guardian_with_assent",
    )
    tale.consents(lead, given)
    tale.say("  It is explained in Spanish; her guardian consents, and she agrees herself.")
    bed = tale.refers(lead, GT_SHELTER, "SHELTER", shared)
    who = tale.accepts(bed, GT_SHELTER)
    who.act(bed, "start", {"person_met": True})
    tale.say(f"  The {who.part.name} accepts, and meets her. She sleeps there tonight.")


def show_outcome(tale: Tale) -> None:
    """Tell what her own consulate knows: that she is helped, and nothing of where."""
    officer = tale.player(HN_OFFICER)
    state = officer.get(tale.case)["state"]
    tale.say(f"The consular officer reads that the case is {state}.")
    tale.hidden(officer.get("referrals")["items"])
    tale.say(
        "  Which shelter it is, and who her guardian is, her consulate was never told."
    )
