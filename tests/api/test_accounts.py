"""Tests of accounts, keys and roles. Two people grant them; one revokes them (R14, R97)."""

import json

import pytest
from httpx2 import Response

from app.kernel.actors import AccountKind, Role, Scope
from tests.support.account_changes import (
    FEED,
    NEWCOMER,
    SUPERVISOR,
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
from tests.support.world import (
    EVERYTHING,
    WORKERS,
    Json,
    Someone,
    World,
    get_problem,
    list_types,
    make_contacts,
    unwrap,
)

COORDINATOR: Json = {"roles": ["coordinator"]}
NOBODY = "/accounts/00000000-0000-4000-8000-000000000000"
OTHER_ROLES = sorted(set(Role) - ADMINISTRATOR - SUPERVISOR - {Role.ANALYST})


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


@pytest.fixture
def colleague(world: World) -> Someone:
    """Return a second supervisor of the focal point of Kazakhstan."""
    return world.add_person("KZ_LEAD", SUPERVISOR)


@pytest.fixture
def worker(world: World) -> Someone:
    return world.add_person("KZ_LEAD", {Role.CASEWORKER})


def get_me(one: Someone) -> Response:
    return one.get("/me")


def list_labels(who: Someone, **query: str) -> list[str]:
    return [one["label"] for one in unwrap(who.get("/accounts", **query))["items"]]


def test_an_account_is_opened_by_two_and_acts_with_its_first_key(
    world: World, admin: Someone, second: Someone
) -> None:
    opened = add_with(admin, second, "/accounts", NEWCOMER)
    made = add_with(admin, second, f"/accounts/{opened['id']}/keys", FEED)
    key = unwrap(redeem(world, made["link"]))["key"]

    shown = {name: opened[name] for name in NEWCOMER}
    headers = {"Authorization": f"Bearer {key}"}
    with_it = world.http.get("/v1/events", headers=headers)
    assert (shown, opened["disabled_at"]) == (NEWCOMER, None)
    assert with_it.status_code == 200
    assert made["expires_at"] == "2026-07-01T12:00:00Z"
    assert made["shown_to"] == str(admin.actor.account_id)


def test_two_supervisors_look_after_their_own_office(
    supervisor: Someone, colleague: Someone, worker: Someone
) -> None:
    opened = add_with(supervisor, colleague, "/accounts", NEWCOMER)
    path = f"{get_account_path(worker)}/grant-roles"
    grown = add_with(supervisor, colleague, path, COORDINATOR)

    assert opened["focal_point"] == "KZ_LEAD"
    assert grown["roles"] == ["caseworker", "coordinator"]
    assert unwrap(get_me(worker))["roles"] == ["caseworker", "coordinator"]


def test_an_administrator_and_a_supervisor_agree_too(
    admin: Someone, supervisor: Someone, worker: Someone
) -> None:
    path = f"{get_account_path(worker)}/grant-roles"

    assert "coordinator" in add_with(admin, supervisor, path, COORDINATOR)["roles"]
    assert "officer" in add_with(supervisor, admin, path, {"roles": ["officer"]})["roles"]


def test_the_second_person_reads_what_exactly_is_asked(
    admin: Someone, supervisor: Someone, worker: Someone
) -> None:
    path = get_account_path(worker)
    approval_id = get_approval_id(add(admin, f"{path}/grant-roles", COORDINATOR))

    seen = unwrap(supervisor.get(f"/approvals/{approval_id}"))

    assert seen["subject"] == path[1:]
    assert seen["facts"] == {
        "focal_point": "KZ_LEAD",
        "label": "duty 1",
        "kind": "person",
        "has": "caseworker",
        "roles": "coordinator",
    }
    assert unwrap(supervisor.get(f"/{seen['subject']}"))["label"] == "duty 1"


@pytest.mark.parametrize("role", OTHER_ROLES)
def test_nobody_else_looks_after_accounts(world: World, lead: Someone, role: Role) -> None:
    other = world.add_person("KZ_LEAD", {role})

    refused = [
        other.get("/accounts"),
        other.get(get_account_path(lead)),
        other.get(f"{get_account_path(lead)}/keys"),
        other.get(NOBODY),
        other.send(f"{NOBODY}/keys/0123456789/revoke"),
        other.send(f"{get_account_path(lead)}/keys/0123456789/revoke"),
        add(other, "/accounts", NEWCOMER),
        add(other, f"{get_account_path(lead)}/keys", FEED),
        add(other, f"{get_account_path(lead)}/grant-roles", COORDINATOR),
        other.send(f"{get_account_path(lead)}/revoke-roles", COORDINATOR),
        other.send(f"{get_account_path(lead)}/disable"),
    ]

    assert {get_problem(one) for one in refused} == {(403, "role-missing")}
    assert unwrap(get_me(lead))["roles"] == sorted(WORKERS)


def test_a_supervisor_does_not_see_the_people_of_others(
    supervisor: Someone, shelter: Someone, admin: Someone
) -> None:
    found = [
        supervisor.get(get_account_path(shelter)),
        supervisor.get(NOBODY),
        supervisor.get("/accounts", focal_point="KZ_SHELTER_KOGERSHIN"),
        supervisor.get("/accounts", focal_point="NOBODY"),
        supervisor.send(f"{get_account_path(shelter)}/disable"),
        supervisor.send(f"{NOBODY}/disable"),
    ]

    bodies = [one.json() | {"instance": ""} for one in found]
    assert {get_problem(one) for one in found} == {(404, "not-found")}
    assert (bodies[0], bodies[2], bodies[4]) == (bodies[1], bodies[3], bodies[5])
    refused = add(supervisor, "/accounts", NEWCOMER | {"focal_point": "IOM"})
    assert get_problem(refused) == (403, "role-missing")
    assert list_labels(admin, focal_point="KZ_SHELTER_KOGERSHIN") == ["duty 1"]
    assert unwrap(get_me(shelter))["kind"] == "person"


def test_what_is_the_mechanisms_is_not_a_supervisors_to_give_or_take(
    world: World, supervisor: Someone
) -> None:
    seated = world.add_person("KZ_LEAD", ADMINISTRATOR)
    path = get_account_path(seated)

    given = [
        add(supervisor, "/accounts", NEWCOMER | {"roles": [role]})
        for role in ("administrator", "protection_officer", "analyst")
    ]
    taken = [
        supervisor.send(f"{path}/disable"),
        supervisor.send(f"{path}/revoke-roles", {"roles": ["administrator"]}),
        add(supervisor, f"{path}/keys", FEED),
    ]

    assert {get_problem(one) for one in (*given, *taken)} == {(403, "role-missing")}
    assert unwrap(get_me(seated))["roles"] == ["administrator"]


def test_an_administrator_is_made_by_two_administrators(
    world: World, admin: Someone, second: Someone
) -> None:
    boss = world.add_person("DESK_CENTRAL_ASIA", SUPERVISOR)
    third = {"focal_point": "DESK_CENTRAL_ASIA", "label": "3", "roles": ["administrator"]}
    approval_id = get_approval_id(add(admin, "/accounts", third))

    by_the_office = approve(boss, approval_id)
    unwrap(approve(second, approval_id))

    assert get_problem(by_the_office) == (403, "role-missing")
    assert unwrap(add(admin, "/accounts", third, approval_id))["roles"] == ["administrator"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"roles": ["administrator", "caseworker"]}, "roles-incompatible"),
        ({"roles": ["supervisor"], "kind": "integration"}, "roles-incompatible"),
        ({"roles": ["protection_officer"]}, "roles-incompatible"),
        ({"roles": ["analyst"]}, "roles-incompatible"),
    ],
)
def test_some_roles_do_not_fit(admin: Someone, changes: Json, why: str) -> None:
    assert get_problem(add(admin, "/accounts", NEWCOMER | changes)) == (409, why)


