"""The journey of an emergency: offices miss deadlines, and other offices are asked."""

from datetime import datetime
from typing import Final

from app.demo.demo_accounts import KZ_LEAD, KZ_NGO, KZ_NIGHT, KZ_SHELTER, UZ_OFFICER
from app.demo.demo_users import Demo, DemoCase, DemoUser, Json, format_time
from app.demo.texts import (
    build_consent,
    build_contact,
    build_needs,
    build_recipient,
    build_summary,
    name_class,
    name_office,
)

REFERENCE: Final = "DEMO-ALMATY-SILENCE"


def play(demo: Demo) -> None:
    """Run the journey in which deadlines are missed."""
    demo.say("A woman escapes from a house in Almaty at night and reaches her consulate.")
    case = demo.submit_case(UZ_OFFICER, build_case(demo.now))
    if case is None:
        return
    officer = case.get_user(UZ_OFFICER)
    case.print(f"  The officer submits the case as an emergency: {case.code}")
    escalate_lead(case, officer)
    ngo = case.get_user(KZ_NGO)
    case.take_lead(ngo)
    case.print("Sana Sezim, an NGO, takes the lead.")
    expire_referral(case, ngo)
    case.print(f"The case is {ngo.get(case.path)['state']}.")


def build_case(now: datetime) -> Json:
    """Return the request body with which the officer submits the case."""
    state, offices = name_class("state", "KZ"), name_class("non_state", "KZ")
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "summary": build_summary("KZ", "uz", "SHELTER", priority="emergency"),
        "sections": [
            build_needs("A bed tonight, and a doctor", "Those who held her look for her"),
            build_contact("Nafosat", "Through the consulate, in Uzbek"),
        ],
        "safeguards": {"country_of_origin": "UZ"},
        "consents": [
            build_consent(
                now,
                build_recipient(state, "REFER"),
                build_recipient(name_office(KZ_NGO), "REFER"),
                build_recipient(offices, "SHELTER"),
            )
        ],
        "risk": {"level": "high", "remarks": "Synthetic: they have her passport."},
    }


def escalate_lead(case: DemoCase, officer: DemoUser) -> None:
    """Make the first candidate miss the deadline, and print what the officer sees."""
    deadline = format_time(officer.get(case.path)["due_at"])
    case.print(f"  {KZ_LEAD.focal_point} has to answer by {deadline}. It does not.")
    case.print("  The demonstration lets the deadline of this case run out.")
    case.expire_deadlines()
    evidence = case.wait_until(lambda: next(iter(list_missed(officer, case.path)), None))
    case.print("The service escalates the case. The officer reads the delivery evidence:")
    for silence in evidence["missed_deadlines"]:
        name, time = silence["name"], format_time(silence["at"])
        case.print(f"  {evidence['recipient']}: {name}, {time}")
    seen = officer.get(case.path)
    case.print(f"  {seen['holder']} has the case now, until {format_time(seen['due_at'])}.")
    former = case.get_user(KZ_LEAD)
    case.expect_hidden(former.can_read(case.path))
    case.print(f"  {KZ_LEAD.focal_point} can no longer open the case. Its feed says why.")


def list_missed(user: DemoUser, path: str) -> list[Json]:
    """List the delivery evidence of each recipient that missed a deadline."""
    items = user.get(f"{path}/evidence")["items"]
    return [evidence for evidence in items if evidence["missed_deadlines"]]


def expire_referral(case: DemoCase, ngo: DemoUser) -> None:
    """Let a referral expire when its deadline is missed twice, and ask another shelter."""
    referral = case.refer(ngo, KZ_NIGHT, "SHELTER", ["needs"])
    case.print(
        "The NGO asks a shelter for a bed. The shelter is reminded, as no answer came."
    )
    case.expire_deadlines()
    case.wait_until(lambda: next(iter(list_missed(ngo, referral)), None))
    case.print("The shelter still does not answer, so the referral expires.")
    case.expire_deadlines()
    case.wait_until(lambda: ngo.get(referral)["state"] == "expired")
    bed = case.refer(ngo, KZ_SHELTER, "SHELTER", ["needs"])
    case.accept(bed, KZ_SHELTER)
    case.print("Another shelter is asked, and accepts for tonight.")
