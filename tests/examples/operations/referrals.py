"""Referrals: written, sent, answered, and ended by either side."""

from tests.examples.operations.bodies import make_arrangement, make_case
from tests.support.operation_player import Player
from tests.support.world import Json, Someone, unwrap

PAUSE = {
    "reason": "SAFETY",
    "review_at": "2026-06-04T12:00:00Z",
    "note": "The shelter is being watched.",
}


def play_referrals(player: Player) -> None:
    """Run the journey of one case with referrals to a shelter and to lawyers."""
    officer = player.world.add_person("UZ_CONSULATE_ALMATY")
    lead = player.world.add_person("KZ_LEAD")
    shelter = player.world.add_person("KZ_SHELTER_KOGERSHIN")
    case = lead.take_lead(officer.submit(**make_case()))
    code = str(case["code"])
    player.play("get_recipients", lead, query={"service": "SHELTER"}, code=code)
    ready = play_sending(player, lead, code)
    play_answer(player, lead, shelter, ready, code)
    play_help(player, lead, shelter, ready)
    play_refusals(player, lead, shelter, case)
    play_ends(player, lead, shelter, case)


def play_sending(player: Player, lead: Someone, code: str) -> str:
    """Write a referral, send it, and return its id."""
    body = {
        "recipient": "KZ_SHELTER_KOGERSHIN",
        "service": "SHELTER",
        "sections": ["needs", "contact"],
        "send": False,
    }
    too_much = body | {"sections": ["needs", "perpetrators"], "send": True}
    player.play_refusal("needs-unmet", "create_referral", lead, too_much, code=code)
    ready = str(player.play("create_referral", lead, body, code=code)["id"])
    player.play("send_referral", lead, referral_id=ready)
    return ready


def play_answer(
    player: Player, lead: Someone, shelter: Someone, sent: str, code: str
) -> None:
    """Acknowledge a referral, ask about it and accept it."""
    player.play("acknowledge_referral", shelter, referral_id=sent)
    asked = {"topics": ["needs"], "question": "Does she take any medicine?"}
    player.play("ask_about_referral", shelter, asked, referral_id=sent)
    answer = {"sections": ["needs"], "answer": "None. See what we added to her needs."}
    player.play("answer_referral", lead, answer, referral_id=sent)
    player.play("accept_referral", shelter, make_arrangement(), referral_id=sent)
    filters = {"side": "recipient", "state": "accepted", "limit": 20, "case": code}
    player.play("list_referrals", shelter, query=filters)
    player.play("get_referral", shelter, referral_id=sent)
    player.play("open_arrangement", lead, referral_id=sent)
    player.play("get_referral_evidence", lead, referral_id=sent)


def play_help(player: Player, lead: Someone, shelter: Someone, sent: str) -> None:
    """Start work on a referral, pause and resume it, report on it, and complete it."""
    player.play("start_referral", shelter, {"person_met": True}, referral_id=sent)
    player.play("hold_referral", shelter, PAUSE, referral_id=sent)
    player.play("resume_referral", shelter, referral_id=sent)
    report = {"feedback": "She sleeps through the night and has seen a doctor."}
    player.play("report_on_referral", shelter, report, referral_id=sent)
    player.play("open_referral_notes", lead, referral_id=sent)
    done = {"outcome": "delivered", "feedback": "She moved to her own room in Шымкент."}
    player.play("complete_referral", shelter, done, referral_id=sent)


def play_refusals(player: Player, lead: Someone, shelter: Someone, case: Json) -> None:
    """Decline a referral, and redirect another."""
    full = {"reason": "NO_CAPACITY", "note": "No free bed before Thursday."}
    sent = unwrap(lead.refer(case, shelter.code))
    player.play("decline_referral", shelter, full, referral_id=sent["id"])
    elsewhere = full | {"alternative": "KZ_SHELTER_TANSHOLPAN"}
    sent = unwrap(lead.refer(case, shelter.code))
    player.play("redirect_referral", shelter, elsewhere, referral_id=sent["id"])


def play_ends(player: Player, lead: Someone, shelter: Someone, case: Json) -> None:
    """Withdraw one referral. Revoke another one, and confirm that its data is deleted."""
    sent = unwrap(lead.refer(case, shelter.code))
    mistake = {"reason": "SENT_IN_ERROR", "note": "It was meant for the lawyers."}
    player.play("withdraw_referral", lead, mistake, referral_id=sent["id"])
    helped = unwrap(lead.refer(case, shelter.code))
    unwrap(shelter.does("accept", helped, make_arrangement()))
    over = {"reason": "SURVIVOR_DECLINED", "note": "She prefers to stay with her sister."}
    player.play("revoke_referral", lead, over, referral_id=helped["id"])
    player.play("confirm_deletion", shelter, referral_id=helped["id"])
