"""Assisted voluntary returns: a complete one, one of a child, and some that end early."""

from typing import Any, Final

from app.kernel.actors import Role
from tests.examples.operations.bodies import (
    SUMMARY,
    make_arrangement,
    make_case,
    make_consent,
    make_recipient,
    make_travel_plan,
)
from tests.support.operation_player import Player
from tests.support.returns import Homecoming, create_return
from tests.support.world import Json, Someone, unwrap

HOME: Final = "ISTIQBOLLI_AVLOD"
RETURN_SECTIONS: Final = ["needs", "contact", "identity"]
SAFE: Final[Json] = {
    "level": "low",
    "threats": [],
    "note": "The men are in custody, and nobody knows her new address.",
}
AT_HOME: Final[Json] = SAFE | {"family": "NOT_CONTACTED", "services": ["SHELTER"]}
MET: Final[Json] = {"person_met": True, "note": "At the exit to the metro, as planned."}
EARLY: Final[Json] = MET | {"early": True}
GUARDIAN: Final = {"given_by": "guardian_with_assent"}


def play_returns(player: Player) -> None:
    """Run the journey of women and a child who return from Kazakhstan to Uzbekistan."""
    people = {
        "officer": player.world.add_person("UZ_CONSULATE_ALMATY"),
        "lead": player.world.add_person("KZ_LEAD"),
        "home": player.world.add_person(HOME),
        "supervisor": player.world.add_person("KZ_LEAD", {Role.SUPERVISOR}),
    }
    play_preparation(player, people)
    play_child(player, people)
    play_ends(player, people)


def prepare_referral(people: dict[str, Someone], **changes: Any) -> tuple[Json, Json]:
    """Return a case with a lead, and its accepted referral for a return."""
    given = changes.pop("given", {})
    home = make_recipient("RETURN", focal_point=HOME, sections=RETURN_SECTIONS)
    consents = [make_consent(make_recipient(), home, **given)]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    body = make_case(consents=consents, safeguards=guards) | changes
    lead = people["lead"]
    case = lead.take_lead(people["officer"].submit(**body))
    terms = {"service": "RETURN", "sections": RETURN_SECTIONS}
    referral = unwrap(lead.refer(case, HOME, **terms))
    return case, unwrap(people["home"].does("accept", referral, make_arrangement()))


def prepare_return(
    player: Player, people: dict[str, Someone], upto: str = "", **changes: Any
) -> Homecoming:
    """Open a return, and take its steps up to and including the action `upto`, if any."""
    case, referral = prepare_referral(people, **changes)
    record = unwrap(create_return(people["home"], referral))
    begun = Homecoming(player.world, **people, case=case, referral=referral, record=record)
    if upto:
        begun.advance(upto)
    return begun


def play_preparation(player: Player, people: dict[str, Someone]) -> None:
    """Run the return of an adult from the first talk to a visit at home."""
    lead, home = people["lead"], people["home"]
    _, referral = prepare_referral(people)
    opened = player.play("create_return", home, referral_id=str(referral["id"]))
    player.play("get_return_of_referral", lead, referral_id=str(referral["id"]))
    ids = {"return_id": str(opened["id"])}
    player.play("get_return", lead, **ids)
    player.play_refusal("action-illegal", "decide_go", lead, {}, **ids)
    told = {
        "right_to_stay_explained": True,
        "options_explained": True,
        "note": "She asked twice about asylum, and knows where to apply.",
    }
    player.play("inform_person", lead, told, **ids)
    player.play("permit_contact", lead, **ids)
    player.play("verify_nationality", home, {"nationality": "confirmed"}, **ids)
    player.play("assess_destination", lead, SAFE, **ids)
    player.play_refusal("needs-unmet", "decide_go", lead, {}, **ids)
    player.play("assess_origin", home, AT_HOME, **ids)
    go = {"person_asked_to_leave": True, "note": "She wants to be home for her birthday."}
    player.play_with(people["supervisor"], "decide_go", lead, go, **ids)
    player.play("issue_document", home, {"without_marker": True}, **ids)
    play_journey(player, lead, home, ids)


def play_journey(player: Player, lead: Someone, home: Someone, ids: dict[str, str]) -> None:
    """Plan the journey, depart, arrive, and visit the person at home."""
    player.play("plan_travel", lead, make_travel_plan(), **ids)
    player.play("open_travel_plan", home, **ids)
    player.play("accept_plan", home, **ids)
    player.play("record_departure", lead, {"reconfirmed_today": True}, **ids)
    player.play("record_arrival", home, EARLY, **ids)
    visits = {"visits": ["2026-06-10T09:00:00Z", "2026-07-01T09:00:00Z"]}
    player.play("monitor_return", home, visits, **ids)
    seen = EARLY | {"note": "She has begun a course for bakers."}
    player.play("report_on_return", home, seen, **ids)


def play_child(player: Player, people: dict[str, Someone]) -> None:
    """Take the additional steps that the return of a child needs."""
    summary = SUMMARY | {"age_class": "child"}
    begun = prepare_return(player, people, given=GUARDIAN, summary=summary)
    code, lead = begun.case["code"], begun.lead
    for name, value in (("best_interests", "determined"), ("guardian", "appointed")):
        fact = {"name": name, "value": value}
        unwrap(lead.create(f"/cases/{code}/facts", fact))
    begun.advance("assess-origin")
    ids = {"return_id": str(begun.record["id"])}
    received = {
        "carer_receives": True,
        "guardian_at_arrival": True,
        "note": "Her grandmother Зулайхо receives her.",
    }
    player.play("receive_child", begun.home, received, **ids)
    decided = {"interests": "in_favour", "note": "She asked for her grandmother herself."}
    player.play("determine_interests", lead, decided, **ids)


def play_ends(player: Player, people: dict[str, Someone]) -> None:
    """Decide against a return, call another off, and meet a person on a halted journey."""
    feared = prepare_return(player, people, "assess-origin")
    no = {
        "reason": "THREAT",
        "protection": ["ASYLUM", "RESIDENCE_STATUS"],
        "note": "The owner of the farm knows her family.",
    }
    ids = {"return_id": str(feared.record["id"])}
    player.play_with(people["supervisor"], "decide_no_go", people["lead"], no, **ids)
    off = prepare_return(player, people, "plan")
    stays = {"note": "She has decided to stay."}
    called = {"return_id": str(off.record["id"])}
    player.play("call_off_return", people["lead"], stays, **called)
    lost = prepare_return(player, people, "depart")
    lost.withdraw_consents("RETURN")
    found = {"return_id": str(lost.record["id"])}
    player.play("locate_person", people["lead"], MET, **found)
