"""Tests of returns that are completed, end with NO-GO, or lose the person's consent."""

import pytest

from tests.support.case_actions import list_steps
from tests.support.returns import (
    AT_HOME,
    EARLY,
    HOME,
    MET,
    NO_GO,
    SAFE,
    STATES,
    TOLD,
    WAY,
    Homecoming,
    accept_return_referral,
    begin_return,
    create_return,
    make_return_consent,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_problem,
    get_unmet,
    list_types,
    make_closure,
    make_consent,
    make_service_consent,
    make_travel_plan,
    unwrap,
)

REPORT: Json = {"outcome": "delivered", "feedback": "Дома"}
BEFORE_DEPARTURE = [action for _, action, _ in WAY[:9]]


@pytest.fixture
def home(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Begin the return of an adult from Kazakhstan to Uzbekistan."""
    return begin_return(world, officer, lead)


def test_an_adult_goes_home_and_is_followed_to_the_last_visit(home: Homecoming) -> None:
    done_by = []
    for who, action, body in WAY:
        answered = unwrap(home.does(who, action, body))
        done_by.append((action.replace("-", "_"), home.world.now.isoformat()))
        assert answered["state"] == STATES[len(done_by) - 1], action
        if action == "go":
            unwrap(home.home.does("start", home.referral, MET))
    unwrap(home.home.does("complete", home.referral, REPORT))

    unwrap(home.does("home", "report", EARLY))
    last = EARLY | {"person_met": False}
    still, over = home.state, unwrap(home.does("home", "report", last))

    assert (still, over["state"]) == ("monitoring", "completed")
    assert list_steps(over) == []
    actions = [s["action"] for s in home.read()["steps"]]
    assert actions == [*(action for action, _ in done_by), "report", "report"]
    assert {step["by"] for step in home.read()["steps"]} == {"KZ_LEAD", HOME}
    assert home.lead.read(home.referral)["state"] == "completed"
    closed = home.lead.does("close", home.case, make_closure(reason="RETURNED_MONITORED"))
    assert closed.status_code == 202


def test_both_sides_hear_of_each_step_and_nobody_else(
    home: Homecoming, officer: Someone, stranger: Someone
) -> None:
    for one in (home.lead, home.home):
        one.poll()

    home.advance("monitor")

    event_types = [k for k in list_types(home.lead.poll()) if k.startswith("return.")]
    assert event_types == [
        k for k in list_types(home.home.poll()) if k.startswith("return.")
    ]
    assert len(event_types) == len(WAY)
    assert "return" not in "".join(list_types([*officer.poll(), *stranger.poll()]))


def test_either_side_opens_it_once(world: World, officer: Someone, lead: Someone) -> None:
    at_home = world.add_person(HOME)
    _, referral = accept_return_referral(officer, lead, at_home)

    first = create_return(lead, referral, "a-key")
    again, other = create_return(lead, referral, "a-key"), create_return(at_home, referral)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.headers["Location"] == f"/v1/returns/{first.json()['id']}"
    assert get_problem(other) == (409, "return-exists")
    assert other.json()["return"] == f"returns/{first.json()['id']}"
    seen = unwrap(at_home.get(f"/referrals/{referral['id']}/return"))
    assert seen["id"] == first.json()["id"]
    assert first.json()["you_are"] == ["holder", "lead"]
    assert seen["you_are"] == ["consulate", "recipient"]


def test_only_a_return_that_was_accepted_has_a_checklist(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [make_consent(), make_service_consent(), make_return_consent()]
    case = lead.take_lead(officer.submit(consents=given))
    bed = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    sent = unwrap(lead.refer(case, HOME, service="RETURN", sections=[]))

    assert get_problem(create_return(shelter, bed)) == (409, "not-a-return")
    early = create_return(world.add_person(HOME), sent)
    assert get_problem(early) == (409, "action-illegal")
    assert early.json()["state"] == "sent"


def test_it_stops_at_no_go_by_two_people_who_are_told_what_to_ask_for(
    home: Homecoming, world: World
) -> None:
    home.advance("assess-destination")
    unwrap(home.does("home", "assess-origin", AT_HOME | {"threats": ["RETRIBUTION"]}))
    go = home.lead.does("go", home.record, {})
    approval = unwrap(home.lead.does("no-go", home.record, NO_GO))
    path = f"/approvals/{approval['id']}/approve"
    mine, coordinator = home.lead.send(path), world.add_person("KZ_LEAD").send(path)
    unwrap(home.supervisor.send(path))

    refused = unwrap(home.lead.does("no-go", home.record, NO_GO, Approval=approval["id"]))

    assert get_unmet(go) == [("no_threat", "lead")]
    assert (approval["action"], approval["subject"]) == (
        "return.no_go",
        f"returns/{home.record['id']}",
    )
    assert get_problem(mine) == (409, "not-a-second-person")
    assert get_problem(coordinator) == (403, "role-missing")
    assert refused["state"] == "no_go"
    assert refused["open_instead"] == ["ASYLUM", "RESIDENCE_STATUS"]
    assert list_steps(refused) == []
    assert home.home.read(home.referral)["state"] == "withdrawn"
    assert get_problem(home.home.get(f"/returns/{home.record['id']}")) == (404, "not-found")
    assert "return.refused" not in list_types(home.home.poll())


def test_a_go_is_of_two_people_and_of_what_they_knew(home: Homecoming) -> None:
    home.advance("assess-origin")
    approval = unwrap(home.lead.does("go", home.record, {}))
    unwrap(home.supervisor.send(f"/approvals/{approval['id']}/approve"))
    unwrap(home.does("home", "assess-origin", AT_HOME | {"level": "medium"}))

    late = home.lead.does("go", home.record, {}, Approval=approval["id"])

    assert get_problem(late) == (409, "approval-unusable")
    assert home.state == "assessing"
    assert home.advance("go")["state"] == "cleared"


def test_an_approval_of_one_decision_allows_no_other(home: Homecoming) -> None:
    home.advance("assess-origin")
    approval = unwrap(home.lead.does("no-go", home.record, NO_GO))
    unwrap(home.supervisor.send(f"/approvals/{approval['id']}/approve"))

    answer = home.lead.does("go", home.record, {}, Approval=approval["id"])

    assert get_problem(answer) == (409, "approval-unusable")


def test_a_child_does_not_go_without_a_determination_in_its_favour(
    world: World, officer: Someone, lead: Someone
) -> None:
    guardian = {"given_by": "guardian_with_assent"}
    given = [make_consent(**guardian), make_return_consent(**guardian)]
    home = begin_return(
        world, officer, lead, summary={"age_class": "child"}, consents=given
    )
    home.advance("assess-origin")
    unasked = home.lead.does("go", home.record, {})
    home_says = {"carer_receives": True, "guardian_at_arrival": True}
    unwrap(home.does("home", "receive-child", home_says))
    early = home.does("lead", "determine-interests", {"interests": "in_favour"})
    path = f"/cases/{home.case['code']}/facts"
    fact = {"name": "best_interests", "value": "determined"}
    unwrap(lead.create(path, fact))
    unwrap(home.does("lead", "determine-interests", {"interests": "against"}))
    against = home.lead.does("go", home.record, {})
    unwrap(home.does("lead", "determine-interests", {"interests": "in_favour"}))
    alone = home.lead.does("go", home.record, {})
    unwrap(lead.create(path, {"name": "guardian", "value": "appointed"}))

    care, speaker = ("child_provided_for", "lead"), ("guardian", "lead")
    assert get_unmet(unasked) == get_unmet(against) == [care, speaker]
    assert get_unmet(alone) == [speaker]
    assert get_unmet(early) == [("interests_determined", "lead")]
    assert home.advance("go")["state"] == "cleared"


@pytest.mark.parametrize("who", ["lead", "home"])
def test_a_person_who_says_no_on_the_day_does_not_go(home: Homecoming, who: str) -> None:
    home.advance("accept-plan")
    no = home.lead.does("depart", home.record, {"reconfirmed_today": False})
    path = f"/returns/{home.record['id']}/call-off"

    answer = getattr(home, who).send(path, {"note": "Не хочет"})

    assert get_unmet(no) == [("reconfirmed", "lead")]
    assert answer.status_code == (200 if who == "lead" else 204)
    assert home.state == "called_off"
    assert home.lead.read(home.referral)["reason"] == "SURVIVOR_DECLINED"
    late = home.lead.does("depart", home.record, {"reconfirmed_today": True})
    assert get_problem(late) == (409, "action-illegal")


@pytest.mark.parametrize("upto", BEFORE_DEPARTURE)
def test_a_consent_that_is_taken_back_ends_it_at_once(home: Homecoming, upto: str) -> None:
    home.advance(upto)
    home.home.poll()

    home.withdraw_consents("RETURN")

    assert home.state == "ended"
    assert home.lead.read(home.referral)["state"] == "withdrawn"
    assert list_types(home.home.poll()) == ["referral.withdrawn"]
    assert get_problem(home.home.get(f"/returns/{home.record['id']}")) == (404, "not-found")
    assert list_steps(home.read()) == []
    assert home.read()["due_at"]  # The lead's deadline to decide on contact.


def test_another_consent_that_is_taken_back_ends_nothing(home: Homecoming) -> None:
    home.advance("plan")

    home.withdraw_consents("REFER")

    assert home.state == "planning"


@pytest.mark.parametrize(
    "fear", [{"origin_contact": "blocked"}, {"fear_of_state": True}, {"seeks_asylum": True}]
)
@pytest.mark.parametrize("upto", ["inform", "go", "accept-plan", "arrive"])
def test_contact_with_the_origin_that_is_blocked_ends_it_without_a_word_why(
    home: Homecoming, upto: str, fear: Json
) -> None:
    home.advance(upto)
    home.home.poll()

    home.write_safeguards(**{"origin_contact": "permitted"} | fear)

    assert home.state == "ended"
    assert home.lead.read(home.referral)["reason"] == "NO_LONGER_NEEDED"
    [event] = home.home.poll()
    assert event["type"] == "referral.withdrawn"
    assert event["facts"]["reason"] == "NO_LONGER_NEEDED"


@pytest.mark.parametrize("upto", ["inform", "go", "accept-plan", "monitor"])
def test_a_case_that_is_stopped_ends_it(home: Homecoming, upto: str) -> None:
    home.advance(upto)

    unwrap(home.lead.does("stop", home.case, {"reason": "SURVIVOR_REQUEST"}))

    assert home.state == "ended"


def test_who_is_on_the_way_when_it_ends_is_not_lost_from_sight(home: Homecoming) -> None:
    home.advance("depart")
    home.withdraw_consents("RETURN")
    halted = home.read()
    [tx] = [
        w for w in unwrap(home.lead.get("/worklist"))["items"] if "returns/" in w["subject"]
    ]
    close = home.lead.does("close", home.case, make_closure())

    found = unwrap(home.does("lead", "locate", MET))

    assert (halted["state"], list(get_actions(halted))) == ("halted", ["locate"])
    assert tx["kind"] == "confirm_arrival"
    assert ("return_over", "holder") in get_unmet(close)
    assert found["state"] == "ended"


def test_an_assessment_of_31_days_does_not_carry_a_decision(home: Homecoming) -> None:
    home.advance("assess-destination")
    home.world.advance(days=31)
    unwrap(home.does("home", "assess-origin", AT_HOME))
    refused = home.lead.does("go", home.record, {})
    unwrap(home.does("lead", "assess-destination", SAFE))

    assert get_unmet(refused) == [("risks_current", "lead")]
    assert home.advance("go")["state"] == "cleared"


@pytest.mark.parametrize("upto", ["go", "issue-document", "plan", "accept-plan"])
def test_every_step_after_the_decision_is_judged_anew(home: Homecoming, upto: str) -> None:
    home.advance(upto)
    home.world.advance(days=20)
    late = make_travel_plan("2026-07-15T09:00:00+05:00")
    if upto in {"plan", "accept-plan"}:
        unwrap(home.does("lead", "plan", late))
    if upto == "accept-plan":
        unwrap(home.does("home", "accept-plan"))
    home.write_safeguards(origin_contact="undecided")
    home.world.advance(days=11)
    who, action, body = next(home.list_steps())

    refused = home.does(who, action, late if action == "plan" else body)

    whole = [("contact_permitted", "lead"), ("risks_current", "lead")]
    assert get_unmet(refused) == (whole if who == "lead" else [("still_cleared", "lead")])


def test_a_threat_found_after_the_decision_holds_the_person_back(home: Homecoming) -> None:
    home.advance("accept-plan")
    unwrap(home.does("lead", "assess-destination", SAFE | {"level": "high"}))

    refused = home.lead.does("depart", home.record, {"reconfirmed_today": True})

    assert get_unmet(refused) == [("no_threat", "lead")]
    assert unwrap(home.does("lead", "no-go", NO_GO))["state"] == "no_go"


def test_a_consent_to_much_is_no_consent_to_return(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_return(
        world, officer, lead, consents=[make_return_consent(purposes=["RETURN", "SHELTER"])]
    )
    [apart] = [c for c in home.list_consents("RETURN") if c["purposes"] == ["RETURN"]]
    unwrap(lead.send(f"/cases/{home.case['code']}/consents/{apart['id']}/withdraw"))

    assert home.state == "ended"


def test_the_referral_waits_for_the_checklist(home: Homecoming) -> None:
    early = home.home.does("start", home.referral, MET)
    home.advance("go")
    unwrap(home.home.does("start", home.referral, MET))
    unfinished = home.home.does("complete", home.referral, REPORT)
    home.advance("arrive")
    arrived = home.home.does("complete", home.referral, REPORT)
    home.advance("monitor")

    assert get_unmet(early) == [("return_cleared", "sender")]
    assert get_unmet(unfinished) == get_unmet(arrived) == [("return_done", "recipient")]
    finished = unwrap(home.home.does("complete", home.referral, REPORT))
    assert finished["state"] == "completed"
    assert home.state == "monitoring"


def test_a_referral_without_a_checklist_does_not_start(
    world: World, officer: Someone, lead: Someone
) -> None:
    at_home = world.add_person(HOME)
    _, referral = accept_return_referral(officer, lead, at_home)

    refused = at_home.does("start", referral, MET)

    assert get_unmet(refused) == [("return_cleared", "sender")]
    assert get_problem(lead.get(f"/referrals/{referral['id']}/return")) == (
        404,
        "not-found",
    )


@pytest.mark.parametrize(
    ("who", "act"), [("home", "decline"), ("lead", "revoke"), ("lead", "withdraw")]
)
def test_it_ends_with_its_referral_however_that_ends(
    home: Homecoming, who: str, act: str
) -> None:
    home.advance("go")
    reason = "NO_CAPACITY" if act == "decline" else "NO_LONGER_NEEDED"

    unwrap(getattr(home, who).does(act, home.referral, {"reason": reason}))

    assert home.state == "ended"
    assert home.read()["due_at"]  # The lead's deadline to decide on contact.


def test_told_of_nothing_nobody_decides(home: Homecoming) -> None:
    for lack in TOLD:
        refused = home.lead.does("inform", home.record, TOLD | {lack: False})
        assert get_unmet(refused) == [("information", "lead")]
