"""Tests of an office's own figures: who may read them, and what they count."""

from typing import Any

import pytest

from app.kernel.actors import Role, Scope
from tests.support.failing_leads import OLD_DESK
from tests.support.returns import CONSULATE, NO_GO, begin_return
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

NO: Json = {"reason": "NO_CAPACITY"}
QUESTION: Json = {"topics": ["health"], "question": "Hurt?"}
GUARDS: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}


def read_figures(who: Someone, **query: Any) -> Json:
    return unwrap(who.get("/figures/own", **query))


def count_missed(who: Someone) -> dict[str, tuple[int, int]]:
    """Return the number of deadlines and of missed deadlines of an office by kind."""
    found = read_figures(who)["deadlines"]
    return {one["kind"]: (one["count"], one["missed"]) for one in found}


def count_ages(who: Someone) -> dict[str, int]:
    """Return the number of an office's cases with open work by age, without zeros."""
    found = read_figures(who)["open_work"]
    return {one["age"]: one["cases"] for one in found if one["cases"]}


@pytest.mark.parametrize("role", Role)
def test_only_a_role_that_directs_work_may_read_the_figures(
    world: World, role: Role
) -> None:
    allowed = {Role.COORDINATOR, Role.SUPERVISOR, Role.PROTECTION_OFFICER}
    answer = world.add_person("KZ_LEAD", {role}).get("/figures/own")
    assert answer.status_code == (200 if role in allowed else 403)


def test_a_key_for_statistics_alone_does_not_read_the_figures(world: World) -> None:
    narrow = world.add_person("KZ_LEAD", scopes={Scope.STATISTICS_READ})
    assert get_problem(narrow.get("/figures/own")) == (403, "forbidden")


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-06-02", "to": "2026-06-01"},
        {"from": "2026-06-02"},
        {"from": "2025-05-31", "to": "2026-06-01"},
        {"from": "1999-12-31"},
        {"to": "3000-01-01"},
        {"to": "0001-01-01"},
    ],
)
def test_a_wrong_period_is_refused(lead: Someone, query: Json) -> None:
    answer = lead.get("/figures/own", **query)
    assert get_problem(answer) == (422, "period-invalid")


def test_the_period_is_thirty_days_until_today_in_the_zone_of_the_office(
    world: World, lead: Someone
) -> None:
    world.advance(hours=8)
    shown = read_figures(lead)
    assert (shown["first_day"], shown["last_day"]) == ("2026-05-04", "2026-06-02")
    assert shown["time_zone"] == "Asia/Almaty"
    assert read_figures(lead, **{"from": "2025-06-02", "to": "2026-06-02"})


def test_a_day_begins_at_midnight_in_the_zone_of_the_office(
    world: World, officer: Someone, lead: Someone
) -> None:
    world.advance(hours=6, minutes=59)
    officer.submit()
    world.advance(minutes=2)
    officer.submit()
    for day in ("2026-06-01", "2026-06-02"):
        [kind] = read_figures(lead, **{"from": day, "to": day})["deadlines"]
        assert kind == {"kind": "acknowledge", "count": 1, "missed": 0}


def test_a_request_that_nobody_answered_counts_as_late(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=[make_consent()])
    assert read_figures(lead)["answers"] == []
    [(_, _, due)] = lead.get_worklist()
    world.wait(hours=25)
    assert due < world.now.isoformat()
    figures = read_figures(lead)
    assert figures["answers"] == [{"service": None, "in_time": 0, "late": 1}]
    assert figures["acknowledged"]["count"] == 0
    assert count_missed(lead)["acknowledge"] == (1, 1)
    assert case["code"] not in str(figures)


def test_a_request_that_was_taken_back_in_time_does_not_count(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(case, shelter.code))
    unwrap(lead.does("withdraw", sent, {"reason": "NO_LONGER_NEEDED"}))
    assert read_figures(shelter)["answers"] == []


