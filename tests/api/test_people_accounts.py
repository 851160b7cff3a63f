"""Accounts of one person: who opens them, and which roles exclude each other."""

from uuid import uuid4

from app.kernel.actors import Role
from tests.support.account_changes import (
    SUPERVISOR,
    add,
    add_with,
    approve,
    get_account_path,
    get_approval_id,
)
from tests.support.administrators import ADMINISTRATOR
from tests.support.sessions import add_account_of
from tests.support.world import Json, Someone, World, get_problem, unwrap


def open_for(one: Someone, **changes: object) -> Json:
    """Return the body that opens another account for a person."""
    body: Json = {
        "focal_point": one.code,
        "label": "duty 9",
        "roles": ["caseworker"],
        "person": str(one.actor.person_id),
    }
    return body | changes


def list_people(who: Someone) -> dict[str, str]:
    """Return the person of each account of the caller's office, by label."""
    items = unwrap(who.get("/accounts"))["items"]
    return {one["label"]: one["person"] for one in items}


def test_two_people_open_a_second_account_of_a_person(
    world: World, supervisor: Someone, lead: Someone
) -> None:
    second = world.add_person("KZ_LEAD", SUPERVISOR)
    opened = add_with(supervisor, second, "/accounts", open_for(lead))

    assert opened["person"] == str(lead.actor.person_id) != opened["id"]
    assert unwrap(supervisor.get(get_account_path(lead)))["person"] == opened["person"]


def test_new_account_without_a_person_gets_one_of_its_own(
    world: World, supervisor: Someone, lead: Someone
) -> None:
    second = world.add_person("KZ_LEAD", SUPERVISOR)
    body = {name: value for name, value in open_for(lead).items() if name != "person"}
    opened = add_with(supervisor, second, "/accounts", body)

    assert opened["person"] == opened["id"]


def test_person_cannot_open_or_approve_an_account_of_their_own(
    world: World, supervisor: Someone
) -> None:
    own = open_for(supervisor)
    assert get_problem(add(supervisor, "/accounts", own)) == (409, "about-yourself")
    second = world.add_person("KZ_LEAD", SUPERVISOR)
    asked = get_approval_id(add(second, "/accounts", own))
    same = add_account_of(supervisor, "KZ_LEAD", SUPERVISOR)
    for one in (supervisor, same):
        assert get_problem(approve(one, asked)) == (409, "not-a-second-person")


def test_approval_for_one_person_does_not_open_an_account_for_another(
    world: World, supervisor: Someone, lead: Someone
) -> None:
    second, other = world.add_person("KZ_LEAD", SUPERVISOR), world.add_person("KZ_LEAD")
    asked = get_approval_id(add(supervisor, "/accounts", open_for(lead)))
    unwrap(approve(second, asked))
    swapped = add(supervisor, "/accounts", open_for(other), asked)

    assert get_problem(swapped) == (409, "approval-unusable")


def test_supervisor_cannot_name_a_person_of_another_office(
    world: World, supervisor: Someone, officer: Someone
) -> None:
    machine = str(uuid4())
    named = [str(officer.actor.person_id), machine]
    answers = [
        add(supervisor, "/accounts", open_for(supervisor, person=one)) for one in named
    ]

    assert {get_problem(one) for one in answers} == {(422, "person-unknown")}
    assert len({one.json()["detail"] for one in answers}) == 1
    admin = world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)
    assert add(admin, "/accounts", open_for(officer)).status_code == 202


def test_machine_belongs_to_no_person(supervisor: Someone, lead: Someone) -> None:
    refused = add(supervisor, "/accounts", open_for(lead, kind="integration"))

    assert get_problem(refused) == (409, "roles-incompatible")


def test_administrator_has_no_other_role_in_another_account(world: World) -> None:
    asker, admin = (world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR) for _ in range(2))
    worker = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    as_worker = open_for(admin, roles=["protection_officer"])
    as_admin = open_for(worker, roles=["administrator"])
    for body in (as_worker, as_admin):
        refused = add(asker, "/accounts", body)
        assert get_problem(refused) == (409, "roles-incompatible")


def test_role_that_another_account_excludes_is_not_granted(world: World) -> None:
    asker, admin = (world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR) for _ in range(2))
    same = add_account_of(admin, "OVERSIGHT_DEMO", ())
    grant = f"{get_account_path(same)}/grant-roles"
    refused = add(asker, grant, {"roles": ["caseworker"]})

    assert get_problem(refused) == (409, "roles-incompatible")
    assert add(asker, grant, {"roles": ["administrator"]}).status_code == 202


def test_role_of_a_disabled_account_excludes_nothing(world: World) -> None:
    asker, admin = (world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR) for _ in range(2))
    add_account_of(admin, "OVERSIGHT_DEMO", ())
    unwrap(asker.send(f"{get_account_path(admin)}/disable", idempotency_key="d"))
    body = open_for(admin, roles=["caseworker"])

    assert add(asker, "/accounts", body).status_code == 202


def test_person_whose_accounts_are_disabled_cannot_be_named(world: World) -> None:
    asker, left = (
        world.add_person("KZ_LEAD", {Role.SUPERVISOR}),
        world.add_person("KZ_LEAD"),
    )
    unwrap(asker.send(f"{get_account_path(left)}/disable", idempotency_key="d"))
    refused = add(asker, "/accounts", open_for(left, roles=["caseworker"]))

    assert get_problem(refused) == (422, "person-unknown")
