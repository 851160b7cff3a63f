"""The journey of an asylum seeker whose own State, Turkmenistan, must learn nothing."""

from datetime import datetime
from typing import Final

from app.demo.demo_accounts import IOM, KG_OFFICER, KG_SHELTER, TM_OFFICER, UNHCR
from app.demo.demo_users import Demo, DemoCase, DemoUser, Json, build_referral
from app.demo.texts import (
    build_consent,
    build_contact,
    build_identity,
    build_needs,
    build_recipient,
    build_summary,
    name_class,
)

REFERENCE: Final = "DEMO-BISHKEK-1"


def play(demo: Demo) -> None:
    """Run the journey of the asylum seeker."""
    demo.say("A woman from Turkmenistan, who fears her State, calls a helpline in Bishkek.")
    case = demo.submit_case(KG_OFFICER, build_case(demo.now))
    if case is None:
        return
    case.print("  She seeks asylum, and consents to international organisations only.")
    case.print(f"  The helpline submits the case: {case.code}")
    lead = case.get_user(IOM)
    case.take_lead(lead)
    show_routing(case, lead)
    show_outcome(case, lead, ask_helpers(case, lead))


def build_case(now: datetime) -> Json:
    """Return the request body with which the helpline submits the case."""
    known = name_class("intergovernmental", "KG")
    offices = name_class("non_state", "KG")
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "summary": build_summary("KG", "tk", "ASYLUM", "SHELTER"),
        "sections": [
            build_needs(
                "Asylum, and a bed where nobody asks", "Men of the consulate look for her"
            ),
            build_contact("Aýgözel", "Through the helpline, in Turkmen"),
            build_identity("TM", "Aýgözel Ýasama Öwezowa", "Айгозель Ясама Овезова"),
        ],
        "safeguards": {
            "country_of_origin": "TM",
            "fear_of_state": True,
            "seeks_asylum": True,
            "origin_contact": "blocked",
            "unsafe_focal_points": [TM_OFFICER.focal_point],
        },
        "consents": [
            build_consent(
                now,
                build_recipient(known, "REFER", "ASYLUM"),
                build_recipient(offices, "SHELTER"),
                language="tk",
            )
        ],
        "risk": {"level": "high", "remarks": "Synthetic: her brother was questioned."},
    }


def show_routing(case: DemoCase, lead: DemoUser) -> None:
    """Print the candidates and the offices that routing excluded, as the lead sees them."""
    routing = lead.get(f"{case.path}/routing")
    case.print("IOM takes the lead. It reads why it was asked, and others were not:")
    for one in routing["candidates"]:
        case.print(
            f"  {one['position']}. {one['focal_point']}: {', '.join(one['reasons'])}"
        )
    for one in routing["excluded"]:
        case.print(f"  not {one['focal_point']}: {', '.join(one['reasons'])}")
    case.print("  If the only reason is `no_consent`, the office could lead if she agrees.")
    case.print("  That she fears an office is never listed as a reason.")


def ask_helpers(case: DemoCase, lead: DemoUser) -> tuple[str, str]:
    """Refer the person to UNHCR and a shelter, and return the paths of the referrals.

    Show that the consulate cannot be asked.
    """
    asylum = case.refer(lead, UNHCR, "ASYLUM", ["needs", "contact"])
    bed = case.refer(lead, KG_SHELTER, "SHELTER", ["needs", "contact"])
    for part, referral in ((UNHCR, asylum), (KG_SHELTER, bed)):
        helper = case.accept(referral, part)
        helper.apply(referral, "start", {"person_met": True})
    case.print("UNHCR takes on her asylum, and a shelter gives her a bed.")
    request = build_referral(TM_OFFICER, "CONSULAR_DOCUMENT")
    unmet = lead.list_unmet(f"{case.path}/referrals", request)
    case.print("IOM tries to ask her consulate for a passport. The service refuses:")
    for remedy in unmet.values():
        case.print(f"  {remedy}")
    return asylum, bed


def show_outcome(case: DemoCase, lead: DemoUser, referrals: tuple[str, str]) -> None:
    """Print the state of the case, and check that the consulate cannot see the case."""
    case.print(f"The case is {lead.get(case.path)['state']}.")
    consulate = case.get_user(TM_OFFICER)
    heard = consulate.list_events(case.path, *referrals)
    case.expect_hidden(heard, consulate.can_read(case.path))
    case.print(
        "  The feed of her consulate has no event about her, and its request for the"
    )
    case.print("  case gets the same answer as a request for an unknown code: not found.")
