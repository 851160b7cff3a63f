"""Rules that need two people compare persons: a second account is not a second person."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.access.models import Account
from app.access.office_staff import find_without_second_person, load_staff
from app.cli.staffing import OFFICE_TASKS
from app.kernel.actors import Role
from tests.support.account_changes import (
    FEED,
    SUPERVISOR,
    add,
    approve,
    get_account_path,
    get_approval_id,
)
from tests.support.sessions import add_account_of, add_second_account, sign_in
from tests.support.world import (
    WORKERS,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    make_closure,
    unwrap,
)

READING: Json = {
    "reason": "RISK_TO_LIFE",
    "note": "She does not answer since noon",
    "sections": ["contact"],
    "purpose": "protection",
}
NOT_SECOND = (409, "not-a-second-person")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.take_lead(officer.submit())


@pytest.fixture
def watcher(world: World) -> Someone:
    """Return a protection officer of the oversight office."""
    return world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


def request_access(who: Someone, case: Json) -> Json:
    return unwrap(who.create(f"{get_path(case)}/emergency-access", READING))


def access_path(case: Json, access: Json, act: str) -> str:
    return f"{get_path(case)}/emergency-access/{access['id']}/{act}"


def test_second_account_of_the_asker_cannot_approve(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    same = add_account_of(lead, "KZ_LEAD", SUPERVISOR)
    asked = get_approval_id(lead.does("close", case, make_closure()))
    for one in (same, sign_in(same)):
        assert get_problem(approve(one, asked)) == NOT_SECOND
        assert get_problem(one.send(f"/approvals/{asked}/confirm")) == NOT_SECOND
        assert get_problem(one.send(f"/approvals/{asked}/refuse")) == NOT_SECOND

    assert approve(sign_in(supervisor), asked).status_code == 200


def test_request_is_not_shown_to_the_second_account_of_the_asker(
    lead: Someone, case: Json
) -> None:
    same = add_account_of(lead, "KZ_LEAD", SUPERVISOR)
    asked = get_approval_id(lead.does("close", case, make_closure()))
    shown = unwrap(same.get(f"/approvals/{asked}"))

    assert (shown["request"], shown["may_confirm"]) == (None, False)


def test_approval_is_unusable_once_both_accounts_belong_to_one_person(
    world: World, lead: Someone, case: Json
) -> None:
    second = world.add_person("KZ_LEAD", SUPERVISOR)
    asked = get_approval_id(lead.does("close", case, make_closure()))
    unwrap(approve(second, asked))
    join(world, lead, second)
    refused = lead.does("close", case, make_closure(), approval=asked)

    assert get_problem(refused) == (409, "approval-unusable")


def join(world: World, one: Someone, other: Someone) -> None:
    """Give both accounts to one person."""
    with world.database.begin_write() as session:
        row = session.get_one(Account, other.actor.account_id)
        row.person_id = one.actor.person_id


def test_nobody_gives_a_second_account_of_their_own_a_right(
    world: World, supervisor: Someone
) -> None:
    same = add_account_of(supervisor, "KZ_LEAD", WORKERS)
    path = get_account_path(same)
    by_asker = add(supervisor, f"{path}/keys", FEED)
    assert get_problem(by_asker) == (409, "about-yourself")
    role = add(supervisor, f"{path}/grant-roles", {"roles": ["supervisor"]})
    assert get_problem(role) == (409, "about-yourself")
    asked = get_approval_id(
        add(world.add_person("KZ_LEAD", SUPERVISOR), f"{path}/keys", FEED)
    )

    assert get_problem(approve(supervisor, asked)) == NOT_SECOND


def test_key_shown_to_another_account_of_the_person_counts(
    world: World, supervisor: Someone, lead: Someone, case: Json
) -> None:
    """A person who got the link of the asker's key with another account cannot approve."""
    maker = add_second_account(supervisor)
    keys = f"{get_account_path(lead)}/keys"
    asked = get_approval_id(add(maker, keys, FEED))
    unwrap(approve(world.add_person("KZ_LEAD", SUPERVISOR), asked))
    unwrap(add(maker, keys, FEED, asked))
    closing = get_approval_id(lead.does("close", case, make_closure()))

    assert get_problem(approve(supervisor, closing)) == NOT_SECOND


