"""The journey of a girl from Honduras, who is protected before anyone can consent."""

from typing import Final

from app.demo.demo_accounts import GT_LEAD, GT_PROTECTION, GT_SHELTER, HN_OFFICER
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
)

REFERENCE: Final = "DEMO-GUATEMALA-1"


def play(demo: Demo) -> None:
    """Run the journey of the girl."""
    demo.say("A consular officer of Honduras in Guatemala meets a girl who is alone.")
    case = demo.submit_case(HN_OFFICER, build_case())
    if case is None:
        return
    case.print("  She may be 15 or 18, so she is treated as a child, without a guardian.")
    case.print("  Harm is near, so the officer declares a vital interest with a reason.")
    case.print(f"  Without a consent, only the summary of the case is sent: {case.code}")
    lead = case.get_user(GT_LEAD)
    ask_protection(case, lead)
    record_facts(case)
    ask_shelter(case, lead)
    show_outcome(case)


def build_case() -> Json:
    """Return the request body that submits the case, without a consent."""
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "summary": build_summary(
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


def ask_protection(case: DemoCase, lead: DemoUser) -> None:
    """Refer the girl to child protection before the candidate accepts the lead."""
    [advice] = lead.get(f"{case.path}/routing")["advice"]
    case.print(f"The case is routed to {GT_LEAD.focal_point}, with advice:")
    case.print(f"  {advice['text']}")
    lead.apply(case.path, "acknowledge")
    asked = case.refer(lead, GT_PROTECTION, "CHILD_PROTECTION")
    case.print("  Its coordinator asks child protection and sends only the summary,")
    case.print("  before she has taken the lead.")
    protection = case.get_user(GT_PROTECTION)
    danger = protection.get(f"{case.path}/safety-alert")["safety_alert"]
    case.print(f"  Child protection reads the safety alert: {danger}")
    case.expect_hidden(protection.can_read(f"{case.path}/sections/needs"))
    case.print("  It cannot open her needs, her name or how to reach her.")
    case.accept(asked, GT_PROTECTION)
    lead.apply(case.path, "accept-lead", {"contacts": build_contacts(lead.account)})
    due = lead.list_deadlines(case.path)["assess_interests"]
    case.print(f"  Both accept. Her best interests have to be assessed by {due}.")


def record_facts(case: DemoCase) -> None:
    """Record that a guardian was appointed and the best interests were assessed."""
    protection = case.get_user(GT_PROTECTION)
    for name, value in (("guardian", "appointed"), ("best_interests", "assessed")):
        note = "Synthetic: by an order of a judge for children."
        protection.call(f"{case.path}/facts", {"name": name, "value": value, "note": note})
    case.print("Child protection records two facts: a guardian is appointed, and her best")
    case.print("  interests were assessed. The deadline for the assessment stops.")


def ask_shelter(case: DemoCase, lead: DemoUser) -> None:
    """Record the guardian's consent and the girl's assent, and refer her to a shelter."""
    ask = {"recipient": GT_SHELTER.focal_point, "service": "SHELTER"}
    shared = ["needs", "contact"]
    path = f"{case.path}/referrals"
    unmet = lead.list_unmet(path, ask | {"sections": shared, "send": True})
    case.print("The lead wants to share her needs with a shelter. The service refuses:")
    case.print(f"  {unmet['consent']}")
    given = build_consent(
        case.demo.now,
        build_recipient(name_class("non_state", "GT"), "SHELTER"),
        language="es",
        given_by="guardian_with_assent",
    )
    case.add_consent(lead, given)
    case.print("  The consent is explained in Spanish. Her guardian and she agree.")
    bed = case.refer(lead, GT_SHELTER, "SHELTER", shared)
    helper = case.accept(bed, GT_SHELTER)
    helper.apply(bed, "start", {"person_met": True})
    case.print(f"  The {helper.account.name} accepts, and she can sleep there tonight.")


def show_outcome(case: DemoCase) -> None:
    """Check that the consulate sees that the girl gets help, but not where she is."""
    officer = case.get_user(HN_OFFICER)
    state = officer.get(case.path)["state"]
    case.print(f"The consular officer sees that the case is {state}.")
    case.expect_hidden(officer.get("referrals")["items"])
    case.print("  Her consulate never learns which shelter it is or who her guardian is.")
