"""Tests of returns that complete, end with a NO-GO or end when consent is withdrawn."""

import pytest

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
    accepted,
    begin,
    opens,
    to_return,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    closing,
    consent,
    done,
    for_services,
    kinds,
    lacks,
    problem,
    travel_plan,
)

REPORT: Json = {"outcome": "delivered", "feedback": "Дома"}
BEFORE_DEPARTURE = [action for _, action, _ in WAY[:9]]


@pytest.fixture
def home(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """A new return of an adult from Kazakhstan to Uzbekistan."""
    return begin(world, officer, lead)


def test_an_adult_goes_home_and_is_followed_to_the_last_visit(home: Homecoming) -> None:
    done_by = []
    for who, action, body in WAY:
        answered = done(home.does(who, action, body))
        done_by.append((action.replace("-", "_"), home.world.now.isoformat()))
        assert answered["state"] == STATES[len(done_by) - 1], action
        if action == "go":
            done(home.home.does("start", home.referral, MET))
    done(home.home.does("complete", home.referral, REPORT))

    done(home.does("home", "report", EARLY))
    last = EARLY | {"person_met": False}
    still, over = home.state, done(home.does("home", "report", last))

    assert (still, over["state"]) == ("monitoring", "completed")
    assert over["available_actions"] == []
    told = [s["action"] for s in home.now()["steps"]]
    assert told == [*(action for action, _ in done_by), "report", "report"]
    assert {step["by"] for step in home.now()["steps"]} == {"KZ_LEAD", HOME}
    assert home.lead.sees(home.referral)["state"] == "completed"
    closed = home.lead.does("close", home.case, closing(reason="RETURNED_MONITORED"))
    assert closed.status_code == 202


def test_both_sides_hear_of_each_step_and_nobody_else(
    home: Homecoming, officer: Someone, stranger: Someone
) -> None:
    for one in (home.lead, home.home):
        one.hears()

    home.goes("monitor")

    heard = [k for k in kinds(home.lead.hears()) if k.startswith("return.")]
    assert heard == [k for k in kinds(home.home.hears()) if k.startswith("return.")]
    assert len(heard) == len(WAY)
    assert "return" not in "".join(kinds([*officer.hears(), *stranger.hears()]))


def test_either_side_opens_it_once(world: World, officer: Someone, lead: Someone) -> None:
    at_home = world.someone(HOME)
    _, referral = accepted(officer, lead, at_home)

    first = opens(lead, referral, "a-key")
    again, other = opens(lead, referral, "a-key"), opens(at_home, referral)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.headers["Location"] == f"/v1/returns/{first.json()['id']}"
    assert problem(other) == (409, "return-exists")
    assert other.json()["return"] == f"returns/{first.json()['id']}"
    seen = done(at_home.get(f"/referrals/{referral['id']}/return"))
    assert seen["id"] == first.json()["id"]
    assert first.json()["you_are"] == ["holder", "lead"]
    assert seen["you_are"] == ["consulate", "recipient"]


def test_only_a_return_that_was_accepted_has_a_checklist(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [consent(), for_services(), to_return()]
    case = lead.leads(officer.submits(consents=given))
    bed = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))
    sent = done(lead.refers(case, HOME, service="RETURN", sections=[]))

    assert problem(opens(shelter, bed)) == (409, "not-a-return")
    early = opens(world.someone(HOME), sent)
    assert problem(early) == (409, "action-illegal")
    assert early.json()["state"] == "sent"


def test_it_stops_at_no_go_by_two_people_who_are_told_what_to_ask_for(
    home: Homecoming, world: World
) -> None:
    home.goes("assess-destination")
    done(home.does("home", "assess-origin", AT_HOME | {"threats": ["RETRIBUTION"]}))
    go = home.lead.does("go", home.record, {})
    asked = done(home.lead.does("no-go", home.record, NO_GO))
    path = f"/approvals/{asked['id']}/approve"
    mine, coordinator = home.lead.post(path), world.someone("KZ_LEAD").post(path)
    done(home.supervisor.post(path))

    refused = done(home.lead.does("no-go", home.record, NO_GO, Approval=asked["id"]))

    assert lacks(go) == [("no_threat", "lead")]
    assert (asked["action"], asked["subject"]) == (
        "return.no_go",
        f"returns/{home.record['id']}",
    )
    assert problem(mine) == (409, "not-a-second-person")
    assert problem(coordinator) == (403, "role-missing")
    assert refused["state"] == "no_go"
    assert refused["open_instead"] == ["ASYLUM", "RESIDENCE_STATUS"]
    assert refused["available_actions"] == []
    assert home.home.sees(home.referral)["state"] == "withdrawn"
    assert problem(home.home.get(f"/returns/{home.record['id']}")) == (404, "not-found")
    assert "return.refused" not in kinds(home.home.hears())


