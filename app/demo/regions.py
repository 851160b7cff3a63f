"""The journey of an Uzbek citizen in Panama, between two regions without an agreement."""

from datetime import datetime
from typing import Any, Final

from app.demo.demo_accounts import (
    PA_INTERPRETER,
    PA_LEAD,
    PA_PROSECUTOR,
    UZ_CENTRE,
    UZ_FAR_OFFICER,
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

REFERENCE: Final = "DEMO-PANAMA-1"
SHARED: Final = ("needs", "contact")


def play(demo: Demo) -> None:
    """Run the journey between two regions."""
    demo.say("A consular officer of Uzbekistan, who covers Panama from abroad, calls")
    demo.say("  a man who works off a debt there. He speaks only Uzbek.")
    show_desks(demo)
    case = demo.submit_case(UZ_FAR_OFFICER, build_case(demo.now))
    if case is None:
        return
    case.print(f"  He agrees to be referred. The officer submits the case: {case.code}")
    lead = case.get_user(PA_LEAD)
    take_lead(case, lead)
    ask_other_region(case, lead)
    ask_prosecutor(case, lead)
    show_outcome(case, lead)


def build_case(now: datetime) -> Json:
    """Return the request body with which the officer submits the case."""
    state, offices = name_class("state", "PA"), name_class("non_state", "PA")
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "summary": build_summary("PA", "uz", "INTERPRETATION", "SHELTER"),
        "sections": [
            build_needs(
                "An interpreter for Uzbek, and his passport", "He is locked in at night"
            ),
            build_contact("Sherzod", "Text in Uzbek to a friend, at noon"),
            build_identity("UZ", "Шерзод Намунавий Ғофуров", "Sherzod Namunaviy Gʻofurov"),
            {
                "section": "narrative",
                "text": "Sintetik hikoya: qarz evaziga ishlatishgan. / "
                "Relato sintético: trabaja por una deuda.",
            },
        ],
        "safeguards": {"country_of_origin": "UZ", "origin_contact": "permitted"},
        "consents": [
            build_consent(
                now,
                build_recipient(state, "REFER"),
                build_recipient(offices, "INTERPRETATION"),
                build_recipient(name_office(UZ_CENTRE), "FAMILY_TRACING"),
            )
        ],
        "risk": {"level": "medium"},
    }


def show_desks(demo: Demo) -> None:
    """Print which office would lead in each country, and which desk is the last resort."""
    officer = demo.get_user(UZ_FAR_OFFICER)
    for country in ("PA", "UZ"):
        asked: dict[str, Any] = {"country": country, "language": "uz"}
        asked |= {"age_class": "adult", "priority": "urgent"}
        found = officer.call("routing", asked)
        first = found["leads"]["candidates"][0]["focal_point"]
        desk = found["desk"]
        demo.say(f"  In {country}, {first} would lead, or as a last resort {desk}.")


def take_lead(case: DemoCase, lead: DemoUser) -> None:
    """Accept the lead in Panama, and refer the person to an interpreter."""
    case.take_lead(lead)
    words = case.refer(lead, PA_INTERPRETER, "INTERPRETATION", SHARED)
    helper = case.accept(words, PA_INTERPRETER)
    helper.apply(words, "start", {"person_met": True})
    case.print("Panama takes the lead. Its officers speak Spanish; the consulate speaks")
    case.print(
        "  Uzbek and English. An interpreter of an NGO, who works for neither State,"
    )
    case.print("  is therefore asked.")


def ask_other_region(case: DemoCase, lead: DemoUser) -> None:
    """Refer the person to the other region, to which only the summary may be sent."""
    path = f"{case.path}/referrals"
    unmet = lead.list_unmet(path, build_referral(UZ_CENTRE, "FAMILY_TRACING", SHARED))
    case.print("He wants to find his mother, and consented to a centre in Uzbekistan.")
    case.print(f"  The service refuses to send his sections: {unmet['agreement']}")
    family = case.refer(lead, UZ_CENTRE, "FAMILY_TRACING")
    centre = case.accept(family, UZ_CENTRE)
    case.expect_hidden(centre.can_read(f"{case.path}/sections/contact"))
    case.print("  So only the summary crosses the border: code, country, language and")
    case.print("  service. The centre accepts. To send more would need an agreement.")


def ask_prosecutor(case: DemoCase, lead: DemoUser) -> None:
    """Refer the person to the prosecutor, with a separate consent and time to reflect."""
    path, sections = f"{case.path}/referrals", ("needs", "narrative")
    report = build_referral(PA_PROSECUTOR, "LAW_ENFORCEMENT", sections)
    unmet = lead.list_unmet(path, report)
    case.print("The lead wants to refer him to the prosecutor. The service refuses:")
    for requirement in ("consent", "reflection_told"):
        case.print(f"  {unmet[requirement]}")
    offered = {"name": "reflection_period", "value": "offered", "country": "PA"}
    lead.call(f"{case.path}/facts", offered)
    office = name_office(PA_PROSECUTOR)
    recipient = build_recipient(office, "LAW_ENFORCEMENT", sections=sections)
    case.add_consent(lead, build_consent(case.demo.now, recipient, interpreter=True))
    case.print("  He learns, in Uzbek, that he has time to reflect and gets help anyway.")
    case.print("  He wants to testify, and consents to the prosecutor only.")
    heard = case.refer(lead, PA_PROSECUTOR, "LAW_ENFORCEMENT", sections)
    prosecutor = case.accept(heard, PA_PROSECUTOR)
    account = prosecutor.get(f"{case.path}/sections/narrative")["content"]["text"]
    case.expect_hidden(prosecutor.can_read(f"{case.path}/sections/contact"))
    case.print(f"  The prosecutor accepts, and reads his account: {account}")
    case.print("  The prosecutor cannot open his contact, which the consent does not name.")


def show_outcome(case: DemoCase, lead: DemoUser) -> None:
    """Print the state of the case, and check what the consulate cannot see."""
    officer = case.get_user(UZ_FAR_OFFICER)
    case.expect_hidden(officer.get("referrals")["items"])
    case.expect_hidden(officer.can_read(f"{case.path}/contacts"))
    case.print(f"The case is {lead.get(case.path)['state']}, which the consulate sees.")
    case.print("  It does not see the prosecutor, the place, or the offices that help.")