def test_open_work_counts_each_case_once_by_its_oldest_deadline(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN", send=False))
    assert len(lead.get_worklist()) == 2
    assert count_ages(lead) == {"not_due": 1}
    first = min(due for _, _, due in lead.get_worklist())
    for days, age in [
        (0.5, "under_one_day"),
        (1, "one_to_three_days"),
        (3, "three_to_seven_days"),
        (7, "over_seven_days"),
    ]:
        world.now = world.now.fromisoformat(first)
        world.advance(days=days)
        assert count_ages(lead) == {age: 1}


def test_a_former_lead_counts_nothing_that_happens_later(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [make_consent(), make_service_consent(), make_handover_consent()]
    case = lead.take_lead(officer.submit(consents=given, safeguards=GUARDS))
    there = world.add_person("UZ_LEAD")
    unwrap(there.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))
    before = read_figures(lead)
    world.advance(hours=1)
    record = {"purposes": ["SHELTER"]}
    assert there.send(f"/cases/{case['code']}/consents/withdraw", record).is_success
    assert read_figures(there)["consents_withdrawn"] == 1
    assert read_figures(lead) == before


@pytest.mark.parametrize("outcome", ["no_go", "called_off"])
def test_a_return_that_ends_is_counted_by_its_outcome(
    world: World, officer: Someone, lead: Someone, outcome: str
) -> None:
    home = begin_return(world, officer, lead)
    home.advance("assess-origin")
    if outcome == "no_go":
        unwrap(home.does("lead", "no-go", NO_GO))
    else:
        assert home.does("home", "call-off", {}).is_success
    assert read_figures(lead)["returns"] == [{"outcome": outcome, "count": 1}]


def test_a_deadline_that_another_office_gets_counts_for_both(
    world: World, officer: Someone, lead: Someone
) -> None:
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
    given = [make_consent(focal_point=CONSULATE, **papers)]
    home = begin_return(world, officer, lead, consents=given)
    home.advance("permit-contact")
    sent = home.refer_to_consulate()
    assert count_missed(officer)["review"] == (1, 0)

    unwrap(lead.does("withdraw", sent, {"reason": "NO_LONGER_NEEDED"}))

    assert count_missed(officer)["review"] == (1, 0)
    assert count_ages(officer) == {"not_due": 1}  # it has to confirm the deletion
    record = f"returns/{home.record['id']}"
    assert record in {about for about, _, _ in home.home.get_worklist()}


def test_a_desk_counts_the_missed_deadlines_of_which_it_was_told(
    world: World, officer: Someone, lead: Someone
) -> None:
    desk = world.add_person(OLD_DESK)
    lead.take_lead(officer.submit(consents=[make_consent(), make_service_consent()]))
    for _ in range(3):
        world.wait(days=7)
    assert read_figures(desk)["offices"] == []
    world.wait(days=7)
    assert read_figures(desk)["offices"] == [{"focal_point": "KZ_LEAD", "missed": 1}]
    assert read_figures(lead)["offices"] == []


def test_an_erased_case_changes_no_figure(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(case, shelter.code))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    world.advance(hours=1)
    unwrap(shelter.does("start", sent, {"person_met": True}))
    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))
    period = {"from": "2026-06-01", "to": "2026-06-07"}
    before = read_figures(lead, **period)
    assert before["sheltered"]["median_seconds"] == 3600
    world.wait(days=2000)
    assert get_problem(lead.get(f"/cases/{case['code']}")) == (404, "not-found")
    assert read_figures(lead, **period) | {"open_work": []} == before | {"open_work": []}


def test_requests_that_wait_for_another_office_are_counted(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    def count_others(who: Someone) -> int | None:
        others: int | None = unwrap(who.get("/worklist/counts"))["others"]
        return others

    given = [make_consent(), make_service_consent(), make_handover_consent()]
    case = lead.take_lead(officer.submit(consents=given, safeguards=GUARDS))
    assert count_others(lead) == 0
    sent = unwrap(lead.refer(case, shelter.code))
    assert [count_others(who) for who in (lead, shelter, officer)] == [1, 0, 0]
    unwrap(lead.offer(case, "UZ_LEAD"))
    assert count_others(lead) == 2
    unwrap(shelter.does("ask", sent, QUESTION))
    assert count_others(lead) == 1
    narrow = world.add_person("KZ_LEAD", scopes={Scope.FEED_READ})
    assert count_others(narrow) is None


def test_unknown_parameter_is_refused_with_the_names_of_the_others(lead: Someone) -> None:
    refused = lead.get("/figures/own", frm="2026-01-01")

    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert "`from`, `to`" in error["detail"]
