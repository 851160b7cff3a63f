"""Tests of the actions that a case shows in addition to the steps of its life cycle."""

import pytest

from app.kernel.actors import Role
from tests.support.case_actions import FURTHER
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    make_case,
    make_handover_consent,
    unwrap,
)

FEARED = {"country_of_origin": "UZ", "fear_of_state": True}
ASK: Json = {"topics": ["needs"], "question": "Can she read?"}


def list_shown(who: Someone, record: Json) -> dict[str, Json]:
    """Return every action that a record shows, by name."""
    return {one["action"]: one for one in who.read(record)["available_actions"]}


def list_further(who: Someone, case: Json) -> set[str]:
    """Return the open actions that are not steps in the life cycle of the case."""
    shown = list_shown(who, case)
    return {name for name in FURTHER if name in shown and shown[name]["open"]}


def list_answers(who: Someone, record: Json) -> set[str]:
    """Return the actions with which the office meets the deadline of a record."""
    shown = list_shown(who, record)
    return {name for name, one in shown.items() if one["answers_deadline"]}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    consents = [*make_case()["consents"], make_handover_consent("SANA_SEZIM")]
    return lead.take_lead(officer.submit(consents=consents))


def test_a_lead_sees_every_action_of_the_case_file(
    officer: Someone, lead: Someone, case: Json
) -> None:
    assert list_further(lead, case) == set(FURTHER) - {
        "answer_question",
        "report_visit",
        "set_legal_hold",
    }
    assert list_further(officer, case) == {"assess_risk", "withdraw_consents"}


def test_an_account_without_the_role_sees_which_role_may(
    supervisor: Someone, case: Json
) -> None:
    shown = list_shown(supervisor, case)

    assert shown["offer_handover"] == {
        "action": "offer_handover",
        "open": False,
        "roles": ["coordinator"],
        "role_missing": True,
        "answers_deadline": False,
        "asks": [],
        "unmet": [],
    }
    assert shown["suspend"]["roles"] == ["caseworker"]
    assert shown["suspend"]["unmet"] == []
    assert not any(one["open"] for one in shown.values())


def test_the_actions_that_answer_the_deadline_are_marked_for_the_office_it_waits_for(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    before = (list_answers(officer, case), list_answers(lead, case))
    unwrap(lead.does("acknowledge", case))
    reviewed = list_answers(lead, case)
    led = lead.take_lead(officer.submit())

    assert before == (set(), {"acknowledge", "decline_lead"})
    assert reviewed == {"accept_lead", "decline_lead"}
    assert list_answers(lead, led) == {"assess_risk"}


def test_a_waiting_question_is_an_action_of_the_submitter(
    officer: Someone, lead: Someone, case: Json
) -> None:
    question = unwrap(lead.create(f"{get_path(case)}/questions", ASK))
    asked = list_further(officer, case)
    path = f"{get_path(case)}/questions/{question['id']}/answer"
    unwrap(officer.send(path, {"answer": "Yes"}))

    assert "answer_question" in asked
    assert "answer_question" not in list_further(officer, case)


def test_fear_of_the_submitter_is_not_in_the_actions_but_refuses_the_question(
    lead: Someone, case: Json
) -> None:
    before = list_shown(lead, case)
    match = {"If-Match": lead.get_tag(case)}
    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", FEARED, headers=match))

    after = list_shown(lead, case)
    refused = lead.create(f"{get_path(case)}/questions", ASK)

    assert after == before
    assert after["ask_submitter"]["open"]
    assert get_unmet(refused) == [("recipient_safe", "holder")]


def test_a_desk_that_may_not_know_a_fear_sees_the_question_as_open(
    world: World, officer: Someone
) -> None:
    desk = world.add_person("DESK_CENTRAL_ASIA")
    consents = [make_handover_consent("SANA_SEZIM", purposes=["REFER"])]
    world.close_office("SANA_SEZIM")
    calm = officer.submit(consents=consents)
    unsafe = {"country_of_origin": "KZ", "unsafe_focal_points": ["UZ_CONSULATE_ALMATY"]}
    feared = officer.submit(consents=consents, safeguards=unsafe)

    assert list_shown(desk, feared) == list_shown(desk, calm)
    assert list_shown(desk, feared)["ask_submitter"]["open"]


def test_an_open_offer_blocks_another_one(lead: Someone, case: Json) -> None:
    unwrap(lead.offer(case, "SANA_SEZIM"))

    [lack] = list_shown(lead, case)["offer_handover"]["unmet"]
    refused = lead.offer(case, "SANA_SEZIM")

    assert (lack["requirement"], lack["by"]) == ("no_offer_open", "lead")
    assert get_problem(refused) == (409, "handover-open")


def test_a_request_for_emergency_access_blocks_another_one(
    lead: Someone, case: Json
) -> None:
    asked = {
        "reason": "RISK_TO_LIFE",
        "sections": ["health"],
        "purpose": "protection",
        "note": "Unconscious",
    }
    path = f"{get_path(case)}/emergency-access"
    unwrap(lead.create(path, asked))

    [lack] = list_shown(lead, case)["request_emergency_access"]["unmet"]

    assert lack["requirement"] == "no_request_open"
    assert get_problem(lead.create(path, asked)) == (409, "emergency-access-pending")


def test_a_recipient_states_a_fact_only_if_it_accepted_to_establish_one(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    helper = {"assess_risk", "withdraw_consents", "request_emergency_access"}
    boss = world.add_person("KZ_SHELTER_KOGERSHIN", {Role.SUPERVISOR})

    assert list_further(shelter, case) == helper
    assert list_further(boss, case) == set()
