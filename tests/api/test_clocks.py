"""Tests of the deadlines of cases and referrals, and of the actions that change them."""

import pytest

from tests.api.test_hurrying import set_priority
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    make_acceptance,
    make_closure,
    unwrap,
)


def get_risk_path(case: Json) -> str:
    return f"/cases/{case['code']}/risk-assessments"


@pytest.mark.parametrize(
    ("level", "until"), [("high", "2026-06-04T12:00:00Z"), ("low", "2026-06-08T12:00:00Z")]
)
def test_a_risk_is_due_again_when_its_assessment_runs_out_whatever_the_priority(
    world: World, officer: Someone, lead: Someone, level: str, until: str
) -> None:
    case = officer.submit(risk={"level": level})
    world.advance(hours=5)
    led = lead.take_lead(case)

    hurried = set_priority(lead, case, "emergency")

    assert led["due_at"] == hurried["due_at"] == until


def test_assessing_the_risk_rewinds_its_review(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    assert lead.take_lead(case)["due_at"] == "2026-06-08T12:00:00Z"
    world.advance(days=2)

    medium = lead.create(get_risk_path(case), {"level": "medium"})
    world.advance(hours=1)
    high = lead.create(get_risk_path(case), {"level": "high"})

    assert (medium.status_code, high.status_code) == (200, 200)
    assert unwrap(medium)["due_at"] == "2026-06-10T12:00:00Z"
    assert unwrap(high)["due_at"] == "2026-06-06T13:00:00Z"


def test_an_assessment_is_added_once_however_often_it_is_sent(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())

    unkeyed = lead.send(get_risk_path(case), {"level": "low"})
    first = lead.create(get_risk_path(case), {"level": "low"}, "once")
    again = lead.create(get_risk_path(case), {"level": "low"}, "once")

    assert get_problem(unkeyed) == (400, "idempotency-key-missing")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert unwrap(again) == unwrap(first)


def test_the_risk_in_a_case_that_has_ended_is_not_assessed(
    officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    void, closed = officer.submit(), lead.take_lead(officer.submit())
    unwrap(officer.does("withdraw", void, {"reason": "DUPLICATE"}))
    approval = unwrap(lead.does("close", closed, make_closure()))
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))
    unwrap(lead.does("close", closed, make_closure(), approval=approval["id"]))

    for who, case in ((officer, void), (officer, closed), (lead, closed)):
        refused = who.create(get_risk_path(case), {"level": "low"})
        assert get_problem(refused) == (409, "action-illegal")


def test_a_review_that_is_set_while_the_case_rests_keeps_the_time_it_was_given(
    world: World, officer: Someone, lead: Someone, lawyer: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    advice = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    unwrap(lawyer.does("accept", advice, make_acceptance()))
    unwrap(lawyer.does("start", advice, {"person_met": True}))
    rest = {"reason": "SAFETY", "review_at": "2026-06-03T12:00:00Z"}
    unwrap(lead.does("suspend", case, rest))

    held = unwrap(lawyer.does("hold", advice, rest))
    world.advance(days=1)
    unwrap(lead.does("resume", case))

    assert held["due_at"] is None
    assert lawyer.get_worklist() == [
        (f"referrals/{advice['id']}", "review", "2026-06-04T12:00:00Z")
    ]


def test_what_is_asked_while_the_case_rests_has_all_its_time_and_not_that_of_before(
    world: World, officer: Someone, lead: Someone, lawyer: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary={"priority": "emergency"}))
    advice = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    ask = {"topics": ["needs"], "question": "Which papers are there?"}
    unwrap(lawyer.does("ask", advice, ask))
    world.advance(hours=3)
    unwrap(lead.does("answer", advice, {"sections": [], "answer": "None"}))
    rest = {"reason": "SAFETY", "review_at": "2026-06-03T12:00:00Z"}
    unwrap(lead.does("suspend", case, rest))

    unwrap(lawyer.does("ask", advice, ask))
    unwrap(lead.does("resume", case))

    assert lead.read(advice)["due_at"] == "2026-06-01T19:00:00Z"
