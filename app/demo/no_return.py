"""Journey: a worker from Jamaica in Trinidad wants to go home but cannot go safely."""

from datetime import datetime
from typing import Final

from app.demo.cast import JM_CONSULATE, JM_HOME, JM_OFFICER, TT_LEAD, TT_SECOND, UNHCR
from app.demo.players import Json, Player, Tale, Troupe
from app.demo.words import (
    build_consent,
    build_contact,
    build_identity,
    build_needs,
    build_summary,
    name_class,
    name_office,
)

REFERENCE: Final = "DEMO-PORT-OF-SPAIN-1"
SHARED: Final = ("needs", "contact", "identity")
INFORMED: Final[Json] = {"right_to_stay_explained": True, "options_explained": True}
INSTEAD: Final[Json] = {"reason": "THREAT", "protection": ["ASYLUM"]}


def play(demo: Troupe) -> None:
    """Play the journey."""
    demo.say(
        "A consular officer of Jamaica in Port of Spain meets a woman who wants to go home."
    )
    journey = demo.meets(JM_OFFICER, build_case(demo.now))
    if journey is None:
        return
    journey.say(
        f"  She agrees to be referred, and Trinidad and Tobago leads: {journey.code}"
    )
    lead = journey.player(TT_LEAD)
    journey.leads(lead)
    going, home = open_return(journey, lead)
    papers, consulate = ask_consulate(journey, lead, going)
    assess_risks(journey, lead, home, going)
    decide_no_go(journey, lead, going)
    journey.hidden(*(who.finds(going) for who in (home, consulate)))
    journey.hidden("return.refused" in home.hears() + consulate.hears())
    journey.say(
        "The referral in Jamaica is withdrawn. Neither the organisation nor the consulate"
    )
    journey.say("  can see the return any more, or learns why she stayed.")
    write_safeguards(journey, lead, consulate, papers)
    ask_unhcr(journey, lead, going)


def build_case(now: datetime) -> Json:
    """Return the case as the officer submits it, with a consent for each purpose."""
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "notice": build_summary("TT", "en", "RETURN"),
        "sections": [
            build_needs(
                "To go home, if nobody waits for her there", "He has her telephone"
            ),
            build_contact("Kezia", "Through the coordinator alone"),
            build_identity("JM", "Kezia Démo-Specimen"),
        ],
        "safeguards": {"country_of_origin": "JM", "origin_contact": "permitted"},
        "consents": [
            build_consent(now, name_class("state", "TT"), "REFER", language="en"),
            build_consent(
                *(now, name_office(JM_HOME), "RETURN"), sections=list(SHARED), language="en"
            ),
            build_consent(
                now,
                name_office(JM_CONSULATE),
                "CONSULAR_DOCUMENT",
                sections=["identity"],
                language="en",
            ),
        ],
        "risk": {"level": "medium"},
    }


def open_return(journey: Tale, lead: Player) -> tuple[str, Player]:
    """Refer to an organisation at home, open the return, and inform her of all options."""
    referral = journey.refers(lead, JM_HOME, "RETURN", SHARED)
    home = journey.accepts(referral, JM_HOME)
    going = f"returns/{lead.post(f'{referral}/return')['id']}"
    journey.say("An organisation in Jamaica accepts to receive her. The return begins:")
    lead.act(going, "inform", INFORMED)
    journey.say(
        "  1. She was informed of any right to stay and of every option, and decides."
    )
    lead.act(going, "permit-contact")
    journey.say("  2. She permits contact with her State, without which it is not asked.")
    return going, home


def ask_consulate(journey: Tale, lead: Player, going: str) -> tuple[str, Player]:
    """Refer to her consulate for documents; it does not see the rest of the return."""
    papers = journey.refers(lead, JM_CONSULATE, "CONSULAR_DOCUMENT", ["identity"])
    consulate = journey.accepts(papers, JM_CONSULATE)
    consulate.act(going, "verify-nationality", {"nationality": "confirmed"})
    seen = consulate.get(going)
    journey.hidden(*(seen.get(name) for name in ("case", "state", "steps", "referral")))
    journey.say(
        "  3. Her consulate confirms her nationality. Of the return it sees the documents,"
    )
    journey.say("     but not the code of the case, its state, or steps of other offices.")
    return papers, consulate


def assess_risks(journey: Tale, lead: Player, home: Player, going: str) -> None:
    """Record the risk assessment of both offices; the second one finds a threat."""
    lead.act(going, "assess-destination", {"level": "low", "threats": []})
    journey.say("  4. Where she is, Trinidad and Tobago finds no threat against a return.")
    threat = {
        "level": "high",
        "threats": ["RETRIBUTION"],
        "family": "NOT_CONTACTED",
        "services": ["SHELTER"],
        "note": "Synthetic: the recruiter lives in her street, and asks for her.",
    }
    home.act(going, "assess-origin", threat)
    journey.say(
        "  5. The organisation in Jamaica finds one: retribution. It did not contact her"
    )
    journey.say(
        "     family, because she had not agreed to that. (Step 6 is for children.)"
    )


def decide_no_go(journey: Tale, lead: Player, going: str) -> None:
    """Show that a GO is refused; then decide NO-GO by two people."""
    seen = {"If-Match": lead.tag(going)}
    unmet = lead.lacks(f"{going}/go", {}, **seen)
    journey.say("  7. The coordinator tries to decide GO. The service refuses:")
    journey.say(f"     {unmet['no_threat']}")
    asked = lead.act(going, "no-go", INSTEAD)["id"]
    journey.player(TT_SECOND).post(f"approvals/{asked}/approve")
    stopped = lead.act(going, "no-go", INSTEAD, Approval=asked)
    instead = ", ".join(stopped["open_instead"])
    journey.say(
        f"     Coordinator and supervisor decide: {stopped['state']}; {instead} instead."
    )


def write_safeguards(journey: Tale, lead: Player, consulate: Player, papers: str) -> None:
    """Block contact with her State, because she will ask for asylum."""
    guards = {"country_of_origin": "JM", "seeks_asylum": True, "origin_contact": "blocked"}
    lead.write(journey.case, "safeguards", guards)
    journey.say(
        "She will seek asylum, so the coordinator blocks contact with her State in the"
    )
    journey.say(
        f"  safeguards. The referral for documents is now {lead.get(papers)['state']}."
    )
    consulate.act(papers, "confirm-deletion")
    journey.say("  The consulate confirms that it deleted what it was sent.")


def ask_unhcr(journey: Tale, lead: Player, going: str) -> None:
    """Refer to the protection that the decision named instead."""
    journey.consents(
        lead, build_consent(journey.troupe.now, name_office(UNHCR), "ASYLUM", language="en")
    )
    asylum = journey.refers(lead, UNHCR, "ASYLUM", ["needs", "contact"])
    journey.accepts(asylum, UNHCR)
    journey.say("She consents to UNHCR, which accepts a referral for asylum.")
    state = lead.get(journey.case)["state"]
    journey.say(f"  The return is {lead.get(going)['state']}, and the case is {state}.")
