"""Tests of the revocation of keys, approvals and roles (R14, R21)."""

import pytest

from app.access.credentials import get_prefix
from app.access.models import ApiKey
from app.kernel.actors import AccountKind, Role
from tests.support.account_changes import (
    FEED,
    NEWCOMER,
    SUPERVISOR,
    add,
    approve,
    get_account_path,
    get_approval_id,
    make_key_with,
    with_key,
)
from tests.support.administrators import ADMINISTRATOR
from tests.support.world import (
    EVERYTHING,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    make_acceptance,
    make_closure,
    make_consent,
    make_service_consent,
    unwrap,
)

ALL: Json = {"scopes": sorted(EVERYTHING)}
GHOST = NEWCOMER | {"label": "duty 8"}
USED_UP = (409, "approval-unusable")
DECIDED = (409, "approval-decided")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.take_lead(officer.submit())


@pytest.fixture
def asked(lead: Someone, case: Json) -> str:
    """Return the id of a pending approval to close a case."""
    return get_approval_id(lead.does("close", case, make_closure()))


def list_approvals(who: Someone) -> list[str]:
    return [one["id"] for one in unwrap(who.get("/approvals"))["items"]]


def revoke_key(who: Someone, key: Someone) -> None:
    """Revoke a key of an account."""
    unwrap(who.send(f"{get_account_path(key)}/keys/{get_prefix(key.key)}/revoke"))


def test_what_was_allowed_with_a_key_that_is_revoked_is_allowed_no_more(
    lead: Someone, supervisor: Someone, case: Json, asked: str
) -> None:
    unwrap(approve(supervisor, asked))

    revoke_key(supervisor, supervisor)

    spent = lead.does("close", case, make_closure(), approval=asked)
    assert get_problem(spent) == USED_UP
    assert lead.read(case)["state"] == "referring"


def test_who_allowed_it_sees_that_and_takes_it_back(
    lead: Someone, supervisor: Someone, case: Json, asked: str
) -> None:
    before = list_approvals(supervisor)
    unwrap(approve(supervisor, asked))
    allowed = list_approvals(supervisor)

    taken = unwrap(supervisor.send(f"/approvals/{asked}/refuse"))

    assert (before, allowed, list_approvals(supervisor)) == ([asked], [asked], [])
    assert taken["decision"] == "refused"
    assert get_problem(approve(supervisor, asked)) == DECIDED
    assert get_problem(lead.does("close", case, make_closure(), approval=asked)) == USED_UP
    events = [(e["type"], e["facts"]) for e in lead.poll() if "approval" in e["type"]]
    assert [facts.get("decision") for _, facts in events] == [None, "approved", "refused"]


def test_nobody_else_takes_it_back_nor_anybody_once_it_was_made_use_of(
    world: World, lead: Someone, supervisor: Someone, case: Json, asked: str
) -> None:
    other = world.add_person("KZ_LEAD", SUPERVISOR)
    unwrap(approve(supervisor, asked))
    by_another = other.send(f"/approvals/{asked}/refuse")
    unwrap(lead.does("close", case, make_closure(), approval=asked))

    by_itself = supervisor.send(f"/approvals/{asked}/refuse")

    assert get_problem(by_another) == get_problem(by_itself) == DECIDED
    assert (list_approvals(other), list_approvals(supervisor)) == ([], [])


def test_account_that_asks_is_named_to_those_that_may_decide(
    world: World, lead: Someone, supervisor: Someone, asked: str
) -> None:
    first, second = (world.add_person(of, ADMINISTRATOR) for of in ("IOM", "UZ_LEAD"))
    for who in (first, second):
        get_approval_id(add(who, f"{get_account_path(lead)}/keys", FEED))

    shown = unwrap(world.add_person("KZ_LEAD", SUPERVISOR).get("/approvals"))["items"]

    assert [one["asked_by"] for one in shown] == [
        {"focal_point": "KZ_LEAD", "account": "duty 1"},
        {"focal_point": "IOM", "account": "duty 1"},
        {"focal_point": "UZ_LEAD", "account": "duty 1"},
    ]
    assert shown[0]["id"] == asked
    assert unwrap(supervisor.get(f"/approvals/{shown[1]['id']}")) == shown[1]


