"""How a case is suspended, monitored, stopped at the wish of the person, and reopened."""

import pytest

from app.kernel.actors import Role
from app.kernel.codes import new_code
from tests.support.world import (
    Json,
    Someone,
    World,
    closing,
    consent,
    done,
    for_services,
    kinds,
    lacks,
    path_of,
    problem,
    promise,
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
    """A case with a lead and without referrals."""
    return lead.leads(officer.submits())


def move_to_state(lead: Someone, case: Json, state: str) -> Json:
    """Move a case that has a lead to the state `suspended`, `monitoring` or `closed`."""
    steps = {"suspended": ("suspend", REST), "monitoring": ("monitor", {})}
    steps["closed"] = ("stop", STOP)
    return done(lead.does(*steps[state][:1], case, steps[state][1]))


def refer_to_shelter(
    lead: Someone, shelter: Someone, case: Json, *, completed: bool
) -> Json:
    sent = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", sent, promise()))
    if completed:
        done(shelter.does("start", sent, {"person_met": True}))
        report = {"outcome": "delivered", "feedback": "Всё хорошо"}
        done(shelter.does("complete", sent, report))
    return sent


def test_a_case_rests_until_a_review_and_goes_on(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    lead.hears(), officer.hears()

    rested = done(lead.does("suspend", case, REST))
    reviewed = lead.waits()
    world.passes(days=1)
    resumed = done(lead.does("resume", case))

    assert (rested["state"], rested["stage"]) == ("suspended", "referral")
    assert reviewed == [(f"cases/{case['code']}", "review", "2026-06-10T12:00:00Z")]
    assert resumed["state"] == "referring"
    assert lead.waits() == [
        (f"cases/{case['code']}", "review_risk", "2026-06-08T12:00:00Z")
    ]
    assert ("suspend", "Shh") in lead.notes(case)
    assert ("suspend", "Shh") not in officer.notes(case)
    why = {"reason": "SAFETY"}
    for one, told in ((lead, why), (officer, {})):
        [suspended, went_on] = one.hears()
        assert (suspended["type"], went_on["type"]) == ("case.suspended", "case.resumed")
        assert suspended["facts"] == {"state": "suspended"} | told


def test_what_may_wait_rests_too_and_has_the_time_it_had_left(
    world: World, officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone
) -> None:
    case = lead.leads(officer.submits())
    bed = done(lead.refers(case, SHELTER))
    advice = done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    done(lawyer.does("acknowledge", advice))
    question = {"topics": ["needs"], "question": "Which papers are there?"}
    done(lead.creates(f"{path_of(case)}/questions", question))
    world.passes(hours=2)

    done(lead.does("suspend", case, REST))
    resting = [one.waits() for one in (lawyer, officer)]
    urgent = [kind for _, kind, _ in shelter.waits()]
    world.passes(days=2)
    done(lead.does("resume", case))

    assert resting == [[], []]
    assert urgent == ["acknowledge"]
    assert lawyer.waits() == [
        (f"referrals/{advice['id']}", "decide_referral", "2026-06-06T12:00:00Z")
    ]
    assert officer.waits() == [(f"cases/{case['code']}", "answer", "2026-06-04T12:00:00Z")]
    assert [subject for subject, *_ in shelter.waits()] == [f"referrals/{bed['id']}"]


@pytest.mark.parametrize("at", ["2026-06-01T12:00:00Z", "2026-06-15T12:00:01Z"])
def test_a_review_is_ahead_and_not_too_far(lead: Someone, case: Json, at: str) -> None:
    refused = lead.does("suspend", case, REST | {"review_at": at})

    assert lacks(refused) == [("review_date", "lead")]


def test_a_case_does_not_go_on_with_an_old_view_of_the_risk(
    world: World, lead: Someone, case: Json
) -> None:
    done(lead.does("suspend", case, REST))
    world.passes(days=7, seconds=1)

    late = lead.does("resume", case)
    done(lead.creates(f"{path_of(case)}/risk-assessments", {"level": "low"}))

    assert lacks(late) == [("risk_current", "holder")]
    assert done(lead.does("resume", case))["state"] == "referring"


def test_a_case_goes_on_where_help_has_begun(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, completed=False)
    done(lead.does("suspend", case, REST))

    assert done(lead.does("resume", case))["state"] == "assisting"


def test_after_help_a_person_is_visited_and_then_the_closure_is_reviewed(
    world: World, officer: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, completed=True)
    officer.hears()
    due = []

    monitored = done(lead.does("monitor", case, {}))
    for _ in range(5):
        due += [until for _, kind, until in lead.waits() if kind == "monitor"]
        done(lead.does("visits", case, VISIT))
    world.passes(days=1)

    assert monitored["state"] == "monitoring"
    assert due == [
        "2026-06-08T12:00:00Z",
        "2026-07-01T12:00:00Z",
        "2026-09-01T12:00:00Z",
        "2026-12-01T12:00:00Z",
        "2027-06-01T12:00:00Z",
    ]
    assert lead.waits() == [
        (f"cases/{case['code']}", "review_closure", "2026-07-01T12:00:00Z")
    ]
    assert kinds(officer.hears()) == ["case.monitoring_begun"]
    assert kinds(lead.hears())[-5:] == ["case.visited"] * 5
    assert lead.notes(case).count(("visit", "Well")) == 5


def test_visits_are_as_the_lead_plans_them(lead: Someone, case: Json) -> None:
    plan = ["2026-06-03T09:00:00Z", "2026-06-20T09:00:00Z"]

    backwards = lead.does("monitor", case, {"visits": plan[::-1]})
    mistyped = lead.does("monitor", case, {"visits": ["2062-06-03T09:00:00Z"]})
    planned = done(lead.does("monitor", case, {"visits": plan}))

    assert lacks(backwards) == lacks(mistyped) == [("schedule", "lead")]
    assert planned["due_at"] == plan[0]


def test_nobody_is_only_visited_while_help_is_under_way(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, completed=False)

    assert lacks(lead.does("monitor", case, {})) == [("nothing_open", "holder")]


def test_help_is_found_again_for_a_person_who_was_only_visited(
    officer: Someone, lead: Someone, case: Json
) -> None:
    done(lead.does("monitor", case, {}))
    officer.hears()

    again = done(lead.does("reopen-assistance", case, AGAIN))

    assert (again["state"], again["due_at"]) == ("referring", "2026-06-08T12:00:00Z")
    [told] = officer.hears()
    assert (told["type"], told["facts"]) == (
        "case.assistance_reopened",
        {"state": "referring"},
    )
    assert lead.hears()[-1]["facts"] == {"state": "referring", "reason": "NEW_NEED"}


def test_help_that_is_taken_on_for_a_person_who_was_only_visited_is_help(
    officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, completed=True)
    done(lead.does("monitor", case, {}))
    officer.hears(), lead.hears()
    asked = done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    visited = lead.sees(case)

    done(lawyer.does("accept", asked, promise()))

    assert (visited["state"], visited["due_at"]) == ("monitoring", "2026-06-08T12:00:00Z")
    assert lead.sees(case)["state"] == "assisting"
    assert [kind for _, kind, _ in lead.waits()] == ["review_risk"]
    [told] = officer.hears()
    assert (told["type"], told["by"]) == ("case.assistance_begun", None)
    done(lawyer.does("start", asked, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "Well"}
    done(lawyer.does("complete", asked, report))
    assert done(lead.does("monitor", case, {}))["due_at"] == "2026-06-08T12:00:00Z"


def test_a_request_that_came_to_nothing_leaves_the_visits_as_they_were(
    lead: Someone, lawyer: Someone, case: Json
) -> None:
    monitored = done(lead.does("monitor", case, {}))
    asked = done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))

    done(lawyer.does("decline", asked, {"reason": "NO_CAPACITY"}))

    assert lead.sees(case)["state"] == "monitoring"
    assert lead.sees(case)["due_at"] == monitored["due_at"]


def test_a_no_ends_everything_at_once(
    officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone
) -> None:
    case = lead.leads(officer.submits())
    refer_to_shelter(lead, shelter, case, completed=False)
    done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID", send=False))
    question = {"topics": ["needs"], "question": "Which papers are there?"}
    done(lead.creates(f"{path_of(case)}/questions", question))
    lead.hears(), shelter.hears(), officer.hears()

    stopped = done(lead.post(f"{path_of(case)}/stop", STOP))

    assert (stopped["state"], stopped["closure_reason"]) == ("closed", "SURVIVOR_REQUEST")
    assert kinds(officer.hears()) == ["case.stopped"]
    [told] = shelter.hears()
    assert (told["type"], told["by"]) == ("referral.withdrawn", None)
    assert told["facts"]["reason"] == "SURVIVOR_DECLINED"
    states = {r["state"] for r in done(lead.get("/referrals"))["items"]}
    assert states == {"withdrawn", "revoked"}
    assert lead.waits() == officer.waits() == lawyer.waits() == []
    assert [kind for _, kind, _ in shelter.waits()] == ["confirm_deletion"]


def test_a_candidate_hears_a_no_too(officer: Someone, lead: Someone) -> None:
    case = officer.submits()

    assert done(lead.does("stop", case, STOP))["state"] == "closed"
    assert problem(lead.does("reopen", case, AGAIN)) == (403, "action-not-yours")


def test_a_stop_is_repeated_under_its_key_and_illegal_without(
    lead: Someone, case: Json
) -> None:
    path = f"{path_of(case)}/stop"

    first = lead.post(path, STOP, idempotency_key="no")
    again = lead.post(path, STOP, idempotency_key="no")

    assert done(again) == done(first)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert problem(lead.post(path, STOP)) == (409, "action-illegal")


def test_a_case_begins_again_on_a_consent_that_stands(
    officer: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_to_shelter(lead, shelter, case, completed=True)
    done(lead.does("stop", case, STOP))
    officer.hears()

    again = done(lead.does("reopen", case, AGAIN))

    assert (again["state"], again["closure_reason"]) == ("assisting", None)
    assert kinds(officer.hears()) == ["case.reopened", "case.assistance_begun"]
    assert ("reopen", "Back") in lead.notes(case)


def test_on_a_new_yes_a_case_begins_again_that_a_no_had_ended(
    officer: Someone, lead: Someone, case: Json
) -> None:
    path = f"{path_of(case)}/consents"
    for given in done(lead.get(path))["items"]:
        done(lead.post(f"{path}/{given['id']}/withdraw"))
    done(lead.does("stop", case, STOP | {"reason": "CONSENT_WITHDRAWN"}))

    before = lead.does("reopen", case, AGAIN)
    submitters = officer.creates(path, consent())
    done(lead.creates(path, consent()))

    assert lacks(before) == [("consent_to_refer", "lead")]
    assert problem(submitters) == (403, "action-not-yours")
    assert done(lead.does("reopen", case, AGAIN))["state"] == "referring"


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
    """An action, and a case in a state where the action is possible."""
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
    sender = world.someone("KZ_LEAD", {Role.SUPERVISOR, Role.ANALYST})
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER, Role.CASEWORKER})
    missing = {"code": new_code(stranger.id)}

    assert problem(officer.does(action, case, body)) == (403, "action-not-yours")
    assert problem(watcher.does(action, case, body)) == (403, "action-not-yours")
    assert problem(sender.does(action, case, body)) == (403, "role-missing")
    hidden = [stranger.does(action, one, body) for one in (case, missing)]
    assert {problem(answer) for answer in hidden} == {(404, "not-found")}
    assert lead.does(action, case, body).status_code == 200


