"""Sealed documents of a case: written, opened for a purpose, exported and logged."""

from app.kernel.actors import Role
from tests.examples.operations.bodies import (
    NEEDS,
    make_case,
    make_contacts,
)
from tests.support.operation_player import Player
from tests.support.world import Json, Someone, unwrap

SCREENED: Json = {
    "indicators": ["DECEPTIVE_RECRUITMENT_01", "COERCIVE_RECRUITMENT_05"],
    "acts": ["TRANSPORTATION"],
    "means": ["FRAUD"],
    "purposes": ["FORCED_LABOUR"],
}


def play_sealed(player: Player) -> None:
    """Run the journey of a lead that writes and opens documents, and of oversight."""
    officer = player.world.add_person("UZ_CONSULATE_ALMATY")
    lead = player.world.add_person("KZ_LEAD")
    code = lead.take_lead(officer.submit(**make_case()))["code"]
    play_documents(player, lead, code)
    play_screenings(player, lead, code)
    play_questions(player, officer, lead, code)
    play_consents(player, lead, code)
    play_facts(player, lead, code)
    play_traces(player, lead, code)


def play_documents(player: Player, lead: Someone, code: str) -> None:
    """Write and open sections, safeguards and contacts."""
    needs = NEEDS | {"summary": "A bed until Friday, and a doctor for her back."}
    player.play("write_section", lead, needs, code=code, section="needs")
    without = {"Purpose": ""}
    of_needs = {"code": code, "section": "needs"}
    player.play_refusal(
        "request-invalid", "open_section", lead, headers=without, **of_needs
    )
    player.play("open_section", lead, **of_needs)
    guards = {
        "country_of_origin": "UZ",
        "unsafe_focal_points": ["UZ_MIA"],
        "origin_contact": "permitted",
        "unsafe_people": "A man who says that he is her uncle, Шавкат.",
    }
    player.play("write_safeguards", lead, guards, code=code)
    player.play("open_safeguards", lead, code=code)
    player.play("open_safeguards_history", lead, code=code)
    player.play("open_safety_alert", lead, code=code)
    team = {"contacts": make_contacts("María José Ibáñez", "نرگس احمدزی", first=2)}
    player.play("write_contacts", lead, team, code=code)
    player.play("open_contacts", lead, code=code)


def play_screenings(player: Player, lead: Someone, code: str) -> None:
    """Score indicators, and record a screening."""
    player.play("score_screening", lead, SCREENED | {"age_class": "adult"})
    remarks = {"remarks": "She spoke freely after the second tea."}
    made = player.play("record_screening", lead, SCREENED | remarks, code=code)
    player.play("list_screenings", lead, code=code)
    player.play("open_screening", lead, code=code, screening_id=made["id"])


def play_questions(player: Player, officer: Someone, lead: Someone, code: str) -> None:
    """Ask the submitter a question, and answer it."""
    asked = {"topics": ["needs"], "question": "Which languages does she speak?"}
    question = player.play("ask_submitter", lead, asked, code=code)["id"]
    answer = {"answer": "Uzbek and Russian, and a little Kazakh."}
    player.play("answer_question", officer, answer, code=code, question_id=question)
    player.play("list_questions", lead, code=code)


def play_consents(player: Player, lead: Someone, code: str) -> None:
    """List consents, withdraw those for one purpose, and withdraw one of them again."""
    given = player.play("list_consents", lead, code=code)["items"]
    [of_services] = [one for one in given if "SHELTER" in one["purposes"]]
    player.play("withdraw_consents", lead, {"purposes": ["LEGAL_AID"]}, code=code)
    ids = {"code": code, "consent_id": of_services["id"]}
    player.play("withdraw_consent", lead, **ids)


def play_facts(player: Player, lead: Someone, code: str) -> None:
    """Record that a country presumes that the person is a victim."""
    fact = {"name": "identification", "value": "presumed", "country": "KZ"}
    player.play("record_fact", lead, fact, code=code)
    player.play("list_facts", lead, code=code)


def play_traces(player: Player, lead: Someone, code: str) -> None:
    """Read notes, the export and the access log."""
    pause = {"reason": "SAFETY", "review_at": "2026-06-04T12:00:00Z"}
    note = {"note": "Until the men have left the town."}
    body = pause | note
    unwrap(lead.does("suspend", {"code": code}, body))
    player.play("open_case_notes", lead, code=code)
    player.play("export_case", lead, code=code)
    oversight = player.world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    player.play("list_access_log", oversight, query={"limit": 20}, code=code)
