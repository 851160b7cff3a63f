"""Tests of the summary: who may update it, and which fields cannot change."""

import pytest

from tests.support.world import Json, Someone, unwrap


def update_summary(who: Someone, case: Json, **summary: object) -> Json:
    response = who.ask(
        "PATCH", f"/cases/{case['code']}", summary, headers={"If_Match": who.get_tag(case)}
    )
    return {"status": response.status_code, **response.json()}


def test_the_notice_is_mended_by_the_submitter_then_by_the_lead(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    by_officer = update_summary(officer, case, language="ru")
    by_candidate = update_summary(lead, case, language="kk")
    lead.take_lead(case)

    by_lead = update_summary(lead, case, language="uz-Cyrl", urgent_needs=["MEDICAL"])
    too_late = update_summary(officer, case, language="ru")

    assert by_officer["summary"]["language"] == "ru"
    assert by_candidate["type"] == too_late["type"] == "/problems/action-not-yours"
    assert by_lead["summary"]["language"] == "uz-Cyrl"
    assert by_lead["summary"]["urgent_needs"] == ["MEDICAL"]
    assert lead.poll()[-1]["facts"] == {"fields": ["language", "urgent_needs"]}
    assert officer.poll()[-1]["type"] == "case.lead_accepted"
    assert officer.read(case)["summary"] == by_officer["summary"]


def test_the_country_is_fixed_once_a_case_was_submitted(officer: Someone) -> None:
    draft = unwrap(officer.create_case(summary={"country": "TT"}))
    moved = update_summary(officer, draft, country="KZ")
    unwrap(officer.does("submit", draft))

    refused = update_summary(officer, draft, country="UZ")

    assert moved["summary"]["country"] == "KZ"
    assert (refused["status"], refused["type"]) == (409, "/problems/country-not-changeable")
    assert update_summary(officer, draft, country="KZ", language="ru")["status"] == 200


@pytest.mark.parametrize("name", ["priority", "age_class", "language", "safe_contact"])
def test_a_notice_stays_complete_once_it_was_submitted(officer: Someone, name: str) -> None:
    case = officer.submit()

    emptied = update_summary(officer, case, **{name: None})

    assert 400 <= emptied["status"] < 500