def test_what_was_done_is_repeated_and_not_done_twice(
    lead: Someone, action_and_case: tuple[str, Json]
) -> None:
    action, case = action_and_case
    path, body = f"{path_of(case)}/{action}", BODIES[action]
    headers = {"if_match": lead.tag(case), "idempotency_key": "once"}

    first = lead.post(path, body, **headers)
    lead.hears()
    again = lead.post(path, body, **headers)

    assert done(again) == done(first)
    assert lead.hears() == []


def test_a_version_must_be_given_and_be_the_latest(
    lead: Someone, action_and_case: tuple[str, Json]
) -> None:
    action, case = action_and_case
    path, body, old = f"{path_of(case)}/{action}", BODIES[action], lead.tag(case)
    at_any_time = action == "stop"
    if action != "reopen":
        done(lead.creates(f"{path_of(case)}/consents", for_services()))

    if not at_any_time:
        assert problem(lead.post(path, body)) == (428, "version-not-given")
        stale = '"1.0000000000000000"' if action == "reopen" else old
        assert problem(lead.post(path, body, if_match=stale)) == (412, "version-stale")
    answer = lead.post(path, body) if at_any_time else lead.does(action, case, body)
    assert answer.is_success


@pytest.mark.parametrize("action", [a for a in BODIES if STATES[a] != "closed"])
def test_when_a_case_is_over_nothing_of_it_is_done(
    lead: Someone, case: Json, action: str
) -> None:
    move_to_state(lead, case, "closed")

    assert problem(lead.does(action, case, BODIES[action])) == (409, "action-illegal")


@pytest.mark.parametrize("state", ["referring", "suspended", "monitoring"])
def test_whatever_ran_stops_with_the_case(
    lead: Someone, supervisor: Someone, officer: Someone, case: Json, state: str
) -> None:
    if state != "referring":
        move_to_state(lead, case, state)
    question = {"topics": ["needs"], "question": "Which papers are there?"}
    done(lead.creates(f"{path_of(case)}/questions", question))

    done(lead.does_with(supervisor, "close", case, closing()))

    assert lead.waits() == officer.waits() == []