def test_a_key_that_was_just_revoked_makes_no_second_person(world: World) -> None:
    corrupt, honest = (world.add_person(of, ADMINISTRATOR) for of in ("IOM", "UZ_LEAD"))
    third = world.add_person("KZ_LEAD", ADMINISTRATOR)
    key = make_key_with(corrupt, honest, f"{get_account_path(third)}/keys", ALL)
    as_third = with_key(third, key)
    mine = get_approval_id(add(corrupt, "/accounts", GHOST))
    theirs = get_approval_id(add(as_third, "/accounts", GHOST))
    revoke_key(corrupt, as_third)

    at_once = approve(third, mine), approve(corrupt, theirs)
    world.advance(minutes=6)

    assert {get_problem(answer) for answer in at_once} == {(409, "not-a-second-person")}
    assert unwrap(approve(third, mine))["decision"] == "approved"


def test_who_was_shown_the_key_of_a_colleague_does_not_review_what_it_permitted(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [make_consent(), make_service_consent(sections=["needs"])]
    case = lead.take_lead(officer.submit(consents=given))
    unwrap(
        shelter.does("accept", unwrap(lead.refer(case, shelter.code)), make_acceptance())
    )
    watches = {Role.PROTECTION_OFFICER, Role.SUPERVISOR}
    one, other, third = (world.add_person("OVERSIGHT_DEMO", watches) for _ in "123")
    admin = world.add_person("IOM", ADMINISTRATOR)
    key = make_key_with(
        admin, world.add_person("UZ_LEAD", ADMINISTRATOR), *build_key_request(other)
    )
    path = f"{get_path(case)}/emergency-access"
    reading = {"reason": "RISK_TO_LIFE", "note": "x", "purpose": "protection"}
    read = unwrap(shelter.create(path, reading | {"sections": ["contact"]}))
    unwrap(one.send(f"{path}/{read['id']}/grant"))
    unwrap(shelter.send(f"{path}/{read['id']}/stop"))
    review = f"{path}/{read['id']}/review"

    by_itself = one.send(review, {"justified": True})
    set_key_creator(world, one, with_key(other, key))
    as_colleague = with_key(other, key).send(review, {"justified": True})

    assert {get_problem(by_itself), get_problem(as_colleague)} == {
        (409, "not-a-second-person")
    }
    assert unwrap(third.send(review, {"justified": True}))["justified"] is True


def build_key_request(one: Someone) -> tuple[str, Json]:
    """Return the path and the body of a request to create a key for an account."""
    return f"{get_account_path(one)}/keys", ALL


def set_key_creator(world: World, who: Someone, key: Someone) -> None:
    """Record an account as the creator of a key."""
    with world.database.begin_write() as session:
        made = session.get_one(ApiKey, get_prefix(key.key))
        made.made_by = who.actor.account_id


@pytest.mark.parametrize("how", ["disable", "revoke-roles"])
def test_who_ends_an_account_is_told_who_is_left_to_work_on_cases(
    world: World, how: str
) -> None:
    admin = world.add_person("KZ_LEAD", ADMINISTRATOR)
    world.add_person("KZ_LEAD", kind=AccountKind.INTEGRATION)
    world.add_person("KZ_LEAD", SUPERVISOR)
    people = [world.add_person("KZ_LEAD"), world.add_person("KZ_LEAD", {Role.CASEWORKER})]
    watcher = world.add_person("OVERSIGHT_DEMO")
    roles = {"roles": ["officer", "caseworker", "coordinator"]}

    answers = [
        unwrap(
            admin.send(f"{get_account_path(one)}/{how}", roles if "roles" in how else None)
        )
        for one in people
    ]

    assert [one["accounts_left"] for one in answers] == [1, 0]
    assert [event["facts"]["accounts_left"] for event in watcher.poll()] == [1, 0]
