"""Journey: a worker from Uzbekistan in Almaty, from submission to closure."""

from datetime import datetime
from typing import Final

from app.demo.cast import (
    KZ_FULL_SHELTER,
    KZ_LAWYER,
    KZ_LEAD,
    KZ_SECOND,
    KZ_SHELTER,
    UZ_OFFICER,
)
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

REFERENCE: Final = "DEMO-ALMATY-1"
SHARED: Final = ("needs", "contact")


def play(demo: Troupe) -> None:
    """Play the journey."""
    demo.say("A consular officer of Uzbekistan in Almaty meets a worker who wants help.")
    case = demo.meets(UZ_OFFICER, build_case(demo.now))
    if case is None:
        return
    case.say(f"  She agrees to be referred. The officer submits the case: {case.code}")
    lead = case.player(KZ_LEAD)
    take_lead(case, lead)
    bed, advice = ask_helpers(case, lead)
    complete_referrals(case, bed, advice)
    close_case(case, lead)
    show_outcome(case)


def build_case(now: datetime) -> Json:
    """Return the case as the officer submits it."""
    state, offices = name_class("state", "KZ"), name_class("non_state", "KZ")
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "notice": build_summary(
            "KZ", "uz", "SHELTER", "LEGAL_AID", urgent_needs=["SHELTER"]
        ),
        "sections": [
            build_needs(
                "A safe bed tonight, and advice about unpaid wages", "Do not call the farm"
            ),
            build_contact("Oygul", "Messages only, after 20:00"),
            build_identity(
                "UZ",
                "Ойгул Намунавий Ғаниева",
                "Oygʻul Namunaviy Gʻaniyeva",
                "Oýgul Sânlı",
            ),
            {"section": "narrative", "text": "Синтетик ҳикоя: ҳужжатлари олиб қўйилган."},
        ],
        "safeguards": {"country_of_origin": "UZ"},
        "consents": [
            build_consent(now, state, "REFER"),
            build_consent(now, offices, "SHELTER", "LEGAL_AID"),
        ],
        "risk": {"level": "medium", "remarks": "Synthetic: the employer keeps her papers."},
    }


def take_lead(case: Tale, lead: Player) -> None:
    """Acknowledge the case and accept the lead."""
    first = lead.get(f"{case.case}/routing")["candidates"][0]
    case.say(f"It is routed to {first['focal_point']}: {', '.join(first['reasons'])}.")
    due = lead.waits(case.case)["acknowledge"]
    case.say(f"  Its coordinator reads the worklist: an answer is due by {due}.")
    lead.act(case.case, "acknowledge")
    needed = lead.get(f"{case.case}/sections/needs")["content"]["summary"]
    case.say(f"  She acknowledges and reads what is needed: {needed}")
    lead.act(case.case, "accept-lead", {"contacts": build_contacts(lead.part)})
    case.say("  She takes the lead and names two contact people.")


def ask_helpers(case: Tale, lead: Player) -> tuple[str, str]:
    """Refer to a shelter and a lawyer; the first shelter is full."""
    full = case.refers(lead, KZ_FULL_SHELTER, "SHELTER", SHARED)
    advice = case.refers(lead, KZ_LAWYER, "LEGAL_AID", SHARED)
    case.say("Two referrals are sent at once: to a shelter and to a legal aid office.")
    refusal = {"reason": "NO_CAPACITY", "note": "Every bed is taken until Friday."}
    case.player(KZ_FULL_SHELTER).act(full, "decline", refusal)
    case.say("  The shelter has no bed and declines: NO_CAPACITY.")
    bed = case.refers(lead, KZ_SHELTER, "SHELTER", SHARED)
    case.say("  The coordinator sees this in her feed and asks another shelter.")
    return bed, advice


def complete_referrals(case: Tale, bed: str, advice: str) -> None:
    """Accept, start and complete both referrals."""
    asked = ((KZ_SHELTER, bed), (KZ_LAWYER, advice))
    for part, referral in asked:
        case.accepts(referral, part)
        case.say(f"  The {part.name} accepts, with a sealed place and time.")
    report = {"outcome": "delivered", "feedback": "She is well and was advised."}
    for part, referral in asked:
        helper = case.player(part)
        helper.act(referral, "start", {"person_met": True})
        helper.act(referral, "complete", report)
        case.say(f"  The {part.name} met her, helped, and reports: delivered.")


def close_case(case: Tale, lead: Player) -> None:
    """Close the case with the approval of a second person."""
    reason = {"reason": "GOALS_MET", "person_informed": True}
    asked = lead.act(case.case, "close", reason)["id"]
    case.say("The coordinator wants to close the case, which needs a second person.")
    case.player(KZ_SECOND).post(f"approvals/{asked}/approve")
    lead.act(case.case, "close", reason, Approval=asked)
    case.say("  The supervisor approves. The case is closed; no section can be opened.")


def show_outcome(case: Tale) -> None:
    """Show what the officer sees: how far the case came, but not where."""
    officer = case.player(UZ_OFFICER)
    [ladder] = officer.get(f"{case.case}/evidence")["items"]
    rungs = ", ".join(f"{rung['rank']} {rung['name']}" for rung in ladder["rungs"])
    case.say(f"The delivery evidence for the officer: {rungs}.")
    case.say(f"  The last events in her feed: {', '.join(officer.hears()[-5:])}.")
    case.say("  She never learns which office shelters the person.")