def test_emergency_access_is_not_granted_by_the_person_who_asked(
    lead: Someone, watcher: Someone, case: Json
) -> None:
    same = add_account_of(lead, "OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    access = request_access(lead, case)

    assert get_problem(same.send(access_path(case, access, "grant"))) == NOT_SECOND
    assert watcher.send(access_path(case, access, "grant")).status_code == 200


def test_emergency_access_is_not_reviewed_by_somebody_who_took_part(
    world: World, lead: Someone, watcher: Someone, case: Json
) -> None:
    asker = add_account_of(lead, "OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    granter = add_second_account(watcher)
    access = request_access(lead, case)
    unwrap(watcher.send(access_path(case, access, "grant")))
    unwrap(lead.send(access_path(case, access, "stop")))
    path, found = access_path(case, access, "review"), {"justified": True}
    for one in (asker, granter, watcher):
        assert get_problem(one.send(path, found)) == NOT_SECOND
    other = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})

    assert unwrap(other.send(path, found))["justified"] is True


def test_second_account_cannot_ask_while_an_emergency_request_is_open(
    lead: Someone, case: Json
) -> None:
    same = add_second_account(lead)
    request_access(lead, case)
    again = same.create(f"{get_path(case)}/emergency-access", READING)

    assert get_problem(again) == (409, "emergency-access-pending")


def test_second_account_cannot_ask_while_a_review_is_late(
    world: World, lead: Someone, watcher: Someone, case: Json
) -> None:
    same = add_second_account(lead)
    access = request_access(lead, case)
    unwrap(watcher.send(access_path(case, access, "grant")))
    world.wait(hours=73)
    again = same.create(f"{get_path(case)}/emergency-access", READING)

    assert get_problem(again) == (409, "emergency-access-unreviewed")


@pytest.fixture
def capped(world: World) -> Iterator[World]:
    """Yield the world, in which a person may open two cases a day."""
    before = world.runtime
    world.runtime = world.app.state.runtime = replace(before, daily_cap=2)
    yield world
    world.app.state.runtime = before


def test_accounts_of_a_person_share_the_daily_cap(
    capped: World, officer: Someone, lead: Someone
) -> None:
    same, colleague = add_second_account(lead), capped.add_person("KZ_LEAD")
    paths = [f"{get_path(lead.take_lead(officer.submit()))}/contacts" for _ in range(3)]
    assert lead.open(paths[0]).status_code == 200
    assert same.open(paths[1]).status_code == 200
    for one in (lead, same):
        assert get_problem(one.open(paths[2])) == (429, "daily-cap-reached")
        assert one.open(paths[0]).status_code == 200

    assert colleague.open(paths[2]).status_code == 200


def test_people_and_not_accounts_are_counted(world: World, supervisor: Someone) -> None:
    one = world.add_person("KZ_LEAD")
    add_second_account(one)
    other = world.add_person("KZ_LEAD")
    disabled = supervisor.send(f"{get_account_path(other)}/disable", idempotency_key="d")

    assert unwrap(disabled)["accounts_left"] == 1


def test_office_whose_accounts_belong_to_one_person_has_no_second_person(
    world: World,
) -> None:
    one = world.add_person("KZ_LEAD", {Role.COORDINATOR})
    add_account_of(one, "KZ_LEAD", SUPERVISOR)
    with world.database.begin_read() as session:
        assert one.id in find_without_second_person(session)
        staff = load_staff(session, world.now)[one.id]
    [closing] = [it for it in OFFICE_TASKS if it.task == "take the lead, and close a case"]
    assert closing.needs_second_person(staff)
    world.add_person("KZ_LEAD", SUPERVISOR)
    with world.database.begin_read() as session:
        assert one.id not in find_without_second_person(session)
        staff = load_staff(session, world.now)[one.id]
    assert not closing.needs_second_person(staff)