def test_a_go_is_of_two_people_and_of_what_they_knew(home: Homecoming) -> None:
    home.goes("assess-origin")
    asked = done(home.lead.does("go", home.record, {}))
    done(home.supervisor.post(f"/approvals/{asked['id']}/approve"))
    done(home.does("home", "assess-origin", AT_HOME | {"level": "medium"}))

    late = home.lead.does("go", home.record, {}, Approval=asked["id"])

    assert problem(late) == (409, "approval-unusable")
    assert home.state == "assessing"
    assert home.goes("go")["state"] == "cleared"


def test_an_approval_of_one_decision_allows_no_other(home: Homecoming) -> None:
    home.goes("assess-origin")
    asked = done(home.lead.does("no-go", home.record, NO_GO))
    done(home.supervisor.post(f"/approvals/{asked['id']}/approve"))

    answer = home.lead.does("go", home.record, {}, Approval=asked["id"])

    assert problem(answer) == (409, "approval-unusable")


def test_a_child_does_not_go_without_a_determination_in_its_favour(
    world: World, officer: Someone, lead: Someone
) -> None:
    guardian = {"given_by": "guardian_with_assent"}
    given = [consent(**guardian), to_return(**guardian)]
    home = begin(world, officer, lead, notice={"age_class": "child"}, consents=given)
    home.goes("assess-origin")
    unasked = home.lead.does("go", home.record, {})
    home_says = {"carer_receives": True, "guardian_at_arrival": True}
    done(home.does("home", "receive-child", home_says))
    early = home.does("lead", "determine-interests", {"interests": "in_favour"})
    path = f"/cases/{home.case['code']}/facts"
    fact = {"name": "best_interests", "value": "determined"}
    done(lead.creates(path, fact))
    done(home.does("lead", "determine-interests", {"interests": "against"}))
    against = home.lead.does("go", home.record, {})
    done(home.does("lead", "determine-interests", {"interests": "in_favour"}))
    alone = home.lead.does("go", home.record, {})
    done(lead.creates(path, {"name": "guardian", "value": "appointed"}))

    care, speaker = ("child_provided_for", "lead"), ("guardian", "lead")
    assert lacks(unasked) == lacks(against) == [care, speaker]
    assert lacks(alone) == [speaker]
    assert lacks(early) == [("interests_determined", "lead")]
    assert home.goes("go")["state"] == "cleared"


@pytest.mark.parametrize("who", ["lead", "home"])
def test_a_person_who_says_no_on_the_day_does_not_go(home: Homecoming, who: str) -> None:
    home.goes("accept-plan")
    no = home.lead.does("depart", home.record, {"reconfirmed_today": False})
    path = f"/returns/{home.record['id']}/call-off"

    answer = getattr(home, who).post(path, {"note": "Не хочет"})

    assert lacks(no) == [("reconfirmed", "lead")]
    assert answer.status_code == (200 if who == "lead" else 204)
    assert home.state == "called_off"
    assert home.lead.sees(home.referral)["reason"] == "SURVIVOR_DECLINED"
    late = home.lead.does("depart", home.record, {"reconfirmed_today": True})
    assert problem(late) == (409, "action-illegal")


@pytest.mark.parametrize("upto", BEFORE_DEPARTURE)
def test_a_consent_that_is_taken_back_ends_it_at_once(home: Homecoming, upto: str) -> None:
    home.goes(upto)
    home.home.hears()

    home.takes_back("RETURN")

    assert home.state == "ended"
    assert home.lead.sees(home.referral)["state"] == "withdrawn"
    assert kinds(home.home.hears()) == ["referral.withdrawn"]
    assert problem(home.home.get(f"/returns/{home.record['id']}")) == (404, "not-found")
    assert home.now()["available_actions"] == []
    assert home.now()["due_at"]  # The lead's deadline to decide on contact.


def test_another_consent_that_is_taken_back_ends_nothing(home: Homecoming) -> None:
    home.goes("plan")

    home.takes_back("REFER")

    assert home.state == "planning"


@pytest.mark.parametrize(
    "fear", [{"origin_contact": "blocked"}, {"fear_of_state": True}, {"seeks_asylum": True}]
)
@pytest.mark.parametrize("upto", ["inform", "go", "accept-plan", "arrive"])
def test_contact_with_the_origin_that_is_blocked_ends_it_without_a_word_why(
    home: Homecoming, upto: str, fear: Json
) -> None:
    home.goes(upto)
    home.home.hears()

    home.guards(**{"origin_contact": "permitted"} | fear)

    assert home.state == "ended"
    assert home.lead.sees(home.referral)["reason"] == "NO_LONGER_NEEDED"
    [heard] = home.home.hears()
    assert heard["type"] == "referral.withdrawn"
    assert heard["facts"]["reason"] == "NO_LONGER_NEEDED"


