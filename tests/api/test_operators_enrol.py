"""An operator enrols the first two people of an office on the command line."""

from uuid import UUID

import pytest

from app.cli import operator_actions
from app.cli.enrolment_command import create_enrolment, format_link
from app.cli.startup import NotReady
from app.kernel.actors import AccountKind, Role
from app.settings import Settings
from tests.support.passkeys import Office, create_operator_enrolment, sign_in, take_session
from tests.support.world import World, unwrap


def test_operator_enrols_two_people_who_enrol_a_third(world: World) -> None:
    office = Office(world)
    for who in (office.first, office.second):
        _, opened = create_operator_enrolment(world, who).redeem()
        who.key = take_session(who, opened).key
        assert who.key.startswith("scs_")

    made, session = office.enrol()

    unwrap(session.create_case())
    unwrap(sign_in(world, made))
    items = unwrap(office.first.get("/enrolments"))["items"]
    assert [one["created_by"] for one in items].count(None) == 2
    assert {one["state"] for one in items} == {"redeemed"}


def test_operator_recovers_a_person_who_lost_all_passkeys(world: World) -> None:
    office = Office(world)
    old, session = office.enrol()
    new, _ = create_operator_enrolment(world, office.newcomer, recovery=True).redeem()

    assert session.get("/me").status_code == 401
    assert sign_in(world, old).status_code == 401
    unwrap(sign_in(world, new))


def test_operator_gets_the_address_of_the_console_if_it_is_served() -> None:
    url = "https://refer.example.org"

    assert format_link(Settings(public_url=url), "sce_1") == "sce_1"
    shown = format_link(Settings(public_url=url, console=True), "sce_1")
    assert shown == "https://refer.example.org/console/enrol#sce_1"


def test_operator_is_told_why_an_account_cannot_be_enrolled(world: World) -> None:
    office = Office(world)
    machine = world.add_person("KZ_LEAD", kind=AccountKind.INTEGRATION)
    gone = world.add_person("KZ_LEAD", {Role.OFFICER})
    operator_actions.disable_account(world.runtime, gone.actor.account_id)
    for account, recovery, why in (
        (UUID(int=1), False, "no account with this id"),
        (gone.actor.account_id, False, "The account is disabled"),
        (machine.actor.account_id, False, "account of a person"),
        (office.first.actor.account_id, True, "must be a recovery"),
    ):
        with pytest.raises(NotReady, match=why):
            create_enrolment(world.runtime, account, recovery=recovery)
