"""Tests of the return of a child: guardian, escort, and changes of the age class."""

import pytest

from tests.support.returns import Homecoming, begin_return, make_return_consent
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_consent,
    make_travel_plan,
    unwrap,
)

GUARDIAN = ("guardian", "lead")
RECEIVED: Json = {"carer_receives": True, "guardian_at_arrival": True}


def record_fact(home: Homecoming, name: str, value: str) -> None:
    """Record a fact about the case as the lead."""
    path = f"/cases/{home.case['code']}/facts"
    unwrap(home.lead.create(path, {"name": name, "value": value}))


@pytest.fixture
def home(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Begin the return of a child who has a guardian; the next step is the decision GO."""
    by = {"given_by": "guardian_with_assent"}
    given = [make_consent(**by), make_return_consent(**by)]
    begun = begin_return(
        world, officer, lead, summary={"age_class": "child"}, consents=given
    )
    record_fact(begun, "best_interests", "determined")
    record_fact(begun, "guardian", "appointed")
    begun.advance("assess-origin")
    unwrap(begun.does("home", "receive-child", RECEIVED))
    unwrap(begun.does("lead", "determine-interests", {"interests": "in_favour"}))
    return begun


def test_guardian_needed_again_holds_every_step_up_to_departure(home: Homecoming) -> None:
    held = []
    for who, action, body in list(home.list_steps())[:5]:
        record_fact(home, "guardian", "needed")
        held.append((action, get_unmet(home.does(who, action, body))))
        record_fact(home, "guardian", "appointed")
        unwrap(home.does(who, action, body))

    assert held == [
        ("go", [GUARDIAN]),
        ("issue-document", [("still_cleared", "lead")]),
        ("plan", [GUARDIAN]),
        ("accept-plan", [("still_cleared", "lead")]),
        ("depart", [GUARDIAN]),
    ]
    assert home.state == "in_transit"


def test_decision_that_no_guardian_is_needed_lets_a_child_go(home: Homecoming) -> None:
    record_fact(home, "guardian", "not_needed")

    assert home.advance("go")["state"] == "cleared"


def test_plan_without_an_escort_is_refused_for_a_child(home: Homecoming) -> None:
    home.advance("issue-document")

    alone = home.does("lead", "plan", make_travel_plan(escort=None))

    assert get_unmet(alone) == [("escort", "lead")]
    assert home.state == "documented"
    assert home.advance("plan")["state"] == "planning"


def test_adult_goes_without_guardian_and_escort(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_return(world, officer, lead)
    home.advance("issue-document")
    unwrap(home.does("lead", "plan", make_travel_plan(escort=None)))

    assert home.advance("depart")["state"] == "in_transit"


def change_age_class(home: Homecoming, age_class: str) -> None:
    """Change the age class in the summary as the lead."""
    seen = {"If_Match": home.lead.get_tag(home.case)}
    body = {"age_class": age_class}
    unwrap(home.lead.ask("PATCH", get_path(home.case), body, headers=seen))


CLEARED = ["go", "issue-document", "plan", "accept-plan"]


@pytest.mark.parametrize("upto", CLEARED)
def test_go_for_a_child_does_not_serve_an_adult(home: Homecoming, upto: str) -> None:
    home.advance(upto)
    home.home.poll()

    change_age_class(home, "adult")

    assert home.state == "assessing"
    assert "return.reopened" in list_types(home.home.poll())
    interests = {"interests": "in_favour"}
    adult = home.does("lead", "determine-interests", interests)
    assert get_unmet(adult) == [("child", "lead")]
    unwrap(home.does("lead", "go", {}))
    assert home.state == "cleared"


@pytest.mark.parametrize("upto", CLEARED)
def test_go_for_an_adult_does_not_serve_a_child(
    world: World, officer: Someone, lead: Someone, upto: str
) -> None:
    home = begin_return(world, officer, lead)
    home.advance(upto)
    home.home.poll()

    change_age_class(home, "presumed_child")

    assert home.state == "assessing"
    assert "return.reopened" in list_types(home.home.poll())
    refused = get_unmet(home.lead.does("go", home.record, {}))
    assert {need for need, _ in refused} == {
        "return_consent",
        "child_provided_for",
        "guardian",
    }
    assert "determine_interests" in get_actions(home.read())


def test_question_to_a_second_person_does_not_outlive_the_age_class(
    home: Homecoming,
) -> None:
    approval = home.lead.does("go", home.record, {}).json()

    change_age_class(home, "adult")

    approved = home.supervisor.send(f"/approvals/{approval['id']}/approve")
    went = home.lead.does("go", home.record, {}, Approval=approval["id"])
    assert get_problem(went) == (409, "approval-unusable")
    assert not approved.is_success
    assert home.state == "assessing"


def test_child_that_was_presumed_one_goes_on(home: Homecoming) -> None:
    home.advance("go")

    change_age_class(home, "presumed_child")

    assert home.state == "cleared"


def test_change_of_age_after_departure_stops_nobody(home: Homecoming) -> None:
    home.advance("depart")

    change_age_class(home, "adult")

    assert home.state == "in_transit"