@pytest.mark.parametrize("upto", ["inform", "go", "accept-plan", "monitor"])
def test_a_case_that_is_stopped_ends_it(home: Homecoming, upto: str) -> None:
    home.goes(upto)

    done(home.lead.does("stop", home.case, {"reason": "SURVIVOR_REQUEST"}))

    assert home.state == "ended"


def test_who_is_on_the_way_when_it_ends_is_not_lost_from_sight(home: Homecoming) -> None:
    home.goes("depart")
    home.takes_back("RETURN")
    halted = home.now()
    [work] = [
        w for w in done(home.lead.get("/worklist"))["items"] if "returns/" in w["subject"]
    ]
    close = home.lead.does("close", home.case, closing())

    found = done(home.does("lead", "account-for", MET))

    assert (halted["state"], list(actions(halted))) == ("halted", ["account_for"])
    assert work["kind"] == "confirm_arrival"
    assert ("return_over", "holder") in lacks(close)
    assert found["state"] == "ended"


def test_an_assessment_of_31_days_does_not_carry_a_decision(home: Homecoming) -> None:
    home.goes("assess-destination")
    home.world.passes(days=31)
    done(home.does("home", "assess-origin", AT_HOME))
    refused = home.lead.does("go", home.record, {})
    done(home.does("lead", "assess-destination", SAFE))

    assert lacks(refused) == [("risks_current", "lead")]
    assert home.goes("go")["state"] == "cleared"


@pytest.mark.parametrize("upto", ["go", "issue-document", "plan", "accept-plan"])
def test_every_step_after_the_decision_is_judged_anew(home: Homecoming, upto: str) -> None:
    home.goes(upto)
    home.world.passes(days=20)
    late = travel_plan("2026-07-15T09:00:00+05:00")
    if upto in {"plan", "accept-plan"}:
        done(home.does("lead", "plan", late))
    if upto == "accept-plan":
        done(home.does("home", "accept-plan"))
    home.guards(origin_contact="undecided")
    home.world.passes(days=11)
    who, action, body = next(home.steps())

    refused = home.does(who, action, late if action == "plan" else body)

    whole = [("contact_permitted", "lead"), ("risks_current", "lead")]
    assert lacks(refused) == (whole if who == "lead" else [("still_cleared", "lead")])


def test_a_threat_found_after_the_decision_holds_the_person_back(home: Homecoming) -> None:
    home.goes("accept-plan")
    done(home.does("lead", "assess-destination", SAFE | {"level": "high"}))

    refused = home.lead.does("depart", home.record, {"reconfirmed_today": True})

    assert lacks(refused) == [("no_threat", "lead")]
    assert done(home.does("lead", "no-go", NO_GO))["state"] == "no_go"


def test_a_consent_to_much_is_no_consent_to_return(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin(world, officer, lead, consents=[to_return(purposes=["RETURN", "SHELTER"])])
    [apart] = [c for c in home.consents("RETURN") if c["purposes"] == ["RETURN"]]
    done(lead.post(f"/cases/{home.case['code']}/consents/{apart['id']}/withdraw"))

    assert home.state == "ended"


def test_the_referral_waits_for_the_checklist(home: Homecoming) -> None:
    early = home.home.does("start", home.referral, MET)
    home.goes("go")
    done(home.home.does("start", home.referral, MET))
    unfinished = home.home.does("complete", home.referral, REPORT)
    home.goes("arrive")
    arrived = home.home.does("complete", home.referral, REPORT)
    home.goes("monitor")

    assert lacks(early) == [("return_cleared", "sender")]
    assert lacks(unfinished) == lacks(arrived) == [("return_done", "recipient")]
    finished = done(home.home.does("complete", home.referral, REPORT))
    assert finished["state"] == "completed"
    assert home.state == "monitoring"


def test_a_referral_without_a_checklist_does_not_start(
    world: World, officer: Someone, lead: Someone
) -> None:
    at_home = world.someone(HOME)
    _, referral = accepted(officer, lead, at_home)

    refused = at_home.does("start", referral, MET)

    assert lacks(refused) == [("return_cleared", "sender")]
    assert problem(lead.get(f"/referrals/{referral['id']}/return")) == (404, "not-found")


@pytest.mark.parametrize(
    ("who", "act"), [("home", "decline"), ("lead", "revoke"), ("lead", "withdraw")]
)
def test_it_ends_with_its_referral_however_that_ends(
    home: Homecoming, who: str, act: str
) -> None:
    home.goes("go")
    reason = "NO_CAPACITY" if act == "decline" else "NO_LONGER_NEEDED"

    done(getattr(home, who).does(act, home.referral, {"reason": reason}))

    assert home.state == "ended"
    assert home.now()["due_at"]  # The lead's deadline to decide on contact.


def test_told_of_nothing_nobody_decides(home: Homecoming) -> None:
    for lack in TOLD:
        refused = home.lead.does("inform", home.record, TOLD | {lack: False})
        assert lacks(refused) == [("information", "lead")]