def test_nobody_gives_to_themselves_or_lets_it_be_given(
    supervisor: Someone, colleague: Someone, admin: Someone
) -> None:
    own = get_account_path(supervisor)

    given = [
        add(supervisor, f"{own}/grant-roles", COORDINATOR),
        add(supervisor, f"{own}/keys", FEED),
    ]
    about_me = get_approval_id(add(colleague, f"{own}/grant-roles", COORDINATOR))
    allowed = approve(supervisor, about_me)

    assert {get_problem(one) for one in given} == {(409, "about-yourself")}
    assert get_problem(allowed) == (409, "not-a-second-person")
    assert get_problem(approve(colleague, about_me)) == (409, "not-a-second-person")
    assert unwrap(approve(admin, about_me))["decision"] == "approved"


def test_a_machine_gives_nothing_and_allows_nothing(
    world: World, admin: Someone, worker: Someone
) -> None:
    machine = world.add_person("KZ_LEAD", SUPERVISOR, EVERYTHING, AccountKind.INTEGRATION)
    path = f"{get_account_path(worker)}/grant-roles"
    approval_id = get_approval_id(add(admin, path, COORDINATOR))

    assert get_problem(add(machine, "/accounts", NEWCOMER)) == (403, "role-missing")
    assert get_problem(approve(machine, approval_id)) == (409, "not-a-second-person")


