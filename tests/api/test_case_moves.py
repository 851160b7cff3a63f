"""Tests of suspending, monitoring, stopping and reopening a case."""

import pytest

from app.kernel.actors import Role
from app.kernel.codes import create_case_code
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_service_consent,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
REST: Json = {"reason": "SAFETY", "review_at": "2026-06-10T12:00:00Z", "note": "Shh"}
STOP: Json = {"reason": "SURVIVOR_REQUEST", "note": "Enough"}
AGAIN: Json = {"reason": "NEW_NEED", "note": "Back"}
VISIT: Json = {"person_met": True, "early": True, "note": "Well"}
BODIES: dict[str, Json | None] = {
    "suspend": REST,
    "resume": None,
    "monitor": {},
    "visits": VISIT,
    "reopen-assistance": AGAIN,
    "stop": STOP,
    "reopen": AGAIN,
    "relocate": {"country": "UZ"},
}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and no referrals."""
    return lead.take_lead(officer.submit())


def move_to_state(lead: Someone, case: Json, state: str) -> Json:
    """Move a case with a lead to `suspended`, `monitoring` or `closed`, and return it."""
    steps = {"suspended": ("suspend", REST), "monitoring": ("monitor", {})}
    steps["closed"] = ("stop", STOP)
    return unwrap(lead.does(*steps[state][:1], case, steps[state][1]))


def refer_to_shelter(
    lead: Someone, shelter: Someone, case: Json, *, completed: bool
) -> Json:
    sent = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    if completed:
        unwrap(shelter.does("start", sent, {"person_met": True}))
        report = {"outcome": "delivered", "feedback": "Всё хорошо"}
        unwrap(shelter.does("complete", sent, report))
    return sent


def test_a_case_rests_until_a_review_and_goes_on(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    lead.poll(), officer.poll()

    rested = unwrap(lead.does("suspend", case, REST))
    reviewed = lead.get_worklist()
    world.advance(days=1)
    resumed = unwrap(lead.does("resume", case))

    assert (rested["state"], rested["stage"]) == ("suspended", "referral")
    assert reviewed == [(f"cases/{case['code']}", "review", "2026-06-10T12:00:00Z")]
    assert resumed["state"] == "referring"
    assert lead.get_worklist() == [
        (f"cases/{case['code']}", "review_risk", "2026-06-08T12:00:00Z")
    ]
    assert ("suspend", "Shh") in lead.list_notes(case)
    assert ("suspend", "Shh") not in officer.list_notes(case)
    why = {"reason": "SAFETY"}
    for one, told in ((lead, why), (officer, {})):
        [suspended, went_on] = one.poll()
        assert (suspended["type"], went_on["type"]) == ("case.suspended", "case.resumed")
        assert suspended["facts"] == {"state": "suspended"} | told


def test_what_may_wait_rests_too_and_has_the_time_it_had_left(
    world: World, officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    bed = unwrap(lead.refer(case, SHELTER))
    advice = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    unwrap(lawyer.does("acknowledge", advice))
    question = {"topics": ["needs"], "question": "Which papers are there?"}
    unwrap(lead.create(f"{get_path(case)}/questions", question))
    world.advance(hours=2)

    unwrap(lead.does("suspend", case, REST))
    resting = [one.get_worklist() for one in (lawyer, officer)]
    urgent = [kind for _, kind, _ in shelter.get_worklist()]
    world.advance(days=2)
    unwrap(lead.does("resume", case))

    assert resting == [[], []]
    assert urgent == ["acknowledge"]
    assert lawyer.get_worklist() == [
        (f"referrals/{advice['id']}", "decide_referral", "2026-06-06T12:00:00Z")
    ]
    assert officer.get_worklist() == [
        (f"cases/{case['code']}", "answer", "2026-06-04T12:00:00Z")
    ]
    assert [subject for subject, *_ in shelter.get_worklist()] == [f"referrals/{bed['id']}"]


@pytest.mark.parametrize("at", ["2026-06-01T12:00:00Z", "2026-06-15T12:00:01Z"])
def test_a_review_is_ahead_and_not_too_far(lead: Someone, case: Json, at: str) -> None:
    refused = lead.does("suspend", case, REST | {"review_at": at})

    assert get_unmet(refused) == [("review_date", "lead")]


def test_a_case_does_not_go_on_with_an_old_view_of_the_risk(
    world: World, lead: Someone, case: Json
) -> None:
    unwrap(lead.does("suspend", case, REST))
    world.advance(days=7, seconds=1)

    late = lead.does("resume", case)
    unwrap(lead.create(f"{get_path(case)}/risk-assessments", {"level": "low"}))

    assert get_unmet(late) == [("risk_current", "holder")]
    assert unwrap(lead.does("resume", case))["state"] == "referring"


def test_a_case_goes_on_where_help_has_begun(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, completed=False)
    unwrap(lead.does("suspend", case, REST))

    assert unwrap(lead.does("resume", case))["state"] == "assisting"


def test_after_help_a_person_is_visited_and_then_the_closure_is_reviewed(
    world: World, officer: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, completed=True)
    officer.poll()
    due = []

    monitored = unwrap(lead.does("monitor", case, {}))
    for _ in range(5):
        due += [until for _, kind, until in lead.get_worklist() if kind == "monitor"]
        unwrap(lead.does("visits", case, VISIT))
    world.advance(days=1)

    assert monitored["state"] == "monitoring"
    assert due == [
        "2026-06-08T12:00:00Z",
        "2026-07-01T12:00:00Z",
        "2026-09-01T12:00:00Z",
        "2026-12-01T12:00:00Z",
        "2027-06-01T12:00:00Z",
    ]
    assert lead.get_worklist() == [
        (f"cases/{case['code']}", "review_closure", "2026-07-01T12:00:00Z")
    ]
    assert list_types(officer.poll()) == ["case.monitoring_begun"]
    assert list_types(lead.poll())[-5:] == ["case.visited"] * 5
    assert lead.list_notes(case).count(("visit", "Well")) == 5


def test_visits_are_as_the_lead_plans_them(lead: Someone, case: Json) -> None:
    plan = ["2026-06-03T09:00:00Z", "2026-06-20T09:00:00Z"]

    backwards = lead.does("monitor", case, {"visits": plan[::-1]})
    mistyped = lead.does("monitor", case, {"visits": ["2062-06-03T09:00:00Z"]})
    planned = unwrap(lead.does("monitor", case, {"visits": plan}))

    assert get_unmet(backwards) == get_unmet(mistyped) == [("schedule", "lead")]
    assert planned["due_at"] == plan[0]


def test_nobody_is_only_visited_while_help_is_under_way(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, completed=False)

    assert get_unmet(lead.does("monitor", case, {})) == [("nothing_open", "holder")]


def test_help_is_found_again_for_a_person_who_was_only_visited(
    officer: Someone, lead: Someone, case: Json
) -> None:
    unwrap(lead.does("monitor", case, {}))
    officer.poll()

    again = unwrap(lead.does("reopen-assistance", case, AGAIN))

    assert (again["state"], again["due_at"]) == ("referring", "2026-06-08T12:00:00Z")
    [event] = officer.poll()
    assert (event["type"], event["facts"]) == (
        "case.assistance_reopened",
        {"state": "referring"},
    )
    assert lead.poll()[-1]["facts"] == {"state": "referring", "reason": "NEW_NEED"}


def test_help_that_is_taken_on_for_a_person_who_was_only_visited_is_help(
    officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, completed=True)
    unwrap(lead.does("monitor", case, {}))
    officer.poll(), lead.poll()
    referral = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    visited = lead.read(case)

    unwrap(lawyer.does("accept", referral, make_acceptance()))

    assert (visited["state"], visited["due_at"]) == ("monitoring", "2026-06-08T12:00:00Z")
    assert lead.read(case)["state"] == "assisting"
    assert [kind for _, kind, _ in lead.get_worklist()] == ["review_risk"]
    [event] = officer.poll()
    assert (event["type"], event["by"]) == ("case.assistance_begun", None)
    unwrap(lawyer.does("start", referral, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "Well"}
    unwrap(lawyer.does("complete", referral, report))
    assert unwrap(lead.does("monitor", case, {}))["due_at"] == "2026-06-08T12:00:00Z"


def test_a_request_that_came_to_nothing_leaves_the_visits_as_they_were(
    lead: Someone, lawyer: Someone, case: Json
) -> None:
    monitored = unwrap(lead.does("monitor", case, {}))
    referral = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))

    unwrap(lawyer.does("decline", referral, {"reason": "NO_CAPACITY"}))

    assert lead.read(case)["state"] == "monitoring"
    assert lead.read(case)["due_at"] == monitored["due_at"]


def test_a_no_ends_everything_at_once(
    officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    refer_to_shelter(lead, shelter, case, completed=False)
    unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID", send=False))
    question = {"topics": ["needs"], "question": "Which papers are there?"}
    unwrap(lead.create(f"{get_path(case)}/questions", question))
    lead.poll(), shelter.poll(), officer.poll()

    stopped = unwrap(lead.send(f"{get_path(case)}/stop", STOP))

    assert (stopped["state"], stopped["closure_reason"]) == ("closed", "SURVIVOR_REQUEST")
    assert list_types(officer.poll()) == ["case.stopped"]
    [event] = shelter.poll()
    assert (event["type"], event["by"]) == ("referral.withdrawn", None)
    assert event["facts"]["reason"] == "NO_LONGER_NEEDED"
    found = {r["state"]: r["reason"] for r in unwrap(lead.get("/referrals"))["items"]}
    assert found.keys() == {"withdrawn", "revoked"}
    assert found["withdrawn"] == "SURVIVOR_DECLINED"
    assert lead.get_worklist() == officer.get_worklist() == lawyer.get_worklist() == []
    assert [kind for _, kind, _ in shelter.get_worklist()] == ["confirm_deletion"]


def test_a_candidate_hears_a_no_too(officer: Someone, lead: Someone) -> None:
    case = officer.submit()

    assert unwrap(lead.does("stop", case, STOP))["state"] == "closed"
    assert get_problem(lead.does("reopen", case, AGAIN)) == (403, "action-not-yours")


def test_a_stop_is_repeated_under_its_key_and_illegal_without(
    lead: Someone, case: Json
) -> None:
    path = f"{get_path(case)}/stop"

    first = lead.send(path, STOP, idempotency_key="no")
    again = lead.send(path, STOP, idempotency_key="no")

    assert unwrap(again) == unwrap(first)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert get_problem(lead.send(path, STOP)) == (409, "action-illegal")


def test_a_case_begins_again_on_a_consent_that_stands(
    officer: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, completed=True)
    unwrap(lead.does("stop", case, STOP))
    officer.poll()

    again = unwrap(lead.does("reopen", case, AGAIN))

    assert (again["state"], again["closure_reason"]) == ("assisting", None)
    assert list_types(officer.poll()) == ["case.reopened", "case.assistance_begun"]
    assert ("reopen", "Back") in lead.list_notes(case)


def test_on_a_new_yes_a_case_begins_again_that_a_no_had_ended(
    officer: Someone, lead: Someone, case: Json
) -> None:
    path = f"{get_path(case)}/consents"
    for given in unwrap(lead.get(path))["items"]:
        unwrap(lead.send(f"{path}/{given['id']}/withdraw"))
    unwrap(lead.does("stop", case, STOP | {"reason": "CONSENT_WITHDRAWN"}))

    before = lead.does("reopen", case, AGAIN)
    submitters = officer.create(path, make_consent())
    unwrap(lead.create(path, make_consent()))

    assert get_unmet(before) == [("consent_to_refer", "lead")]
    assert get_problem(submitters) == (403, "action-not-yours")
    assert unwrap(lead.does("reopen", case, AGAIN))["state"] == "referring"


STATES = {
    "suspend": "referring",
    "resume": "suspended",
    "monitor": "referring",
    "visits": "monitoring",
    "reopen-assistance": "monitoring",
    "stop": "referring",
    "reopen": "closed",
    "relocate": "referring",
}


@pytest.fixture(params=BODIES)
def action_and_case(
    request: pytest.FixtureRequest, lead: Someone, case: Json
) -> tuple[str, Json]:
    """Return an action, and a case in a state in which the action is possible."""
    state = STATES[request.param]
    return request.param, case if state == "referring" else move_to_state(lead, case, state)


def test_what_the_lead_does_is_nobody_elses(
    world: World,
    officer: Someone,
    lead: Someone,
    stranger: Someone,
    action_and_case: tuple[str, Json],
) -> None:
    action, case = action_and_case
    body = BODIES[action]
    sender = world.add_person("KZ_LEAD", {Role.SUPERVISOR, Role.ANALYST})
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER, Role.CASEWORKER})
    missing = {"code": create_case_code(stranger.id)}

    assert get_problem(officer.does(action, case, body)) == (403, "action-not-yours")
    assert get_problem(watcher.does(action, case, body)) == (403, "action-not-yours")
    assert get_problem(sender.does(action, case, body)) == (403, "role-missing")
    hidden = [stranger.does(action, one, body) for one in (case, missing)]
    assert {get_problem(answer) for answer in hidden} == {(404, "not-found")}
    assert lead.does(action, case, body).status_code == 200


def test_what_was_done_is_repeated_and_not_done_twice(
    lead: Someone, action_and_case: tuple[str, Json]
) -> None:
    action, case = action_and_case
    path, body = f"{get_path(case)}/{action}", BODIES[action]
    headers = {"if_match": lead.get_tag(case), "idempotency_key": "once"}

    first = lead.send(path, body, **headers)
    lead.poll()
    again = lead.send(path, body, **headers)

    assert unwrap(again) == unwrap(first)
    assert lead.poll() == []


def test_a_version_must_be_given_and_be_the_latest(
    lead: Someone, action_and_case: tuple[str, Json]
) -> None:
    action, case = action_and_case
    path, body, old = f"{get_path(case)}/{action}", BODIES[action], lead.get_tag(case)
    at_any_time = action == "stop"
    if action != "reopen":
        unwrap(lead.create(f"{get_path(case)}/consents", make_service_consent()))

    if not at_any_time:
        assert get_problem(lead.send(path, body)) == (428, "version-not-given")
        stale = '"1.0000000000000000"' if action == "reopen" else old
        assert get_problem(lead.send(path, body, if_match=stale)) == (412, "version-stale")
    answer = lead.send(path, body) if at_any_time else lead.does(action, case, body)
    assert answer.is_success


@pytest.mark.parametrize("action", [a for a in BODIES if STATES[a] != "closed"])
def test_when_a_case_is_over_nothing_of_it_is_done(
    lead: Someone, case: Json, action: str
) -> None:
    move_to_state(lead, case, "closed")

    assert get_problem(lead.does(action, case, BODIES[action])) == (409, "action-illegal")


@pytest.mark.parametrize("state", ["referring", "suspended", "monitoring"])
def test_whatever_ran_stops_with_the_case(
    lead: Someone, supervisor: Someone, officer: Someone, case: Json, state: str
) -> None:
    if state != "referring":
        move_to_state(lead, case, state)
    question = {"topics": ["needs"], "question": "Which papers are there?"}
    unwrap(lead.create(f"{get_path(case)}/questions", question))

    unwrap(lead.does_with(supervisor, "close", case, make_closure()))

    assert lead.get_worklist() == officer.get_worklist() == []
