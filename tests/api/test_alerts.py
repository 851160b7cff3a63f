"""Tests of the events that announce a requested approval and its result."""

import pytest

from tests.support.account_changes import (
    NEWCOMER,
    SUPERVISOR,
    add,
    approve,
    get_approval_id,
)
from tests.support.administrators import ADMINISTRATOR
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    list_types,
    make_closure,
    unwrap,
)


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def watcher(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO")


def test_about_an_account_its_office_hears_and_who_watches(
    admin: Someone, supervisor: Someone, lead: Someone, officer: Someone, watcher: Someone
) -> None:
    approval_id = get_approval_id(add(admin, "/accounts", NEWCOMER))
    unwrap(approve(supervisor, approval_id))

    events = [(e["type"], e["subject"], e["by"], e["facts"]) for e in lead.poll()]

    assert events == [
        (
            "approval.requested",
            f"approvals/{approval_id}",
            "DESK_CENTRAL_ASIA",
            {"action": "account.open"},
        ),
        (
            "approval.decided",
            f"approvals/{approval_id}",
            "KZ_LEAD",
            {"decision": "approved"},
        ),
    ]
    assert list_types(watcher.poll()) == ["approval.requested", "approval.decided"]
    assert officer.poll() == []


def test_about_a_case_its_holder_hears_and_nobody_else(
    officer: Someone, lead: Someone, supervisor: Someone, watcher: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    for one in (officer, lead, watcher):
        one.poll()
    approval_id = get_approval_id(lead.does("close", case, make_closure()))
    unwrap(supervisor.send(f"/approvals/{approval_id}/refuse"))

    first, last = lead.poll()

    about: Json = {"subject": f"cases/{case['code']}"}
    assert first["facts"] == about | {"action": "case.close"}
    assert last["facts"] == about | {"decision": "refused"}
    assert [list_types(one.poll()) for one in (officer, watcher)] == [[], []]


def test_one_that_nobody_answers_lapses_and_is_told_once(
    world: World, admin: Someone, supervisor: Someone, lead: Someone, watcher: Someone
) -> None:
    approval_id = get_approval_id(add(admin, "/accounts", NEWCOMER))
    world.wait(hours=71, minutes=59)
    before = list_types(watcher.poll())
    world.wait(minutes=1)
    world.wait(hours=24)

    late = approve(supervisor, approval_id)

    assert before == ["approval.requested"]
    assert list_types(watcher.poll()) == ["approval.expired"]
    assert list_types(lead.poll()) == ["approval.requested", "approval.expired"]
    assert get_problem(late) == (409, "approval-decided")
    assert unwrap(admin.get(f"/approvals/{approval_id}"))["decision"] == "expired"
    assert unwrap(supervisor.get("/approvals"))["items"] == []
    assert get_approval_id(add(admin, "/accounts", NEWCOMER)) != approval_id


def test_what_was_allowed_has_to_be_made_use_of_in_time(
    world: World, admin: Someone, supervisor: Someone
) -> None:
    approval_id = get_approval_id(add(admin, "/accounts", NEWCOMER))
    unwrap(approve(supervisor, approval_id))
    world.wait(hours=72)

    used = add(admin, "/accounts", NEWCOMER, approval_id)

    assert get_problem(used) == (409, "approval-unusable")


def test_the_same_answer_twice_is_told_once(
    world: World, admin: Someone, supervisor: Someone, watcher: Someone
) -> None:
    other = world.add_person("KZ_LEAD", SUPERVISOR)
    approval_id = get_approval_id(add(admin, "/accounts", NEWCOMER))

    twice = [approve(supervisor, approval_id).status_code for _ in "12"]
    by_another = approve(other, approval_id)

    assert twice == [200, 200]
    assert get_problem(by_another) == (409, "approval-decided")
    assert list_types(watcher.poll()) == ["approval.requested", "approval.decided"]
