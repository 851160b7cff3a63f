"""Deadlines of a case and its referrals, and what changes them."""

import pytest

from tests.api.test_hurrying import set_priority
from tests.support.world import Json, Someone, World, closing, done, problem, promise


def get_risk_path(case: Json) -> str:
    return f"/cases/{case['code']}/risk-assessments"


@pytest.mark.parametrize(
    ("level", "until"), [("high", "2026-06-04T12:00:00Z"), ("low", "2026-06-08T12:00:00Z")]
)
def test_a_risk_is_due_again_when_its_assessment_runs_out_whatever_the_priority(
    world: World, officer: Someone, lead: Someone, level: str, until: str
) -> None:
    case = officer.submits(risk={"level": level})
    world.passes(hours=5)
    led = lead.leads(case)

    hurried = set_priority(lead, case, "emergency")

    assert led["due_at"] == hurried["due_at"] == until


def test_assessing_the_risk_rewinds_its_review(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits()
    assert lead.leads(case)["due_at"] == "2026-06-08T12:00:00Z"
    world.passes(days=2)

    medium = lead.creates(get_risk_path(case), {"level": "medium"})
    world.passes(hours=1)
    high = lead.creates(get_risk_path(case), {"level": "high"})

    assert (medium.status_code, high.status_code) == (200, 200)
    assert done(medium)["due_at"] == "2026-06-10T12:00:00Z"
    assert done(high)["due_at"] == "2026-06-06T13:00:00Z"


def test_an_assessment_is_added_once_however_often_it_is_sent(
    officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits())

    unkeyed = lead.post(get_risk_path(case), {"level": "low"})
    first = lead.creates(get_risk_path(case), {"level": "low"}, "once")
    again = lead.creates(get_risk_path(case), {"level": "low"}, "once")

    assert problem(unkeyed) == (400, "key-missing")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert done(again) == done(first)


def test_the_risk_in_a_case_that_has_ended_is_not_assessed(
    officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    void, closed = officer.submits(), lead.leads(officer.submits())
    done(officer.does("withdraw", void, {"reason": "DUPLICATE"}))
    asked = done(lead.does("close", closed, closing()))
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))
    done(lead.does("close", closed, closing(), approval=asked["id"]))

    for who, case in ((officer, void), (officer, closed), (lead, closed)):
        refused = who.creates(get_risk_path(case), {"level": "low"})
        assert problem(refused) == (409, "action-illegal")


def test_a_review_that_is_set_while_the_case_rests_keeps_the_time_it_was_given(
    world: World, officer: Someone, lead: Someone, lawyer: Someone
) -> None:
    case = lead.leads(officer.submits())
    advice = done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    done(lawyer.does("accept", advice, promise()))
    done(lawyer.does("start", advice, {"person_met": True}))
    rest = {"reason": "SAFETY", "review_at": "2026-06-03T12:00:00Z"}
    done(lead.does("suspend", case, rest))

    held = done(lawyer.does("hold", advice, rest))
    world.passes(days=1)
    done(lead.does("resume", case))

    assert held["due_at"] is None
    assert lawyer.waits() == [
        (f"referrals/{advice['id']}", "review", "2026-06-04T12:00:00Z")
    ]


def test_what_is_asked_while_the_case_rests_has_all_its_time_and_not_that_of_before(
    world: World, officer: Someone, lead: Someone, lawyer: Someone
) -> None:
    case = lead.leads(officer.submits(notice={"priority": "emergency"}))
    advice = done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    ask = {"topics": ["needs"], "question": "Which papers are there?"}
    done(lawyer.does("ask", advice, ask))
    world.passes(hours=3)
    done(lead.does("answer", advice, {"sections": [], "answer": "None"}))
    rest = {"reason": "SAFETY", "review_at": "2026-06-03T12:00:00Z"}
    done(lead.does("suspend", case, rest))

    done(lawyer.does("ask", advice, ask))
    done(lead.does("resume", case))

    assert lead.sees(advice)["due_at"] == "2026-06-01T19:00:00Z"
