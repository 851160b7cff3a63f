"""The journey of a worker in Trinidad who cannot safely go home to Jamaica."""

from datetime import datetime
from typing import Final

from app.demo.demo_accounts import (
    JM_CONSULATE,
    JM_HOME,
    JM_OFFICER,
    TT_LEAD,
    TT_SECOND,
    UNHCR,
)
from app.demo.demo_users import Demo, DemoCase, DemoUser, Json
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

REFERENCE: Final = "DEMO-PORT-OF-SPAIN-1"
SHARED: Final = ("needs", "contact", "identity")
INFORMED: Final[Json] = {"right_to_stay_explained": True, "options_explained": True}
INSTEAD: Final[Json] = {"reason": "THREAT", "protection": ["ASYLUM"]}


def play(demo: Demo) -> None:
    """Run the journey in which a return is stopped."""
    demo.say("A consular officer of Jamaica in Trinidad meets a woman who wants to return.")
    case = demo.submit_case(JM_OFFICER, build_case(demo.now))
    if case is None:
        return
    case.print(f"  She agrees to be referred, and Trinidad and Tobago leads: {case.code}")
    lead = case.get_user(TT_LEAD)
    case.take_lead(lead)
    return_path, home = create_return(case, lead)
    papers, consulate = ask_consulate(case, lead, return_path)
    assess_risks(case, lead, home, return_path)
    decide_no_go(case, lead, return_path)
    case.expect_hidden(*(helper.can_read(return_path) for helper in (home, consulate)))
    case.expect_hidden("return.refused" in home.list_events() + consulate.list_events())
    case.print("The referral in Jamaica is withdrawn. The organisation and the consulate")
    case.print("  can no longer see the return, and do not learn why she stayed.")
    write_safeguards(case, lead, consulate, papers)
    ask_unhcr(case, lead, return_path)


def build_case(now: datetime) -> Json:
    """Return the request body with which the officer submits the case."""
    home, consulate = name_office(JM_HOME), name_office(JM_CONSULATE)
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "summary": build_summary("TT", "en", "RETURN"),
        "sections": [
            build_needs(
                "To go home, if nobody waits for her there", "He has her telephone"
            ),
            build_contact("Kezia", "Through the coordinator alone"),
            build_identity("JM", "Kezia Démo-Specimen"),
        ],
        "safeguards": {"country_of_origin": "JM", "origin_contact": "permitted"},
        "consents": [
            build_consent(
                now,
                build_recipient(name_class("state", "TT"), "REFER"),
                build_recipient(home, "RETURN", sections=list(SHARED)),
                build_recipient(consulate, "CONSULAR_DOCUMENT", sections=["identity"]),
                language="en",
            )
        ],
        "risk": {"level": "medium"},
    }


def create_return(case: DemoCase, lead: DemoUser) -> tuple[str, DemoUser]:
    """Refer the person to an organisation in Jamaica, and open the return."""
    referral = case.refer(lead, JM_HOME, "RETURN", SHARED)
    home = case.accept(referral, JM_HOME)
    return_path = f"returns/{lead.call(f'{referral}/return')['id']}"
    case.print("An organisation in Jamaica accepts to receive her. The return begins:")
    lead.apply(return_path, "inform", INFORMED)
    case.print("  1. She is informed of any right to stay and of every option.")
    lead.apply(return_path, "permit-contact")
    case.print("  2. She permits contact with her State. Otherwise her State is not asked.")
    return return_path, home


def ask_consulate(case: DemoCase, lead: DemoUser, return_path: str) -> tuple[str, DemoUser]:
    """Ask the consulate for documents, and check that the rest of the return is hidden."""
    papers = case.refer(lead, JM_CONSULATE, "CONSULAR_DOCUMENT", ["identity"])
    consulate = case.accept(papers, JM_CONSULATE)
    consulate.apply(return_path, "verify-nationality", {"nationality": "confirmed"})
    seen = consulate.get(return_path)
    case.expect_hidden(*(seen.get(name) for name in ("case", "state", "steps", "referral")))
    case.print("  3. Her consulate confirms her nationality. It sees the documents,")
    case.print("     but not the code of the case, its state, or steps of other offices.")
    return papers, consulate


def assess_risks(case: DemoCase, lead: DemoUser, home: DemoUser, return_path: str) -> None:
    """Record the risk assessments of two offices. The second assessment finds a threat."""
    lead.apply(return_path, "assess-destination", {"level": "low", "threats": []})
    case.print("  4. Trinidad and Tobago, where she is, finds no threat against a return.")
    threat = {
        "level": "high",
        "threats": ["RETRIBUTION"],
        "family": "NOT_CONTACTED",
        "services": ["SHELTER"],
        "note": "Synthetic: the recruiter lives in her street, and asks for her.",
    }
    home.apply(return_path, "assess-origin", threat)
    case.print(
        "  5. The organisation in Jamaica finds a threat: retribution. It did not ask"
    )
    case.print("     her family, because she had not agreed. (Step 6 is for children.)")


def decide_no_go(case: DemoCase, lead: DemoUser, return_path: str) -> None:
    """Show that the decision GO is refused, and decide NO-GO with two people."""
    seen = {"If-Match": lead.get_tag(return_path)}
    unmet = lead.list_unmet(f"{return_path}/go", {}, **seen)
    case.print("  7. The coordinator tries to decide GO. The service refuses:")
    case.print(f"     {unmet['no_threat']}")
    asked = lead.apply(return_path, "no-go", INSTEAD)["id"]
    case.get_user(TT_SECOND).call(f"approvals/{asked}/approve")
    stopped = lead.apply(return_path, "no-go", INSTEAD, Approval=asked)
    instead = ", ".join(stopped["open_instead"])
    case.print(f"     Two people decide: {stopped['state']}, and {instead} instead.")


def write_safeguards(
    case: DemoCase, lead: DemoUser, consulate: DemoUser, papers: str
) -> None:
    """Write safeguards that block contact with Jamaica, because she will seek asylum."""
    guards = {"country_of_origin": "JM", "seeks_asylum": True, "origin_contact": "blocked"}
    lead.write(case.path, "safeguards", guards)
    case.print("She will seek asylum. The safeguards now block contact with her State, and")
    case.print(f"  the referral for documents is {lead.get(papers)['state']}.")
    consulate.apply(papers, "confirm-deletion")
    case.print("  The consulate confirms that it has deleted the data that it received.")


def ask_unhcr(case: DemoCase, lead: DemoUser, return_path: str) -> None:
    """Refer the person to UNHCR for asylum, as the decision against the return requires."""
    recipient = build_recipient(name_office(UNHCR), "ASYLUM")
    case.add_consent(lead, build_consent(case.demo.now, recipient, language="en"))
    asylum = case.refer(lead, UNHCR, "ASYLUM", ["needs", "contact"])
    case.accept(asylum, UNHCR)
    case.print("She consents to UNHCR, which accepts a referral for asylum.")
    state, return_state = (lead.get(path)["state"] for path in (case.path, return_path))
    case.print(f"  The return is {return_state}, and the case is {state}.")
