"""Cases from the draft to the lead: created, updated, submitted, accepted or declined."""

from tests.examples.operations.bodies import (
    SUMMARY,
    make_case,
    make_consent,
    make_contacts,
    make_recipient,
    make_service_recipient,
)
from tests.support.operation_player import Player
from tests.support.world import Json, Someone, unwrap


def play_intake(player: Player) -> None:
    """Run the journey of cases that a consulate creates and a lead accepts or declines."""
    officer = player.world.add_person("UZ_CONSULATE_ALMATY")
    lead = player.world.add_person("KZ_LEAD")
    play_draft(player, officer)
    body = make_case(external_reference="ALM-2026-0117", submit=True)
    code = str(player.play("create_case", officer, body)["code"])
    play_form_draft(player, officer, code)
    play_acceptance(player, lead, code)
    play_reading(player, lead, code)
    sought = {"external_reference": "ALM-2026-0117"}
    player.play("find_cases", officer, sought)
    play_other_ends(player, officer, lead)
    ids = {"focal_point": lead.code}
    player.play("write_default_contacts", lead, {"contacts": make_contacts()}, **ids)
    player.play("get_default_contacts", lead, **ids)


def play_form_draft(player: Player, officer: Someone, code: str) -> None:
    """Save a form draft about a case, read it and delete it; then play an unsent form."""
    about = {"case": code}
    values = [
        {"name": "topics", "value": "needs"},
        {"name": "answer", "value": "She needs a safe bed tonight, and"},
    ]
    ids: Json = {"query": about, "form": "answer-question"}
    player.play("save_form_draft", officer, {"values": values}, **ids)
    player.play("get_form_draft", officer, **ids)
    player.play("delete_form_draft", officer, **ids)
    play_unsent_form(player, officer, code)


def play_unsent_form(player: Player, officer: Someone, code: str) -> None:
    """Save a form that could not be sent, list it, and delete it."""
    body = {"record": f"cases/{code}", "content": '{"answer": "She needs a safe bed"}'}
    player.play("save_unsent_form", officer, body)
    [saved] = player.play("list_unsent_forms", officer)["items"]
    player.play("delete_unsent_form", officer, form=str(saved["form"]))


def play_draft(player: Player, officer: Someone) -> None:
    """Complete a draft, and submit the case."""
    summary = SUMMARY | {"safe_contact": None}
    body = make_case(summary=summary, consents=[])
    code = unwrap(officer.create("/cases", body))["code"]
    lacking = {"safe_contact": "yes", "urgent_needs": []}
    player.play_refusal("needs-unmet", "submit_case", officer, code=code)
    player.play("update_case", officer, lacking, code=code)
    consent = make_consent(make_recipient(), make_service_recipient())
    player.play("record_consent", officer, consent, code=code)
    risk = {"level": "high", "remarks": "The van was seen in her street this morning."}
    player.play("assess_risk", officer, risk, code=code)
    player.play("submit_case", officer, code=code)


def play_acceptance(player: Player, lead: Someone, code: str) -> None:
    """Acknowledge a case and accept its lead; a stale or missing version is refused."""
    player.play("acknowledge_case", lead, code=code)
    two = {"contacts": make_contacts()}
    stale = {"If-Match": '"1.0123456789abcdef"'}
    player.play_refusal("version-stale", "accept_lead", lead, two, headers=stale, code=code)
    none = {"If-Match": ""}
    player.play_refusal(
        "version-not-given", "accept_lead", lead, two, headers=none, code=code
    )
    player.play("accept_lead", lead, two, code=code)


def play_reading(player: Player, lead: Someone, code: str) -> None:
    """Read cases, the worklist and the office's own figures as the lead."""
    filters = {
        "role": ["lead"],
        "state": ["referring"],
        "stage": ["referral"],
        "priority": "urgent",
        "country": "KZ",
        "sent": False,
        "sort": "due_at",
        "include": ["tasks"],
        "limit": 20,
    }
    player.play("list_cases", lead, query=filters)
    player.play("get_case", lead, query={"include": ["tasks"]}, code=code)
    player.play("get_knowledge", lead, code=code)
    player.play("list_history", lead, query={"limit": 20}, code=code)
    player.play("get_case_evidence", lead, code=code)
    player.play("list_work", lead, query={"limit": 20, "include": ["summary"]})
    player.play("get_work_counts", lead)
    player.play("get_own_figures", lead, query={"from": "2026-05-01", "to": "2026-06-30"})


def play_other_ends(player: Player, officer: Someone, lead: Someone) -> None:
    """Discard a draft, withdraw a case, and decline a lead."""
    draft = unwrap(officer.create("/cases", make_case()))
    player.play("discard_case", officer, code=draft["code"])
    sent = [unwrap(officer.create("/cases", make_case(submit=True))) for _ in range(2)]
    twice = {"reason": "DUPLICATE", "note": "Her friend had reported her, too."}
    player.play("withdraw_case", officer, twice, code=sent[0]["code"])
    full = {"reason": "NO_CAPACITY", "note": "No free bed before Thursday."}
    player.play("decline_lead", lead, full, code=sent[1]["code"])
