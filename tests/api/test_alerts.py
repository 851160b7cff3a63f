"""Approvals: who hears that one was asked for, and how it ended."""

import pytest

from tests.support.account_changes import NEWCOMER, SUPERVISOR, allows, gives, question
from tests.support.administrators import ADMINISTRATOR
from tests.support.world import Json, Someone, World, closing, done, kinds, problem


@pytest.fixture
def admin(world: World) -> Someone:
    return world.someone("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def watcher(world: World) -> Someone:
    return world.someone("OVERSIGHT_DEMO")


def test_about_an_account_its_office_hears_and_who_watches(
    admin: Someone, supervisor: Someone, lead: Someone, officer: Someone, watcher: Someone
) -> None:
    asked = question(gives(admin, "/accounts", NEWCOMER))
    done(allows(supervisor, asked))

    told = [(e["type"], e["subject"], e["by"], e["facts"]) for e in lead.hears()]

    assert told == [
        (
            "approval.asked",
            f"approvals/{asked}",
            "DESK_CENTRAL_ASIA",
            {"action": "account.open"},
        ),
        ("approval.decided", f"approvals/{asked}", "KZ_LEAD", {"decision": "approved"}),
    ]
    assert kinds(watcher.hears()) == ["approval.asked", "approval.decided"]
    assert officer.hears() == []


def test_about_a_case_its_holder_hears_and_nobody_else(
    officer: Someone, lead: Someone, supervisor: Someone, watcher: Someone
) -> None:
    case = lead.leads(officer.submits())
    for one in (officer, lead, watcher):
        one.hears()
    asked = question(lead.does("close", case, closing()))
    done(supervisor.post(f"/approvals/{asked}/refuse"))

    first, last = lead.hears()

    about: Json = {"subject": f"cases/{case['code']}"}
    assert first["facts"] == about | {"action": "case.close"}
    assert last["facts"] == about | {"decision": "refused"}
    assert [kinds(one.hears()) for one in (officer, watcher)] == [[], []]


def test_one_that_nobody_answers_lapses_and_is_told_once(
    world: World, admin: Someone, supervisor: Someone, lead: Someone, watcher: Someone
) -> None:
    asked = question(gives(admin, "/accounts", NEWCOMER))
    world.waits_for(hours=71, minutes=59)
    before = kinds(watcher.hears())
    world.waits_for(minutes=1)
    world.waits_for(hours=24)

    late = allows(supervisor, asked)

    assert before == ["approval.asked"]
    assert kinds(watcher.hears()) == ["approval.lapsed"]
    assert kinds(lead.hears()) == ["approval.asked", "approval.lapsed"]
    assert problem(late) == (409, "approval-decided")
    assert done(admin.get(f"/approvals/{asked}"))["decision"] == "lapsed"
    assert done(supervisor.get("/approvals"))["items"] == []
    assert question(gives(admin, "/accounts", NEWCOMER)) != asked


def test_what_was_allowed_has_to_be_made_use_of_in_time(
    world: World, admin: Someone, supervisor: Someone
) -> None:
    asked = question(gives(admin, "/accounts", NEWCOMER))
    done(allows(supervisor, asked))
    world.waits_for(hours=72)

    used = gives(admin, "/accounts", NEWCOMER, asked)

    assert problem(used) == (409, "approval-unusable")


def test_the_same_answer_twice_is_told_once(
    world: World, admin: Someone, supervisor: Someone, watcher: Someone
) -> None:
    other = world.someone("KZ_LEAD", SUPERVISOR)
    asked = question(gives(admin, "/accounts", NEWCOMER))

    twice = [allows(supervisor, asked).status_code for _ in "12"]
    by_another = allows(other, asked)

    assert twice == [200, 200]
    assert problem(by_another) == (409, "approval-decided")
    assert kinds(watcher.hears()) == ["approval.asked", "approval.decided"]
