"""Journey: a girl from Honduras in Guatemala, protected before anyone can consent."""

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


def play(demo: Troupe) -> None:
    """Play the journey."""
    demo.say("A consular officer of Honduras in Guatemala meets a girl who is alone.")
    case = demo.meets(HN_OFFICER, build_case())
    if case is None:
        return
    case.say("  She may be 15 or 18, so she is treated as a child, without a guardian.")
    case.say("  Harm is near, so the officer declares a vital interest with a reason.")
    case.say(f"  The case is sent without a consent, as its summary only: {case.code}")
    lead = case.player(GT_LEAD)
    ask_protection(case, lead)
    record_facts(case)
    ask_shelter(case, lead)
    show_outcome(case)


def build_case() -> Json:
    """Return the case as the officer submits it, without a consent."""
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "notice": build_summary(
            "GT",
            "es",
            "CHILD_PROTECTION",
            "GUARDIANSHIP",
            "SHELTER",
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


def ask_protection(case: Tale, lead: Player) -> None:
    """Refer to child protection before the candidate has accepted the lead."""
    [advice] = lead.get(f"{case.case}/routing")["advice"]
    case.say(f"The case is routed to {GT_LEAD.focal_point}, with advice:")
    case.say(f"  {advice['says']}")
    lead.act(case.case, "acknowledge")
    asked = case.refers(lead, GT_PROTECTION, "CHILD_PROTECTION")
    case.say("  Its coordinator asks child protection, with the summary only, before she")
    case.say("  has taken the lead.")
    protection = case.player(GT_PROTECTION)
    danger = protection.get(f"{case.case}/safety-notice")["safety_notice"]
    case.say(f"  Child protection reads the safety alert: {danger}")
    case.hidden(protection.finds(f"{case.case}/sections/needs"))
    case.say("  It cannot open her needs, her name or how to reach her.")
    case.accepts(asked, GT_PROTECTION)
    lead.act(case.case, "accept-lead", {"contacts": build_contacts(lead.part)})
    due = lead.waits(case.case)["assess_interests"]
    case.say(f"  Both accept. Her best interests have to be assessed by {due}.")


def record_facts(case: Tale) -> None:
    """Record that there is a guardian, and that her best interests were assessed."""
    protection = case.player(GT_PROTECTION)
    for name, value in (("guardian", "appointed"), ("best_interests", "assessed")):
        note = "Synthetic: by an order of a judge for children."
        protection.post(f"{case.case}/facts", {"name": name, "value": value, "note": note})
    case.say("Child protection records two facts: a guardian is appointed, and her best")
    case.say("  interests were assessed. The deadline for the assessment stops.")


def ask_shelter(case: Tale, lead: Player) -> None:
    """Record the consent of her guardian with her assent, then refer to a shelter."""
    ask = {"recipient": GT_SHELTER.focal_point, "service": "SHELTER"}
    shared = ["needs", "contact"]
    path = f"{case.case}/referrals"
    unmet = lead.lacks(path, ask | {"sections": shared, "send": True})
    case.say("The lead wants to share her needs with a shelter. The service refuses:")
    case.say(f"  {unmet['consent']}")
    given = build_consent(
        case.troupe.now,
        name_class("non_state", "GT"),
        "SHELTER",
        language="es",
        given_by="guardian_with_assent",
    )
    case.consents(lead, given)
    case.say("  It is explained in Spanish. Her guardian consents, and she agrees.")
    bed = case.refers(lead, GT_SHELTER, "SHELTER", shared)
    helper = case.accepts(bed, GT_SHELTER)
    helper.act(bed, "start", {"person_met": True})
    case.say(f"  The {helper.part.name} accepts and meets her. She sleeps there tonight.")


def show_outcome(case: Tale) -> None:
    """Show that her consulate sees that she is helped, but not where."""
    officer = case.player(HN_OFFICER)
    state = officer.get(case.case)["state"]
    case.say(f"The consular officer sees that the case is {state}.")
    case.hidden(officer.get("referrals")["items"])
    case.say("  Her consulate never learns which shelter it is or who her guardian is.")
