"""Handovers of the lead: offered, read, accepted, declined and cancelled."""

from tests.examples.operations.bodies import (
    make_case,
    make_consent,
    make_contacts,
    make_recipient,
)
from tests.support.operation_player import Player
from tests.support.world import Someone, unwrap

THERE = {
    "to": "UZ_LEAD",
    "reason": "MIGRATION_OR_CHANGE_OF_LOCATION",
    "note": "She wants to live near her sister in Самарқанд.",
}


def play_handovers(player: Player) -> None:
    """Run the journey of a case whose lead is offered three times to an office abroad."""
    officer = player.world.add_person("UZ_CONSULATE_ALMATY")
    lead = player.world.add_person("KZ_LEAD")
    taker = player.world.add_person("UZ_LEAD")
    home = make_recipient("HANDOVER", focal_point="UZ_LEAD")
    consents = [make_consent(make_recipient(), home)]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    body = make_case(consents=consents, safeguards=guards)
    code = str(lead.take_lead(officer.submit(**body))["code"])
    offered = str(player.play("offer_handover", lead, THERE, code=code)["id"])
    filters = {"side": "handover_candidate", "state": "offered", "limit": 20, "case": code}
    player.play("list_handovers", taker, query=filters)
    player.play("get_handover", taker, handover_id=offered)
    player.play("get_handover_evidence", lead, handover_id=offered)
    play_answers(player, lead, taker, code, offered)


def play_answers(
    player: Player, lead: Someone, taker: Someone, code: str, offered: str
) -> None:
    """Decline an offer, cancel another and accept the third."""
    full = {"reason": "NO_CAPACITY", "note": "Nobody speaks her language this week."}
    player.play("decline_handover", taker, full, handover_id=offered)
    again = unwrap(lead.create(f"/cases/{code}/handovers", THERE))["id"]
    stays = {"note": "She decided to stay in Almaty for now."}
    player.play("cancel_handover", lead, stays, handover_id=str(again))
    last = unwrap(lead.create(f"/cases/{code}/handovers", THERE))["id"]
    team = make_contacts("Dilnoza Karimova", "Rustam Aliyev")
    taken = {"contacts": team, "capacity_confirmed": True}
    player.play("accept_handover", taker, taken, handover_id=str(last))
