"""A case that is suspended, monitored, closed, reopened, stopped and erased."""

from app.kernel.actors import Role
from tests.examples.operations.bodies import make_case
from tests.support.operation_player import Player
from tests.support.world import unwrap

PAUSE = {
    "reason": "SURVIVOR_REQUEST",
    "review_at": "2026-06-04T12:00:00Z",
    "note": "She wants a week with her sister first.",
}


def play_endings(player: Player) -> None:
    """Run the journey of a case from its suspension by the lead to its erasure."""
    officer = player.world.add_person("UZ_CONSULATE_ALMATY")
    lead = player.world.add_person("KZ_LEAD")
    supervisor = player.world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    code = str(lead.take_lead(officer.submit(**make_case()))["code"])
    player.play("suspend_case", lead, PAUSE, code=code)
    player.play("resume_case", lead, code=code)
    visits = {"visits": ["2026-07-01T09:00:00Z", "2026-09-01T09:00:00Z"]}
    player.play("monitor_case", lead, visits, code=code)
    seen = {"person_met": True, "early": True, "note": "She works in a bakery now."}
    player.play("report_visit", lead, seen, code=code)
    need = {"reason": "NEW_NEED", "note": "The landlord gave her notice."}
    player.play("reopen_assistance", lead, need, code=code)
    done = {
        "reason": "GOALS_MET",
        "person_informed": True,
        "note": "She has a room and a contract.",
    }
    untold = done | {"person_informed": False}
    player.play_refusal("needs-unmet", "close_case", lead, untold, code=code)
    player.play_with(supervisor, "close_case", lead, done, code=code)
    risk = {"reason": "NEW_RISK", "note": "The same van was seen again."}
    player.play("reopen_case", lead, risk, code=code)
    unwrap(lead.does("stop", {"code": code}, {"reason": "SURVIVOR_REQUEST"}))
    play_erasure(player, code)


def play_erasure(player: Player, code: str) -> None:
    """Set a legal hold on a case, lift the hold, and erase the case."""
    offices = [
        player.world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
        for _ in range(2)
    ]
    one, other = offices
    hold, erase = {"value": "in_force"}, {"reason": "SURVIVOR_REQUEST"}
    player.play_with(other, "place_legal_hold", one, hold, code=code)
    player.play_refusal("needs-unmet", "erase_case", one, erase, code=code)
    case = {"code": code}
    unwrap(one.does_with(other, "legal-hold", case, {"value": "lifted"}))
    player.play_with(other, "erase_case", one, erase, code=code)
