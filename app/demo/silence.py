"""Journey: an emergency in which offices miss their deadlines and others are asked."""

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


def play(demo: Troupe) -> None:
    """Play the journey."""
    demo.say("A woman escapes from a house in Almaty at night and reaches her consulate.")
    journey = demo.meets(UZ_OFFICER, build_case(demo.now))
    if journey is None:
        return
    officer = journey.player(UZ_OFFICER)
    journey.say(f"  The officer submits the case as an emergency: {journey.code}")
    escalate_lead(journey, officer)
    ngo = journey.player(KZ_NGO)
    journey.leads(ngo)
    journey.say("Sana Sezim, an NGO, takes the lead.")
    expire_referral(journey, ngo)
    journey.say(f"The case is {ngo.get(journey.case)['state']}.")


def build_case(now: datetime) -> Json:
    """Return the case as the officer submits it."""
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


def escalate_lead(journey: Tale, officer: Player) -> None:
    """Let the first candidate miss its deadline, and show what the officer sees."""
    until = format_time(officer.get(journey.case)["due_at"])
    journey.say(f"  {KZ_LEAD.focal_point} has to answer by {until}. It does not.")
    journey.say("  The demonstration lets the deadline of this case run out.")
    journey.runs_out()
    ladder = journey.until(lambda: next(iter(list_missed(officer, journey.case)), None))
    journey.say("The service escalates the case. The officer reads the delivery evidence:")
    for silence in ladder["silences"]:
        journey.say(
            f"  {ladder['recipient']}: {silence['name']}, {format_time(silence['at'])}"
        )
    seen = officer.get(journey.case)
    journey.say(
        f"  {seen['holder']} has the case now, until {format_time(seen['due_at'])}."
    )
    late = journey.player(KZ_LEAD)
    journey.hidden(late.finds(journey.case))
    journey.say(f"  {KZ_LEAD.focal_point} can no longer open it. Its feed says why.")


def list_missed(who: Player, path: str) -> list[Json]:
    """Return the delivery evidence that has missed deadlines."""
    items = who.get(f"{path}/evidence")["items"]
    return [ladder for ladder in items if ladder["silences"]]


def expire_referral(journey: Tale, ngo: Player) -> None:
    """Let a shelter miss two deadlines; the referral expires, and another is asked."""
    referral = journey.refers(ngo, KZ_NIGHT, "SHELTER", ["needs"])
    journey.say(
        "It asks a shelter for a bed. The shelter does not answer, and is reminded."
    )
    journey.runs_out()
    journey.until(lambda: next(iter(list_missed(ngo, referral)), None))
    journey.say("It does not answer again, so the referral expires.")
    journey.runs_out()
    journey.until(lambda: ngo.get(referral)["state"] == "expired")
    bed = journey.refers(ngo, KZ_SHELTER, "SHELTER", ["needs"])
    journey.accepts(bed, KZ_SHELTER)
    journey.say("Another shelter is asked, and accepts for tonight.")
