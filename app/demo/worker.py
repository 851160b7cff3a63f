"""A worker from Uzbekistan, met in Almaty: referred, sheltered, advised, and followed."""

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


def play(troupe: Troupe) -> None:
    """Play it all."""
    troupe.say("A consular officer of Uzbekistan in Almaty meets a worker who wants out.")
    tale = troupe.meets(UZ_OFFICER, build_case(troupe.now))
    if tale is None:
        return
    tale.say(f"  She agrees to be referred. The officer submits the case: {tale.code}")
    lead = tale.player(KZ_LEAD)
    take_lead(tale, lead)
    bed, advice = ask_helpers(tale, lead)
    complete_referrals(tale, bed, advice)
    close_case(tale, lead)
    show_outcome(tale)


def build_case(now: datetime) -> Json:
    """Write the case as the officer sends it."""
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
                *("UZ", "Ойгул Намунавий Ғаниева", "Oygʻul Namunaviy Gʻaniyeva"),
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


def take_lead(tale: Tale, lead: Player) -> None:
    """Let the focal point of the country take the lead."""
    first = lead.get(f"{tale.case}/routing")["candidates"][0]
    tale.say(f"It is routed to {first['focal_point']}: {', '.join(first['reasons'])}.")
    due = lead.waits(tale.case)["acknowledge"]
    tale.say(f"  Its coordinator polls the worklist: an answer is due by {due}.")
    lead.act(tale.case, "acknowledge")
    needed = lead.get(f"{tale.case}/sections/needs")["content"]["summary"]
    tale.say(f"  She acknowledges and reads what is needed: {needed}")
    lead.act(tale.case, "accept-lead", {"contacts": build_contacts(lead.part)})
    tale.say("  She takes the lead, and names two people who can be reached.")


def ask_helpers(tale: Tale, lead: Player) -> tuple[str, str]:
    """Ask a shelter and a lawyer side by side; one shelter is full."""
    full = tale.refers(lead, KZ_FULL_SHELTER, "SHELTER", SHARED)
    advice = tale.refers(lead, KZ_LAWYER, "LEGAL_AID", SHARED)
    tale.say("Two referrals leave at once: to a shelter and to a legal aid office.")
    no = {"reason": "NO_CAPACITY", "note": "Every bed is taken until Friday."}
    tale.player(KZ_FULL_SHELTER).act(full, "decline", no)
    tale.say("  The shelter has no bed, and says so: NO_CAPACITY.")
    bed = tale.refers(lead, KZ_SHELTER, "SHELTER", SHARED)
    tale.say("  The coordinator hears of it in her feed and asks another shelter.")
    return bed, advice


def complete_referrals(tale: Tale, bed: str, advice: str) -> None:
    """Let both accept, meet the person, and say what came of it."""
    asked = ((KZ_SHELTER, bed), (KZ_LAWYER, advice))
    for part, referral in asked:
        tale.accepts(referral, part)
        tale.say(f"  The {part.name} accepts, with a place and a time; sealed.")
    report = {"outcome": "delivered", "feedback": "She is well and was advised."}
    for part, referral in asked:
        who = tale.player(part)
        who.act(referral, "start", {"person_met": True})
        who.act(referral, "complete", report)
        tale.say(f"  The {part.name} met her, helped, and reports: delivered.")


def close_case(tale: Tale, lead: Player) -> None:
    """Close it, by two people."""
    why = {"reason": "GOALS_MET", "person_informed": True}
    asked = lead.act(tale.case, "close", why)["id"]
    tale.say("The coordinator wants to close; that takes a second person.")
    tale.player(KZ_SECOND).post(f"approvals/{asked}/approve")
    lead.act(tale.case, "close", why, Approval=asked)
    tale.say("  The supervisor approves; the case is closed, and every section is shut.")


def show_outcome(tale: Tale) -> None:
    """Tell what the officer knows: how it went, and never where."""
    officer = tale.player(UZ_OFFICER)
    [ladder] = officer.get(f"{tale.case}/evidence")["items"]
    rungs = ", ".join(f"{rung['rank']} {rung['name']}" for rung in ladder["rungs"])
    tale.say(f"What the officer can prove: {rungs}.")
    tale.say(f"  What she heard: {', '.join(officer.hears()[-5:])}.")
    tale.say("  Who shelters the person she was never told.")
