"""Emergencies: a vital interest, and emergency access with a second person."""

from app.kernel.actors import Role
from tests.examples.operations.bodies import (
    make_arrangement,
    make_case,
    make_consent,
    make_recipient,
    make_service_recipient,
)
from tests.support.operation_player import Player
from tests.support.world import Json, Someone, unwrap

READING: Json = {
    "reason": "RISK_TO_LIFE",
    "note": "She has not answered since noon, and the van is in front of the house.",
    "sections": ["contact"],
    "purpose": "protection",
}


def play_emergency(player: Player) -> None:
    """Run the journey of an emergency in a case in which a shelter helps."""
    officer = player.world.add_person("UZ_CONSULATE_ALMATY")
    lead = player.world.add_person("KZ_LEAD")
    shelter = player.world.add_person("KZ_SHELTER_KOGERSHIN")
    code = prepare_helped_case(officer, lead, shelter)
    danger = {"reason": "SERIOUS_HARM", "note": "The owner of the farm has found her."}
    player.play("declare_vital_interest", lead, danger, code=code)
    play_access(player, shelter, lead, code)


def prepare_helped_case(officer: Someone, lead: Someone, shelter: Someone) -> str:
    """Return the code of a case whose helper may read only the needs."""
    helpers = make_service_recipient(sections=["needs"])
    consents = [make_consent(make_recipient(), helpers)]
    case = lead.take_lead(officer.submit(**make_case(consents=consents)))
    referral = unwrap(lead.refer(case, shelter.code))
    unwrap(shelter.does("accept", referral, make_arrangement()))
    return str(case["code"])


def play_access(player: Player, shelter: Someone, lead: Someone, code: str) -> None:
    """Take an emergency access from the request to the review, and refuse another."""
    watchers = [
        player.world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
        for _ in range(2)
    ]
    asked = player.play("request_emergency_access", shelter, READING, code=code)["id"]
    ids = {"code": code, "access_id": str(asked)}
    player.play("grant_emergency_access", watchers[0], **ids)
    player.play("stop_emergency_access", shelter, **ids)
    told = {"note": "She knows now who read how to reach her, and why."}
    player.play("inform_of_emergency_access", lead, told, **ids)
    player.play("review_emergency_access", watchers[1], {"justified": True}, **ids)
    again = unwrap(shelter.create(f"/cases/{code}/emergency-access", READING))
    player.play("refuse_emergency_access", watchers[0], code=code, access_id=again["id"])
    player.play("list_emergency_access", lead, code=code)
