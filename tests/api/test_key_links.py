"""With a link, an account's holder makes an API key that others do not see (ADR 86)."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.access.models import Account, ApiKey
from app.access.office_staff import load_staff
from app.cli import operator_actions
from app.kernel.actors import Scope
from app.kernel.statements import lock_rows
from tests.support.account_changes import (
    FEED,
    NEWCOMER,
    add,
    add_with,
    approve,
    get_account_path,
    get_approval_id,
    make_key_with,
    redeem,
    with_key,
)
from tests.support.administrators import ADMINISTRATOR
from tests.support.database_attacks import Attacker
from tests.support.world import Json, Someone, World, get_problem, unwrap

REFUSED: Final = (401, "unauthenticated")


@pytest.fixture
def admins(world: World) -> tuple[Someone, Someone]:
    """Return two administrators of different offices."""
    first, second = (world.add_person(of, ADMINISTRATOR) for of in ("IOM", "UZ_LEAD"))
    return first, second


@pytest.fixture
def made(admins: tuple[Someone, Someone], lead: Someone) -> Json:
    """Return a new API key of the lead. The link of the key has not been used."""
    return add_with(*admins, f"{get_account_path(lead)}/keys", FEED)


def list_keys(admin: Someone, of: Someone) -> list[Json]:
    """Return the keys of an account."""
    return list(unwrap(admin.get(f"{get_account_path(of)}/keys"))["items"])


def test_holder_makes_the_key_that_nobody_else_sees(
    world: World, admins: tuple[Someone, Someone], lead: Someone, made: Json
) -> None:
    assert made["link_expires_at"] == "2026-06-02T12:00:00Z"
    assert "key" not in made

    redeemed = unwrap(redeem(world, made["link"]))

    assert redeemed["key"].startswith(f"sc_{made['prefix']}_")
    assert redeemed["key"].split("_", 2)[2] != made["link"].split("_", 2)[2]
    assert with_key(lead, redeemed["key"]).get("/events").status_code == 200
    shown = {name: value for name, value in redeemed.items() if name != "key"}
    assert shown in list_keys(admins[0], lead)
    assert shown == {name: made[name] for name in shown} | {"link_expires_at": None}
    assert shown["shown_to"] == str(admins[0].actor.account_id)
    [event] = [one for one in lead.poll() if one["type"] == "account.key_redeemed"]
    assert event["facts"] == {"prefix": made["prefix"]}


def test_link_is_no_key(world: World, lead: Someone, made: Json) -> None:
    link = made["link"]
    for text in (link, link.replace("sck_", "sc_"), link.replace("sck_", "scs_")):
        assert with_key(lead, text).get("/me").status_code == 401
    assert unwrap(redeem(world, link))["key"]


def test_link_can_be_used_once(world: World, lead: Someone, made: Json) -> None:
    first = unwrap(redeem(world, made["link"]))

    assert get_problem(redeem(world, made["link"])) == REFUSED
    assert with_key(lead, first["key"]).get("/events").status_code == 200


def test_link_ends_after_a_day_and_the_key_does_not(
    world: World, admins: tuple[Someone, Someone], lead: Someone, made: Json
) -> None:
    key = make_key_with(*admins, f"{get_account_path(lead)}/keys", FEED)
    world.advance(hours=24)

    assert get_problem(redeem(world, made["link"])) == REFUSED
    assert with_key(lead, key).get("/events").status_code == 200


def test_link_is_revoked_like_a_key(
    world: World, admins: tuple[Someone, Someone], lead: Someone, made: Json
) -> None:
    unwrap(admins[0].send(f"{get_account_path(lead)}/keys/{made['prefix']}/revoke"))

    assert get_problem(redeem(world, made["link"])) == REFUSED


def test_link_ends_with_its_account(
    world: World, admins: tuple[Someone, Someone], lead: Someone, made: Json
) -> None:
    unwrap(admins[0].send(f"{get_account_path(lead)}/disable"))

    assert get_problem(redeem(world, made["link"])) == REFUSED


@pytest.mark.parametrize(
    "link", [f"sck_0123456789_{'x' * 43}", f"sck_ffffffffff_{'-' * 43}"]
)
def test_unknown_link_is_refused_like_a_used_one(
    world: World, made: Json, link: str
) -> None:
    unwrap(redeem(world, made["link"]))
    unknown, used = redeem(world, link).json(), redeem(world, made["link"]).json()

    assert unknown | {"instance": ""} == used | {"instance": ""}


@pytest.mark.parametrize("link", ["", "sck_", "sc_0123456789_" + "x" * 43, 7, None])
def test_malformed_link_is_a_problem_of_the_request(world: World, link: object) -> None:
    assert get_problem(redeem(world, link)) == (422, "request-invalid")


def test_wrong_links_are_limited(world: World) -> None:
    answers = [redeem(world, f"sck_0123456789_{'x' * 43}") for _ in range(40)]

    assert {one.status_code for one in answers} == {401, 429}
    assert get_problem(answers[-1])[0] == 429


def test_two_requests_with_one_link_make_one_key(
    world: World, pg_url: str, lead: Someone, made: Json
) -> None:
    assert pg_url

    def use(_: int) -> Response:
        return redeem(world, made["link"])

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(use, range(4)))

    [first] = [one for one in answers if one.status_code == 201]
    assert {one.status_code for one in answers if one is not first} == {401}
    assert with_key(lead, unwrap(first)["key"]).get("/events").status_code == 200


def test_link_with_a_changed_row_makes_no_key(world: World, made: Json) -> None:
    """A link is refused if its expiry or its scopes were changed in the database."""
    attacker = Attacker(world)
    stored = attacker.read(ApiKey, made["prefix"])
    for changed in (
        {"link_until": stored["link_until"] + timedelta(days=9)},
        {"scopes": ["accounts:write"]},
        {"link_until": None},
    ):
        attacker.update(ApiKey, made["prefix"], **changed)
        assert get_problem(redeem(world, made["link"])) == REFUSED, changed
        attacker.update(ApiKey, made["prefix"], **stored)
    assert unwrap(redeem(world, made["link"]))["key"]


def test_link_that_was_used_cannot_be_restored(
    world: World, lead: Someone, made: Json
) -> None:
    attacker = Attacker(world)
    stored = attacker.read(ApiKey, made["prefix"])
    key = unwrap(redeem(world, made["link"]))["key"]
    attacker.update(ApiKey, made["prefix"], **stored)

    assert get_problem(redeem(world, made["link"])) == REFUSED
    assert with_key(lead, key).get("/events").status_code == 401


def test_wrong_link_waits_for_no_lock(
    world: World, pg_url: str, lead: Someone, made: Json
) -> None:
    """A wrong link is refused without a wait for a lock, like an unknown link."""
    assert pg_url
    wrong = f"sck_{made['prefix']}_{'x' * 43}"
    with world.database.begin_write() as session:
        own = select(Account.id).where(Account.id == lead.actor.account_id)
        session.execute(lock_rows(own))
        assert get_problem(redeem(world, wrong)) == REFUSED


def test_link_that_nobody_used_makes_no_second_person(
    world: World, admins: tuple[Someone, Someone]
) -> None:
    """The holder cannot approve for the person who got the link while the link is valid."""
    maker, other = admins
    holder = world.add_person("KZ_LEAD", ADMINISTRATOR)
    add_with(maker, other, f"{get_account_path(holder)}/keys", FEED)
    asked = get_approval_id(add(maker, "/accounts", NEWCOMER))

    assert get_problem(approve(holder, asked)) == (409, "not-a-second-person")
    world.advance(hours=25)
    assert approve(holder, asked).status_code == 200


def test_account_with_an_unused_link_only_cannot_work(
    world: World, admins: tuple[Someone, Someone], lead: Someone
) -> None:
    [key] = list_keys(admins[0], lead)
    path = f"{get_account_path(lead)}/keys/{key['prefix']}"
    made = add_with(*admins, f"{get_account_path(lead)}/keys", FEED)
    unwrap(admins[0].send(f"{path}/revoke", idempotency_key="revoke"))
    office = lead.actor.focal_point_id

    with world.database.begin_read() as session:
        assert office not in load_staff(session, world.now)
    unwrap(redeem(world, made["link"]))
    with world.database.begin_read() as session:
        assert len(load_staff(session, world.now)[office]) == 1


def test_key_is_replaced_by_a_link(
    world: World, admins: tuple[Someone, Someone], lead: Someone
) -> None:
    [old] = list_keys(admins[0], lead)
    path = f"{get_account_path(lead)}/keys/{old['prefix']}/rotate"

    key = make_key_with(*admins, path, {"days": 30, "overlap_hours": 1})
    world.advance(hours=2)

    assert lead.get("/me").status_code == 401
    assert with_key(lead, key).get("/me").status_code == 200


def test_operator_makes_a_link(world: World, lead: Someone) -> None:
    account = lead.actor.account_id
    link = operator_actions.create_key(
        world.runtime, account, [Scope.FEED_READ], 30, by_link=True
    )

    assert with_key(lead, unwrap(redeem(world, link))["key"]).get("/events").is_success


def test_link_of_a_key_is_shown_once_and_never_to_a_retry(
    admins: tuple[Someone, Someone], lead: Someone
) -> None:
    admin, second = admins
    path = f"{get_account_path(lead)}/keys"
    approval_id = get_approval_id(add(admin, path, FEED))
    unwrap(approve(second, approval_id))

    first, again = (
        admin.send(path, FEED, approval=approval_id, idempotency_key="k1") for _ in "12"
    )

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    link = unwrap(first)["link"]
    assert link.startswith(f"sck_{unwrap(first)['prefix']}_")
    assert unwrap(again) == unwrap(first) | {"link": None}
    listed = unwrap(admin.get(path))["items"]
    assert {k: v for k, v in unwrap(first).items() if k != "link"} in listed
    assert link.split("_", 2)[2] not in json.dumps(listed)
