"""The journey of a woman in Almaty who withdraws a consent, with immediate effect."""

from datetime import datetime
from typing import Final

from app.demo.demo_accounts import (
    KZ_FULL_SHELTER,
    KZ_LAWYER,
    KZ_LEAD,
    KZ_NGO,
    KZ_SHELTER,
    UZ_OFFICER,
)
from app.demo.demo_users import Demo, DemoCase, DemoUser, Json, build_referral
from app.demo.texts import (
    build_consent,
    build_contact,
    build_identity,
    build_needs,
    build_recipient,
    build_summary,
    name_class,
    name_office,
)

REFERENCE: Final = "DEMO-ALMATY-NO"
SHARED: Final = ("needs", "contact")


def play(demo: Demo) -> None:
    """Run the journey in which a consent is withdrawn."""
    demo.say("A woman in Almaty agrees that an NGO leads, and consents to each service.")
    case = demo.submit_case(UZ_OFFICER, build_case(demo.now))
    if case is None:
        return
    lead = case.get_user(KZ_NGO)
    case.take_lead(lead)
    case.print(f"  Sana Sezim leads: {case.code}")
    shelter, bed = start_help(case, lead)
    show_refusal(case, lead)
    withdraw_consent(case, lead, shelter, bed)
    ask_other_shelter(case, lead)


def build_case(now: datetime) -> Json:
    """Return the request body that submits the case."""
    state = name_class("state", "KZ")
    everything = ["needs", "contact", "identity"]
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "summary": build_summary("KZ", "uz", "SHELTER", "LEGAL_AID"),
        "sections": [
            build_needs(
                "A bed, and advice on her papers", "Her husband's family looks for her"
            ),
            build_contact("Zarina", "Messages only, in Uzbek"),
            build_identity("UZ", "Зарина Намунавий Раҳимова", "Zarina Namunaviy Rahimova"),
        ],
        "safeguards": {"country_of_origin": "UZ"},
        "consents": [
            build_consent(
                now,
                build_recipient(name_office(KZ_NGO), "REFER", sections=everything),
                build_recipient(name_office(KZ_SHELTER), "SHELTER"),
                build_recipient(name_office(KZ_LAWYER), "LEGAL_AID", sections=["needs"]),
                build_recipient(state, "SOCIAL_WELFARE", sections=everything),
            )
        ],
        "risk": {"level": "medium"},
    }


def start_help(case: DemoCase, lead: DemoUser) -> tuple[DemoUser, str]:
    """Refer the person to a shelter and a lawyer, with the sections in the consents."""
    bed = case.refer(lead, KZ_SHELTER, "SHELTER", SHARED)
    advice = case.refer(lead, KZ_LAWYER, "LEGAL_AID", ["needs"])
    shelter, _ = case.accept(bed, KZ_SHELTER), case.accept(advice, KZ_LAWYER)
    alias = shelter.get(f"{case.path}/sections/contact")["content"]["alias"]
    case.print(f"A shelter accepts, and reads how to reach her: {alias}.")
    case.print("  A lawyer reads what she needs, but not how to reach her.")
    case.expect_hidden(case.get_user(KZ_LAWYER).can_read(f"{case.path}/sections/contact"))
    return shelter, bed


def show_refusal(case: DemoCase, lead: DemoUser) -> None:
    """Show that an NGO cannot send the name to a State body that no consent names."""
    asked = build_referral(KZ_LEAD, "SOCIAL_WELFARE", ["needs", "identity"])
    unmet = lead.list_unmet(f"{case.path}/referrals", asked)
    case.print("Social welfare asks for her name. She consented to State offices, but to")
    case.print("  none of them by name. The service refuses:")
    for remedy in unmet.values():
        case.print(f"  {remedy}")


def withdraw_consent(case: DemoCase, lead: DemoUser, shelter: DemoUser, bed: str) -> None:
    """Withdraw a consent through the lawyer, so that the shelter loses access at once."""
    case.print("She withdraws her consent for the shelter. Her lawyer records")
    case.print("  it without seeing her consents:")
    body = {"purposes": ["SHELTER"]}
    case.get_user(KZ_LAWYER).call(f"{case.path}/consents/withdraw", body)
    ended = lead.get(bed)
    case.print(
        f"  The lead reads that the referral is {ended['state']}: {ended['reason']}."
    )
    paths = (f"{case.path}/sections/contact", case.path)
    case.expect_hidden(*map(shelter.can_read, paths))
    until = shelter.list_deadlines(bed)["confirm_deletion"]
    case.print("The next request of the shelter gets the same answer as an unknown code:")
    case.print(f"  not found. It has to confirm deletion by {until}, and does so.")
    shelter.apply(bed, "confirm-deletion")
    heard = lead.list_events(case.path, bed)
    steps = [e for e in heard if "withdrawn" in e or "deletion" in e]
    case.print(f"  Sana Sezim gets an event for each step: {', '.join(steps)}.")


def ask_other_shelter(case: DemoCase, lead: DemoUser) -> None:
    """Refer the person to another shelter, and print the access log."""
    office, sections = name_office(KZ_FULL_SHELTER), ["needs"]
    recipient = build_recipient(office, "SHELTER", sections=sections)
    case.add_consent(lead, build_consent(case.demo.now, recipient))
    bed = case.refer(lead, KZ_FULL_SHELTER, "SHELTER", ["needs"])
    case.accept(bed, KZ_FULL_SHELTER)
    case.print("Another shelter accepts, and may read only what she needs.")
    case.print(f"The case is {lead.get(case.path)['state']}. The access log:")
    for one in lead.get(f"{case.path}/access-log")["items"]:
        allowed = "yes" if one["allowed"] else "no"
        case.print(f"  {one['focal_point']}: {one['subject']}, {allowed}")