def test_an_approval_is_for_these_very_words_and_for_once(
    admin: Someone, second: Someone, supervisor: Someone, worker: Someone, lead: Someone
) -> None:
    path = f"{get_account_path(worker)}/grant-roles"
    approval_id = get_approval_id(add(admin, path, COORDINATOR))
    early = add(admin, path, COORDINATOR, approval_id)
    unwrap(approve(second, approval_id))

    other_roles = {"roles": ["supervisor"]}
    others = [
        add(admin, path, other_roles, approval_id),
        add(admin, path, {"roles": ["coordinator", "supervisor"]}, approval_id),
        add(admin, f"{get_account_path(lead)}/grant-roles", other_roles, approval_id),
        add(supervisor, path, COORDINATOR, approval_id),
        add(admin, "/accounts", NEWCOMER, approval_id),
        add(admin, f"{get_account_path(worker)}/keys", FEED, approval_id),
    ]
    unwrap(add(admin, path, COORDINATOR, approval_id))
    unwrap(admin.send(f"{get_account_path(worker)}/revoke-roles", COORDINATOR))
    again = add(admin, path, COORDINATOR, approval_id)

    refused = {get_problem(one) for one in (early, *others, again)}
    assert refused == {(409, "approval-unusable")}
    assert unwrap(get_me(worker))["roles"] == ["caseworker"]


def test_what_was_allowed_is_void_once_the_account_is_another(
    admin: Someone, second: Someone, worker: Someone
) -> None:
    path = f"{get_account_path(worker)}/grant-roles"
    granted = get_approval_id(add(admin, path, COORDINATOR))
    unwrap(approve(second, granted))
    add_with(admin, second, path, {"roles": ["supervisor"]})

    assert get_problem(add(admin, path, COORDINATOR, granted)) == (409, "approval-unusable")


def test_asked_twice_it_is_one_question_and_what_it_has_is_none(
    admin: Someone, worker: Someone
) -> None:
    path = f"{get_account_path(worker)}/grant-roles"

    twice = {get_approval_id(add(admin, path, COORDINATOR)) for _ in "12"}
    nothing_new = add(admin, path, {"roles": ["caseworker"]})

    assert len(twice) == 1
    assert (nothing_new.status_code, unwrap(nothing_new)["roles"]) == (200, ["caseworker"])


def test_taking_away_takes_one_and_counts_in_the_next_request(
    supervisor: Someone, lead: Someone, officer: Someone
) -> None:
    case = officer.submit()
    unwrap(lead.does("acknowledge", case))
    path = get_account_path(lead)

    left = unwrap(supervisor.send(f"{path}/revoke-roles", {"roles": ["coordinator"]}))
    decides = lead.does("accept-lead", case, {"contacts": make_contacts()})
    ended = unwrap(supervisor.send(f"{path}/disable"))
    after = get_me(lead)

    assert left["roles"] == ["caseworker", "officer"]
    assert get_problem(decides) == (403, "role-missing")
    assert ended["disabled_at"] == "2026-06-01T12:00:00Z"
    assert get_problem(after) == (401, "unauthenticated")
    for what, body in (("keys", FEED), ("grant-roles", COORDINATOR)):
        refused = add(supervisor, f"{path}/{what}", body)
        assert get_problem(refused) == (409, "account-disabled")


