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
    journey = demo.meets(HN_OFFICER, build_case())
    if journey is None:
        return
    journey.say(
        "  She may be 15 or 18, so she is treated as a child. She has no guardian yet."
    )
    journey.say("  Harm is near, so the officer declares a vital interest with a reason.")
    journey.say(
        f"  The case is sent without a consent, as its summary only: {journey.code}"
    )
    lead = journey.player(GT_LEAD)
    ask_protection(journey, lead)
    record_facts(journey)
    ask_shelter(journey, lead)
    show_outcome(journey)


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


def ask_protection(journey: Tale, lead: Player) -> None:
    """Refer to child protection before the candidate has accepted the lead."""
    [advice] = lead.get(f"{journey.case}/routing")["advice"]
    journey.say(f"The case is routed to {GT_LEAD.focal_point}, with advice:")
    journey.say(f"  {advice['says']}")
    lead.act(journey.case, "acknowledge")
    asked = journey.refers(lead, GT_PROTECTION, "CHILD_PROTECTION")
    journey.say(
        "  Its coordinator asks child protection at once, with the summary only, before she"
    )
    journey.say("  has taken the lead.")
    protection = journey.player(GT_PROTECTION)
    danger = protection.get(f"{journey.case}/safety-notice")["safety_notice"]
    journey.say(f"  Child protection reads the safety alert: {danger}")
    journey.hidden(protection.finds(f"{journey.case}/sections/needs"))
    journey.say("  It cannot open her needs, her name or how to reach her.")
    journey.accepts(asked, GT_PROTECTION)
    lead.act(journey.case, "accept-lead", {"contacts": build_contacts(lead.part)})
    due = lead.waits(journey.case)["assess_interests"]
    journey.say(f"  Both accept. Her best interests have to be assessed by {due}.")


def record_facts(journey: Tale) -> None:
    """Record that there is a guardian, and that her best interests were assessed."""
    protection = journey.player(GT_PROTECTION)
    for name, value in (("guardian", "appointed"), ("best_interests", "assessed")):
        note = "Synthetic: by an order of a judge for children."
        protection.post(
            f"{journey.case}/facts", {"name": name, "value": value, "note": note}
        )
    journey.say("Child protection records two facts: a guardian is appointed, and her best")
    journey.say("  interests were assessed. The deadline for the assessment stops.")


def ask_shelter(journey: Tale, lead: Player) -> None:
    """Record the consent of her guardian with her assent, then refer to a shelter."""
    ask = {"recipient": GT_SHELTER.focal_point, "service": "SHELTER"}
    shared = ["needs", "contact"]
    path = f"{journey.case}/referrals"
    unmet = lead.lacks(path, ask | {"sections": shared, "send": True})
    journey.say("The lead wants to share her needs with a shelter. The service refuses:")
    journey.say(f"  {unmet['consent']}")
    given = build_consent(
        journey.troupe.now,
        name_class("non_state", "GT"),
        "SHELTER",
        language="es",
        given_by="guardian_with_assent",
    )
    journey.consents(lead, given)
    journey.say("  It is explained in Spanish. Her guardian consents, and she agrees.")
    bed = journey.refers(lead, GT_SHELTER, "SHELTER", shared)
    who = journey.accepts(bed, GT_SHELTER)
    who.act(bed, "start", {"person_met": True})
    journey.say(f"  The {who.part.name} accepts, and meets her. She sleeps there tonight.")


def show_outcome(journey: Tale) -> None:
    """Show that her consulate sees that she is helped, but not where."""
    officer = journey.player(HN_OFFICER)
    state = officer.get(journey.case)["state"]
    journey.say(f"The consular officer sees that the case is {state}.")
    journey.hidden(officer.get("referrals")["items"])
    journey.say("  Her consulate never learns which shelter it is or who her guardian is.")
