"""An emergency that nobody answers, until somebody does: silence is overtaken."""

from datetime import datetime
from typing import Final

from app.demo.cast import KZ_LEAD, KZ_NGO, KZ_NIGHT, KZ_SHELTER, UZ_OFFICER
from app.demo.players import Json, Player, Tale, Troupe, format_time
from app.demo.words import (
    build_consent,
    build_contact,
    build_needs,
    build_summary,
    name_class,
    name_office,
)

REFERENCE: Final = "DEMO-ALMATY-SILENCE"


def play(troupe: Troupe) -> None:
    """Play it all."""
    troupe.say("A woman runs from a house in Almaty at night, and reaches her consulate.")
    tale = troupe.meets(UZ_OFFICER, build_case(troupe.now))
    if tale is None:
        return
    officer = tale.player(UZ_OFFICER)
    tale.say(f"  The officer submits the case as an emergency: {tale.code}")
    escalate_lead(tale, officer)
    ngo = tale.player(KZ_NGO)
    tale.leads(ngo)
    tale.say("Sana Sezim, an NGO, reads it, and takes the lead.")
    expire_referral(tale, ngo)
    tale.say(f"The case is {ngo.get(tale.case)['state']}. Nobody had to find out alone.")


def build_case(now: datetime) -> Json:
    """Write the case as the officer sends it."""
    state, offices = name_class("state", "KZ"), name_class("non_state", "KZ")
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "notice": build_summary("KZ", "uz", "SHELTER", priority="emergency"),
        "sections": [
            build_needs("A bed tonight, and a doctor", "Those who held her look for her"),
            build_contact("Nafosat", "Through the consulate, in Uzbek"),
        ],
        "safeguards": {"country_of_origin": "UZ"},
        "consents": [
            build_consent(now, state, "REFER"),
            build_consent(now, name_office(KZ_NGO), "REFER"),
            build_consent(now, offices, "SHELTER"),
        ],
        "risk": {"level": "high", "remarks": "Synthetic: they have her passport."},
    }


def escalate_lead(tale: Tale, officer: Player) -> None:
    """Let the hour of whoever was asked first go by, and show what the officer reads."""
    until = format_time(officer.get(tale.case)["due_at"])
    tale.say(f"  {KZ_LEAD.focal_point} has until {until}. Nobody there looks.")
    tale.say("  An hour goes by: the demonstration moves the clock of this one case.")
    tale.runs_out()
    ladder = tale.until(lambda: next(iter(list_missed(officer, tale.case)), None))
    tale.say("The service noticed. The officer reads what became of the case:")
    for silence in ladder["silences"]:
        tale.say(
            f"  {ladder['recipient']}: {silence['name']}, {format_time(silence['at'])}"
        )
    seen = officer.get(tale.case)
    tale.say(f"  {seen['holder']} has it now, until {format_time(seen['due_at'])}.")
    late = tale.player(KZ_LEAD)
    tale.hidden(late.finds(tale.case))
    tale.say(f"  {KZ_LEAD.focal_point} can open it no longer. Its feed says what happened.")


def list_missed(who: Player, path: str) -> list[Json]:
    """List what was sent about something and let pass."""
    items = who.get(f"{path}/evidence")["items"]
    return [ladder for ladder in items if ladder["silences"]]


def expire_referral(tale: Tale, ngo: Player) -> None:
    """Let a shelter be silent twice: the referral ends, and another is asked."""
    referral = tale.refers(ngo, KZ_NIGHT, "SHELTER", ["needs"])
    tale.say("It asks a shelter for a bed. The shelter is silent, and is reminded.")
    tale.runs_out()
    tale.until(lambda: next(iter(list_missed(ngo, referral)), None))
    tale.say("It is silent again, and the referral ends by itself: it must not wait.")
    tale.runs_out()
    tale.until(lambda: ngo.get(referral)["state"] == "expired")
    bed = tale.refers(ngo, KZ_SHELTER, "SHELTER", ["needs"])
    tale.accepts(bed, KZ_SHELTER)
    tale.say("Another shelter is asked, and takes her in tonight.")
