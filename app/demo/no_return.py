"""A worker from Jamaica, met in Trinidad, who wants to go home, and cannot go safely."""

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


def play(troupe: Troupe) -> None:
    """Play it all."""
    troupe.say(
        "A consular officer of Jamaica in Port of Spain meets a woman who would go home."
    )
    tale = troupe.meets(JM_OFFICER, build_case(troupe.now))
    if tale is None:
        return
    tale.say(f"  She agrees to be referred, and Trinidad and Tobago leads: {tale.code}")
    lead = tale.player(TT_LEAD)
    tale.leads(lead)
    going, home = open_return(tale, lead)
    papers, consulate = ask_consulate(tale, lead, going)
    assess_risks(tale, lead, home, going)
    decide_no_go(tale, lead, going)
    tale.hidden(*(who.finds(going) for who in (home, consulate)))
    tale.hidden("return.refused" in home.hears() + consulate.hears())
    tale.say(
        "In Jamaica the request is taken back. Neither the organisation nor the consulate"
    )
    tale.say("  reads the return any more, or hears why she stayed.")
    write_safeguards(tale, lead, consulate, papers)
    ask_unhcr(tale, lead, going)


def build_case(now: datetime) -> Json:
    """Write the case as the officer sends it; its consent to return is to that alone."""
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
                *(now, name_office(JM_CONSULATE), "CONSULAR_DOCUMENT"),
                sections=["identity"],
                language="en",
            ),
        ],
        "risk": {"level": "medium"},
    }


def open_return(tale: Tale, lead: Player) -> tuple[str, Player]:
    """Ask who would await her; then open the checklist, and tell her of every option."""
    referral = tale.refers(lead, JM_HOME, "RETURN", SHARED)
    home = tale.accepts(referral, JM_HOME)
    going = f"returns/{lead.post(f'{referral}/return')['id']}"
    tale.say(
        "An organisation in Jamaica would await her, and accepts. Its checklist begins:"
    )
    lead.act(going, "inform", INFORMED)
    tale.say("  1. She was told of any right to stay, and of every option; she decides.")
    lead.act(going, "permit-contact")
    tale.say("  2. She lets her own State know; without that nobody would ask it.")
    return going, home


def ask_consulate(tale: Tale, lead: Player, going: str) -> tuple[str, Player]:
    """Ask her consulate for papers alone; it reads nothing of why."""
    papers = tale.refers(lead, JM_CONSULATE, "CONSULAR_DOCUMENT", ["identity"])
    consulate = tale.accepts(papers, JM_CONSULATE)
    consulate.act(going, "verify-nationality", {"nationality": "confirmed"})
    seen = consulate.get(going)
    tale.hidden(*(seen.get(name) for name in ("case", "state", "steps", "referral")))
    tale.say(
        "  3. Her consulate confirms her nationality. Of the return it sees the papers, and"
    )
    tale.say("     no code of the case, no state, no step of others.")
    return papers, consulate


def assess_risks(tale: Tale, lead: Player, home: Player, going: str) -> None:
    """Let both sides say how dangerous it is; the second one finds a threat."""
    lead.act(going, "assess-destination", {"level": "low", "threats": []})
    tale.say("  4. Where she is, Trinidad and Tobago finds no threat against a return.")
    threat = {
        "level": "high",
        "threats": ["RETRIBUTION"],
        "family": "NOT_CONTACTED",
        "services": ["SHELTER"],
        "note": "Synthetic: the recruiter lives in her street, and asks for her.",
    }
    home.act(going, "assess-origin", threat)
    tale.say(
        "  5. Where she would go, the organisation finds one: retribution. Her family it"
    )
    tale.say("     left alone: she had not agreed to that. (6 is for children.)")


def decide_no_go(tale: Tale, lead: Player, going: str) -> None:
    """Try to let her go; then decide, by two people, that she cannot."""
    seen = {"If-Match": lead.tag(going)}
    lacks = lead.lacks(f"{going}/go", {}, **seen)
    tale.say("  7. The coordinator would say GO. The service refuses:")
    tale.say(f"     {lacks['no_threat']}")
    asked = lead.act(going, "no-go", INSTEAD)["id"]
    tale.player(TT_SECOND).post(f"approvals/{asked}/approve")
    stopped = lead.act(going, "no-go", INSTEAD, Approval=asked)
    instead = ", ".join(stopped["open_instead"])
    tale.say(
        f"     Coordinator and supervisor decide: {stopped['state']}; {instead} instead."
    )


def write_safeguards(tale: Tale, lead: Player, consulate: Player, papers: str) -> None:
    """Let her State be told no more: she will ask for protection from what awaits her."""
    guards = {"country_of_origin": "JM", "seeks_asylum": True, "origin_contact": "blocked"}
    lead.write(tale.case, "safeguards", guards)
    tale.say(
        "She will seek asylum, so her State is told no more: the coordinator writes that"
    )
    tale.say(
        f"  down, and the request for papers is {lead.get(papers)['state']} at that moment."
    )
    consulate.act(papers, "confirm-deletion")
    tale.say("  The consulate confirms that it stopped, and deleted what it was sent.")


def ask_unhcr(tale: Tale, lead: Player, going: str) -> None:
    """Ask for the protection that was named instead."""
    tale.consents(
        lead, build_consent(tale.troupe.now, name_office(UNHCR), "ASYLUM", language="en")
    )
    asylum = tale.refers(lead, UNHCR, "ASYLUM", ["needs", "contact"])
    tale.accepts(asylum, UNHCR)
    tale.say("UNHCR may know, she says; it is asked, and accepts to see to her asylum.")
    state = lead.get(tale.case)["state"]
    tale.say(f"  The return is {lead.get(going)['state']}, and the case goes on: {state}.")
