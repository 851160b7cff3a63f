"""The journey of an Uzbek worker in Almaty, from submission to closure."""

from datetime import datetime
from typing import Final

from app.demo.demo_accounts import (
    KZ_FULL_SHELTER,
    KZ_LAWYER,
    KZ_LEAD,
    KZ_SECOND,
    KZ_SHELTER,
    UZ_OFFICER,
)
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

REFERENCE: Final = "DEMO-ALMATY-1"
SHARED: Final = ("needs", "contact")


def play(demo: Demo) -> None:
    """Run the journey of the worker."""
    demo.say("A consular officer of Uzbekistan in Almaty meets a worker who wants help.")
    case = demo.submit_case(UZ_OFFICER, build_case(demo.now))
    if case is None:
        return
    case.print(f"  She agrees to be referred. The officer submits the case: {case.code}")
    lead = case.get_user(KZ_LEAD)
    take_lead(case, lead)
    bed, advice = ask_helpers(case, lead)
    complete_referrals(case, bed, advice)
    close_case(case, lead)
    show_outcome(case)


def build_case(now: datetime) -> Json:
    """Return the request body with which the officer submits the case."""
    state, offices = name_class("state", "KZ"), name_class("non_state", "KZ")
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "summary": build_summary(
            "KZ", "uz", "SHELTER", "LEGAL_AID", urgent_needs=["SHELTER"]
        ),
        "sections": [
            build_needs(
                "A safe bed tonight, and advice about unpaid wages", "Do not call the farm"
            ),
            build_contact("Oygul", "Messages only, after 20:00"),
            build_identity(
                "UZ", "Ойгул Намунавий Ғаниева", "Oygʻul Namunaviy Gʻaniyeva", "Oýgul Sânlı"
            ),
            {"section": "narrative", "text": "Синтетик ҳикоя: ҳужжатлари олиб қўйилган."},
        ],
        "safeguards": {"country_of_origin": "UZ"},
        "consents": [
            build_consent(
                now,
                build_recipient(state, "REFER"),
                build_recipient(offices, "SHELTER", "LEGAL_AID"),
            )
        ],
        "risk": {"level": "medium", "remarks": "Synthetic: the employer keeps her papers."},
    }


def take_lead(case: DemoCase, lead: DemoUser) -> None:
    """Acknowledge the case and accept the lead."""
    first = lead.get(f"{case.path}/routing")["candidates"][0]
    reasons = ", ".join(first["reasons"])
    case.print(f"The case is routed to {first['focal_point']}: {reasons}.")
    due = lead.list_deadlines(case.path)["acknowledge"]
    case.print(f"  Its coordinator reads the worklist: an answer is due by {due}.")
    lead.apply(case.path, "acknowledge")
    needed = lead.get(f"{case.path}/sections/needs")["content"]["summary"]
    case.print(f"  She acknowledges and reads what is needed: {needed}")
    lead.apply(case.path, "accept-lead", {"contacts": build_contacts(lead.account)})
    case.print("  She takes the lead and names two contacts.")


def ask_helpers(case: DemoCase, lead: DemoUser) -> tuple[str, str]:
    """Refer the person to a lawyer, a shelter and, after a refusal, another shelter."""
    full = case.refer(lead, KZ_FULL_SHELTER, "SHELTER", SHARED)
    advice = case.refer(lead, KZ_LAWYER, "LEGAL_AID", SHARED)
    case.print("Two referrals are sent at once: to a shelter and to a legal aid office.")
    refusal = {"reason": "NO_CAPACITY", "note": "Every bed is taken until Friday."}
    case.get_user(KZ_FULL_SHELTER).apply(full, "decline", refusal)
    case.print("  The shelter has no bed and declines: NO_CAPACITY.")
    bed = case.refer(lead, KZ_SHELTER, "SHELTER", SHARED)
    case.print("  The coordinator sees this in her feed and asks another shelter.")
    return bed, advice


def complete_referrals(case: DemoCase, bed: str, advice: str) -> None:
    """Accept, start and complete both referrals."""
    asked = ((KZ_SHELTER, bed), (KZ_LAWYER, advice))
    for part, referral in asked:
        case.accept(referral, part)
        case.print(f"  The {part.name} accepts, with a sealed place and time.")
    report = {"outcome": "delivered", "feedback": "She is well and was advised."}
    for part, referral in asked:
        helper = case.get_user(part)
        helper.apply(referral, "start", {"person_met": True})
        helper.apply(referral, "complete", report)
        case.print(f"  The {part.name} met her, helped, and reports: delivered.")


def close_case(case: DemoCase, lead: DemoUser) -> None:
    """Close the case with the approval of a second person."""
    reason = {"reason": "GOALS_MET", "person_informed": True}
    asked = lead.apply(case.path, "close", reason)["id"]
    case.print("The coordinator wants to close the case, which needs a second person.")
    case.get_user(KZ_SECOND).call(f"approvals/{asked}/approve")
    lead.apply(case.path, "close", reason, Approval=asked)
    case.print("  The supervisor approves. The case is closed; no section can be opened.")


def show_outcome(case: DemoCase) -> None:
    """Print the delivery evidence and the events that the officer sees."""
    officer = case.get_user(UZ_OFFICER)
    [ladder] = officer.get(f"{case.path}/evidence")["items"]
    statuses = ", ".join(f"{rung['rank']} {rung['name']}" for rung in ladder["statuses"])
    case.print(f"The delivery evidence for the officer: {statuses}.")
    heard = ", ".join(officer.list_events(case.path))
    case.print(f"  The events in her feed: {heard}.")
    case.print("  She never learns which office shelters the person.")
