"""An Uzbek citizen met in Panama: two regions, three languages, and no agreement yet."""

from datetime import datetime
from typing import Any, Final

from app.demo.cast import (
    PA_INTERPRETER,
    PA_LEAD,
    PA_PROSECUTOR,
    UZ_CENTRE,
    UZ_FAR_OFFICER,
)
from app.demo.players import Json, Player, Tale, Troupe, build_referral
from app.demo.words import (
    build_consent,
    build_contact,
    build_identity,
    build_needs,
    build_summary,
    name_class,
    name_office,
)

REFERENCE: Final = "DEMO-PANAMA-1"
SHARED: Final = ("needs", "contact")


def play(troupe: Troupe) -> None:
    """Play it all."""
    troupe.say("A consular officer of Uzbekistan, who covers Panama from abroad, speaks by")
    troupe.say("  telephone with a man who works off a debt there. He speaks Uzbek alone.")
    show_desks(troupe)
    tale = troupe.meets(UZ_FAR_OFFICER, build_case(troupe.now))
    if tale is None:
        return
    tale.say(
        f"  He agrees to be referred in Panama. The officer submits the case: {tale.code}"
    )
    lead = tale.player(PA_LEAD)
    take_lead(tale, lead)
    ask_other_region(tale, lead)
    ask_prosecutor(tale, lead)
    show_outcome(tale, lead)


def build_case(now: datetime) -> Json:
    """Write the case as the officer sends it."""
    state, offices = name_class("state", "PA"), name_class("non_state", "PA")
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "notice": build_summary("PA", "uz", "INTERPRETATION", "SHELTER"),
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
            build_consent(now, state, "REFER"),
            build_consent(now, offices, "INTERPRETATION"),
            build_consent(now, name_office(UZ_CENTRE), "FAMILY_TRACING"),
        ],
        "risk": {"level": "medium"},
    }


def show_desks(troupe: Troupe) -> None:
    """Ask, before there is a case, who would lead in each region, and who is at the end."""
    officer = troupe.player(UZ_FAR_OFFICER)
    for country in ("PA", "UZ"):
        asked: dict[str, Any] = {"country": country, "language": "uz"}
        asked |= {"age_class": "adult", "priority": "urgent"}
        found = officer.post("routing", asked)
        first = found["leads"]["candidates"][0]["focal_point"]
        troupe.say(f"  In {country}: {first} would lead; if nobody can, {found['desk']}.")


def take_lead(tale: Tale, lead: Player) -> None:
    """Let Panama take the lead, and find somebody who speaks with him."""
    tale.leads(lead)
    words = tale.refers(lead, PA_INTERPRETER, "INTERPRETATION", SHARED)
    who = tale.accepts(words, PA_INTERPRETER)
    who.act(words, "start", {"person_met": True})
    tale.say(
        "Panama takes the lead. Its officers speak Spanish, the consulate writes English"
    )
    tale.say(
        "  and Uzbek: an interpreter of an NGO is asked, who belongs to neither State."
    )


def ask_other_region(tale: Tale, lead: Player) -> None:
    """Ask in the other region: without an agreement the notice crosses, and no more."""
    path = f"{tale.case}/referrals"
    lacks = lead.lacks(path, build_referral(UZ_CENTRE, "FAMILY_TRACING", SHARED))
    tale.say("He wants his mother found. A centre in Uzbekistan could, and he agreed; but:")
    tale.say(f"  {lacks['agreement']}")
    family = tale.refers(lead, UZ_CENTRE, "FAMILY_TRACING")
    centre = tale.accepts(family, UZ_CENTRE)
    tale.hidden(centre.finds(f"{tale.case}/sections/contact"))
    tale.say(
        "  So the notice alone crosses, from one region to the other: a code, a country, a"
    )
    tale.say("  language, what is asked. The centre accepts; more waits for an agreement.")


def ask_prosecutor(tale: Tale, lead: Player) -> None:
    """Ask the prosecutor: only with a consent of its own, and once he knows of his time."""
    path, told = f"{tale.case}/referrals", ("needs", "narrative")
    report = build_referral(PA_PROSECUTOR, "LAW_ENFORCEMENT", told)
    lacks = lead.lacks(path, report)
    tale.say("The prosecutor would hear him, and work with those of Uzbekistan. Not yet:")
    for need in ("consent", "reflection_told"):
        tale.say(f"  {lacks[need]}")
    offered = {"name": "reflection_period", "value": "offered", "country": "PA"}
    lead.post(f"{tale.case}/facts", offered)
    given = build_consent(
        *(tale.troupe.now, name_office(PA_PROSECUTOR), "LAW_ENFORCEMENT"),
        sections=list(told),
        interpreter=True,
    )
    tale.consents(lead, given)
    tale.say(
        "  He is told, in Uzbek, that he may take his time and that help does not hang on"
    )
    tale.say("  it. He wants to speak, and says so for the prosecutor alone.")
    heard = tale.refers(lead, PA_PROSECUTOR, "LAW_ENFORCEMENT", told)
    prosecutor = tale.accepts(heard, PA_PROSECUTOR)
    account = prosecutor.get(f"{tale.case}/sections/narrative")["content"]["text"]
    tale.hidden(prosecutor.finds(f"{tale.case}/sections/contact"))
    tale.say(f"  Now it goes. The prosecutor accepts, and reads his account: {account}")
    tale.say(
        "  How he is reached is shut to the prosecutor: that consent does not name it."
    )


def show_outcome(tale: Tale, lead: Player) -> None:
    """Tell how it stands, and what the consulate that brought it knows."""
    officer = tale.player(UZ_FAR_OFFICER)
    tale.hidden(officer.get("referrals")["items"])
    people = officer.finds(f"{tale.case}/contacts")
    tale.hidden(people)
    tale.say(f"The case is {lead.get(tale.case)['state']}; that much the consulate reads.")
    tale.say("  Of the prosecutor, of the place and of who helps there it is not told.")
