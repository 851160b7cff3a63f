"""Tests of the revocation of keys, approvals and roles (R14, R21)."""

import pytest

from app.access.credentials import prefix_of
from app.access.models import ApiKey
from app.kernel.actors import AccountKind, Role
from tests.support.account_changes import (
    FEED,
    NEWCOMER,
    SUPERVISOR,
    account_of,
    allows,
    gives,
    question,
    together,
    with_key,
)
from tests.support.administrators import ADMINISTRATOR
from tests.support.world import (
    EVERYTHING,
    Json,
    Someone,
    World,
    closing,
    consent,
    done,
    for_services,
    path_of,
    problem,
    promise,
)

ALL: Json = {"scopes": sorted(EVERYTHING)}
GHOST = NEWCOMER | {"label": "duty 8"}
USED_UP = (409, "approval-unusable")
DECIDED = (409, "approval-decided")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.leads(officer.submits())


@pytest.fixture
def asked(lead: Someone, case: Json) -> str:
    """A pending approval to close a case."""
    return question(lead.does("close", case, closing()))


def list_approvals(who: Someone) -> list[str]:
    return [one["id"] for one in done(who.get("/approvals"))["items"]]


def revoke_key(who: Someone, key: Someone) -> None:
    """Revoke a key of an account."""
    done(who.post(f"{account_of(key)}/keys/{prefix_of(key.key)}/revoke"))


def test_what_was_allowed_with_a_key_that_is_revoked_is_allowed_no_more(
    lead: Someone, supervisor: Someone, case: Json, asked: str
) -> None:
    done(allows(supervisor, asked))

    revoke_key(supervisor, supervisor)

    spent = lead.does("close", case, closing(), approval=asked)
    assert problem(spent) == USED_UP
    assert lead.sees(case)["state"] == "referring"


def test_who_allowed_it_sees_that_and_takes_it_back(
    lead: Someone, supervisor: Someone, case: Json, asked: str
) -> None:
    before = list_approvals(supervisor)
    done(allows(supervisor, asked))
    allowed = list_approvals(supervisor)

    taken = done(supervisor.post(f"/approvals/{asked}/refuse"))

    assert (before, allowed, list_approvals(supervisor)) == ([asked], [asked], [])
    assert taken["decision"] == "refused"
    assert problem(allows(supervisor, asked)) == DECIDED
    assert problem(lead.does("close", case, closing(), approval=asked)) == USED_UP
    heard = [(e["type"], e["facts"]) for e in lead.hears() if "approval" in e["type"]]
    assert [facts.get("decision") for _, facts in heard] == [None, "approved", "refused"]


def test_nobody_else_takes_it_back_nor_anybody_once_it_was_made_use_of(
    world: World, lead: Someone, supervisor: Someone, case: Json, asked: str
) -> None:
    other = world.someone("KZ_LEAD", SUPERVISOR)
    done(allows(supervisor, asked))
    by_another = other.post(f"/approvals/{asked}/refuse")
    done(lead.does("close", case, closing(), approval=asked))

    by_itself = supervisor.post(f"/approvals/{asked}/refuse")

    assert problem(by_another) == problem(by_itself) == DECIDED
    assert (list_approvals(other), list_approvals(supervisor)) == ([], [])


def test_who_asks_for_a_key_is_named_for_it_is_shown_to_them(
    world: World, lead: Someone, supervisor: Someone, asked: str
) -> None:
    first, second = (world.someone(of, ADMINISTRATOR) for of in ("IOM", "UZ_LEAD"))
    for who in (first, second):
        question(gives(who, f"{account_of(lead)}/keys", FEED))

    shown = done(world.someone("KZ_LEAD", SUPERVISOR).get("/approvals"))["items"]

    assert [one["asked_by"] for one in shown] == [
        None,
        {"focal_point": "IOM", "account": "duty 1"},
        {"focal_point": "UZ_LEAD", "account": "duty 1"},
    ]
    assert shown[0]["id"] == asked
    assert done(supervisor.get(f"/approvals/{shown[1]['id']}")) == shown[1]


def test_a_key_that_was_just_revoked_makes_no_second_person(world: World) -> None:
    corrupt, honest = (world.someone(of, ADMINISTRATOR) for of in ("IOM", "UZ_LEAD"))
    third = world.someone("KZ_LEAD", ADMINISTRATOR)
    key = together(corrupt, honest, f"{account_of(third)}/keys", ALL)["key"]
    as_third = with_key(third, key)
    mine = question(gives(corrupt, "/accounts", GHOST))
    theirs = question(gives(as_third, "/accounts", GHOST))
    revoke_key(corrupt, as_third)

    at_once = allows(third, mine), allows(corrupt, theirs)
    world.passes(minutes=6)

    assert {problem(answer) for answer in at_once} == {(409, "not-a-second-person")}
    assert done(allows(third, mine))["decision"] == "approved"


def test_who_was_shown_the_key_of_a_colleague_does_not_review_what_it_permitted(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [consent(), for_services(sections=["needs"])]
    case = lead.leads(officer.submits(consents=given))
    done(shelter.does("accept", done(lead.refers(case, shelter.code)), promise()))
    watches = {Role.PROTECTION_OFFICER, Role.SUPERVISOR}
    one, other, third = (world.someone("OVERSIGHT_DEMO", watches) for _ in "123")
    admin = world.someone("IOM", ADMINISTRATOR)
    key = together(
        admin, world.someone("UZ_LEAD", ADMINISTRATOR), *build_key_request(other)
    )["key"]
    path = f"{path_of(case)}/vital-readings"
    reading = {"reason": "RISK_TO_LIFE", "note": "x", "purpose": "protection"}
    read = done(shelter.creates(path, reading | {"sections": ["contact"]}))
    done(one.post(f"{path}/{read['id']}/permit"))
    done(shelter.post(f"{path}/{read['id']}/stop"))
    review = f"{path}/{read['id']}/review"

    by_itself = one.post(review, {"justified": True})
    set_key_creator(world, one, with_key(other, key))
    as_colleague = with_key(other, key).post(review, {"justified": True})

    assert {problem(by_itself), problem(as_colleague)} == {(409, "not-a-second-person")}
    assert done(third.post(review, {"justified": True}))["justified"] is True


def build_key_request(one: Someone) -> tuple[str, Json]:
    """Return the path and the body of a request that creates a key for an account."""
    return f"{account_of(one)}/keys", ALL


def set_key_creator(world: World, who: Someone, key: Someone) -> None:
    """Record the account as the creator of the key, which is the account that saw it."""
    with world.database.writing() as session:
        made = session.get_one(ApiKey, prefix_of(key.key))
        made.made_by = who.actor.account_id


@pytest.mark.parametrize("how", ["disable", "revoke-roles"])
def test_who_ends_an_account_is_told_who_is_left_to_work_on_cases(
    world: World, how: str
) -> None:
    admin = world.someone("KZ_LEAD", ADMINISTRATOR)
    world.someone("KZ_LEAD", kind=AccountKind.INTEGRATION)
    world.someone("KZ_LEAD", SUPERVISOR)
    people = [world.someone("KZ_LEAD"), world.someone("KZ_LEAD", {Role.CASEWORKER})]
    watcher = world.someone("OVERSIGHT_DEMO")
    roles = {"roles": ["officer", "caseworker", "coordinator"]}

    answers = [
        done(admin.post(f"{account_of(one)}/{how}", roles if "roles" in how else None))
        for one in people
    ]

    assert [one["accounts_left"] for one in answers] == [1, 0]
    assert [event["facts"]["accounts_left"] for event in watcher.hears()] == [1, 0]
