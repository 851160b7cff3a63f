"""Tests of the accounts that an operator manages and lists on the command line."""

from functools import partial
from uuid import UUID

import pytest

from app.access.actions import RolesIncompatible
from app.cli import operator_actions
from app.cli.startup import NotReady
from app.kernel.actors import Role, Scope
from tests.support.administrators import ADMINISTRATOR
from tests.support.world import WORKERS, Someone, World, unwrap


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


def test_an_operator_sees_what_an_administrator_sees(world: World, admin: Someone) -> None:
    world.add_person("KZ_LEAD", WORKERS)
    shown = unwrap(admin.get("/accounts", focal_point="KZ_LEAD"))["items"]

    mine = operator_actions.list_accounts(world.runtime, "KZ_LEAD")
    everybody = operator_actions.list_accounts(world.runtime, None)

    assert [one.account.model_dump(mode="json") for one in mine] == shown
    for one in mine:
        keys = unwrap(admin.get(f"/accounts/{one.account.id}/keys"))["items"]
        assert [key.model_dump(mode="json") for key in one.keys] == keys
    assert [one.account.focal_point for one in everybody] == [
        "DESK_CENTRAL_ASIA",
        "KZ_LEAD",
    ]


def test_before_anybody_has_an_account_the_list_is_empty(world: World) -> None:
    assert operator_actions.list_accounts(world.runtime, None) == []


def test_an_operator_does_not_open_the_same_account_twice(world: World) -> None:
    opens = partial(operator_actions.create_account, world.runtime, "KZ_LEAD", "duty 9")
    first = opens({Role.OFFICER})

    with pytest.raises(NotReady, match="KZ_LEAD already has an account with this label"):
        opens({Role.CASEWORKER})
    operator_actions.disable_account(world.runtime, first)
    after = opens({Role.CASEWORKER})

    mine = operator_actions.list_accounts(world.runtime, "KZ_LEAD")
    assert {one.account.id for one in mine} == {first, after}


def test_what_an_operator_names_wrongly_is_said_plainly(world: World) -> None:
    for asks in (
        lambda: operator_actions.disable_account(world.runtime, UUID(int=1)),
        lambda: operator_actions.create_key(
            world.runtime, UUID(int=1), [Scope.FEED_READ], 1
        ),
    ):
        with pytest.raises(NotReady, match="There is no account with this id"):
            asks()
    with pytest.raises(NotReady, match="There is no key with this prefix"):
        operator_actions.revoke_key(world.runtime, "abc")


def test_an_account_that_has_ended_is_given_no_key(world: World) -> None:
    opened = operator_actions.create_account(
        world.runtime, "KZ_LEAD", "duty 9", {Role.OFFICER}
    )
    kept = operator_actions.create_account(
        world.runtime, "KZ_LEAD", "duty 8", {Role.OFFICER}
    )

    left = operator_actions.disable_account(world.runtime, opened)

    assert left == ("KZ_LEAD", 1)
    with pytest.raises(NotReady, match="This account is disabled"):
        operator_actions.create_key(world.runtime, opened, [Scope.FEED_READ], 1)
    assert operator_actions.create_key(world.runtime, kept, [Scope.FEED_READ], 1)


@pytest.mark.parametrize("label", ["", "duty\n9", "duty \x1b[2J9", "9" * 201])
def test_an_operator_gives_no_label_that_could_not_be_given_over_http(
    world: World, label: str
) -> None:
    with pytest.raises(NotReady, match="LABEL must be one line"):
        operator_actions.create_account(world.runtime, "KZ_LEAD", label, {Role.OFFICER})


def test_an_operator_gives_no_role_that_the_office_cannot_have(world: World) -> None:
    for roles in ({Role.PROTECTION_OFFICER}, {Role.ADMINISTRATOR, Role.OFFICER}):
        with pytest.raises(RolesIncompatible):
            operator_actions.create_account(world.runtime, "KZ_LEAD", "duty 9", roles)
    assert operator_actions.list_accounts(world.runtime, "KZ_LEAD") == []