def test_taken_away_twice_it_is_told_once(
    supervisor: Someone, worker: Someone, lead: Someone
) -> None:
    lead.poll()
    path = get_account_path(worker)

    for _ in "12":
        unwrap(supervisor.send(f"{path}/revoke-roles", {"roles": ["officer"]}))
        unwrap(supervisor.send(f"{path}/disable"))

    [event] = lead.poll()
    assert (event["type"], event["subject"]) == ("account.disabled", path[1:])
    assert event["facts"] == {"accounts_left": 1}


def test_a_rotated_key_goes_on_for_a_while_and_no_longer(
    world: World, admin: Someone, second: Someone, worker: Someone
) -> None:
    [old] = unwrap(admin.get(f"{get_account_path(worker)}/keys"))["items"]
    path = f"{get_account_path(worker)}/keys/{old['prefix']}/rotate"

    made = add_with(admin, second, path, {"days": 30, "overlap_hours": 24})
    new = with_key(worker, unwrap(redeem(world, made["link"]))["key"])
    before = get_me(worker).status_code, get_me(new).status_code
    world.advance(hours=24)

    assert before == (200, 200)
    assert (get_me(worker).status_code, get_me(new).status_code) == (401, 200)
    assert made["scopes"] == old["scopes"]
    assert get_problem(add(admin, path, {})) == (409, "account-disabled")


def test_a_rotated_key_can_end_at_once_and_never_lasts_longer_than_it_would_have(
    admin: Someone, second: Someone, worker: Someone
) -> None:
    path = f"{get_account_path(worker)}/keys"
    short = add_with(admin, second, path, {"scopes": ["feed:read"], "days": 1})
    now = worker.key.split("_")[1]

    add_with(admin, second, f"{path}/{now}/rotate", {"overlap_hours": 0})
    add_with(admin, second, f"{path}/{short['prefix']}/rotate", {"overlap_hours": 168})

    kept = {k["prefix"]: k["expires_at"] for k in unwrap(admin.get(path))["items"]}
    assert get_problem(get_me(worker)) == (401, "unauthenticated")
    assert kept[short["prefix"]] == "2026-06-02T12:00:00Z"


@pytest.mark.parametrize(
    "body",
    [
        {"overlap_hours": 169},
        {"overlap_hours": -1},
        {"days": 366},
        {"days": 0},
        {"key": ""},
    ],
)
def test_an_overlap_is_bounded(admin: Someone, worker: Someone, body: Json) -> None:
    path = f"{get_account_path(worker)}/keys/{worker.key.split('_')[1]}/rotate"

    assert get_problem(add(admin, path, body)) == (422, "request-invalid")


def test_a_key_is_revoked_by_one_or_by_who_has_it(
    supervisor: Someone, worker: Someone, lead: Someone
) -> None:
    def revoke(who: Someone, of: Someone, key: Someone) -> Response:
        prefix = key.key.split("_")[1]
        return who.send(f"{get_account_path(of)}/keys/{prefix}/revoke")

    others = revoke(worker, lead, lead)
    strange = revoke(supervisor, worker, lead)
    own = revoke(worker, worker, worker)
    by_supervisor = revoke(supervisor, lead, lead)

    assert get_problem(others) == (403, "role-missing")
    assert get_problem(strange) == (404, "not-found")
    assert unwrap(own)["revoked_at"] == unwrap(by_supervisor)["revoked_at"]
    assert {get_me(worker).status_code, get_me(lead).status_code} == {401}


def test_who_was_shown_a_key_is_no_second_person_to_its_holder(
    world: World, supervisor: Someone, colleague: Someone
) -> None:
    third = world.add_person("KZ_LEAD", SUPERVISOR)
    path = f"{get_account_path(third)}/keys"
    scopes = {"scopes": sorted(EVERYTHING)}
    as_third = with_key(third, make_key_with(supervisor, colleague, path, scopes))
    approval_id = get_approval_id(add(as_third, "/accounts", NEWCOMER))
    mine = get_approval_id(add(supervisor, "/accounts", NEWCOMER | {"label": "duty 8"}))

    assert get_problem(approve(supervisor, approval_id)) == (409, "not-a-second-person")
    assert get_problem(approve(as_third, mine)) == (409, "not-a-second-person")
    assert unwrap(approve(colleague, approval_id))["decision"] == "approved"
    unwrap(colleague.send(f"{path}/{as_third.key.split('_')[1]}/revoke"))
    world.advance(minutes=6)
    assert unwrap(approve(third, mine))["decision"] == "approved"


def test_what_becomes_of_an_account_is_told_to_its_office_and_to_who_watches(
    world: World, admin: Someone, second: Someone, officer: Someone, lead: Someone
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO")
    opened = add_with(admin, second, "/accounts", NEWCOMER | {"label": "Zq canary"})
    path = f"/accounts/{opened['id']}"
    made = add_with(admin, second, f"{path}/keys", FEED)
    add_with(admin, second, f"{path}/keys/{made['prefix']}/rotate", {})
    add_with(admin, second, f"{path}/grant-roles", COORDINATOR)
    unwrap(admin.send(f"{path}/revoke-roles", COORDINATOR))
    unwrap(admin.send(f"{path}/keys/{made['prefix']}/revoke"))
    unwrap(admin.send(f"{path}/disable"))

    events, watched = lead.poll(), watcher.poll()

    granted = ("created", "key_created", "key_rotated", "roles_granted")
    taken_away = ("roles_revoked", "key_revoked", "disabled")
    assert list_types(events) == [
        kind
        for one in granted
        for kind in ("approval.requested", "approval.decided", f"account.{one}")
    ] + [f"account.{one}" for one in taken_away]
    assert [one["id"] for one in watched] == [one["id"] for one in events]
    assert officer.poll() == []
    assert "canary" not in json.dumps(events)
    assert made["link"].split("_", 2)[2] not in json.dumps(events)


@pytest.mark.parametrize(
    "more",
    [
        {"asked_by": "x"},
        {"approved_by": "x"},
        {"decided_by": "x"},
        {"actor": "x"},
        {"at": "2026-01-01T00:00:00Z"},
        {"decision": "approved"},
        {"override": True},
        {"disabled_at": None},
        {"made_by": "x"},
        {"shown_to": "x"},
        {"id": "x"},
    ],
)
def test_a_client_sets_no_actor_time_decision_or_flag(
    admin: Someone, second: Someone, worker: Someone, more: Json
) -> None:
    approval_id = get_approval_id(add(admin, "/accounts", NEWCOMER))
    path = get_account_path(worker)

    refused = [
        add(admin, "/accounts", NEWCOMER | more),
        add(admin, f"{path}/grant-roles", COORDINATOR | more),
        add(admin, f"{path}/keys", FEED | more),
        admin.send(f"{path}/revoke-roles", COORDINATOR | more),
        admin.send(f"{path}/disable", more),
        second.send(f"/approvals/{approval_id}/approve", more),
        second.send(f"/approvals/{approval_id}/refuse", more),
    ]

    assert {one.status_code for one in refused} == {422}
    assert unwrap(second.get(f"/approvals/{approval_id}"))["decision"] == "pending"
    assert unwrap(get_me(worker))["roles"] == ["caseworker"]


def test_a_scope_of_its_own_opens_accounts(world: World) -> None:
    reader = world.add_person("KZ_LEAD", SUPERVISOR, {Scope.ACCOUNTS_READ})

    assert unwrap(reader.get("/accounts"))["items"]
    assert get_problem(add(reader, "/accounts", NEWCOMER)) == (403, "forbidden")
