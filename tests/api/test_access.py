"""Tests of access by key and scope. A key permits only the operations of its scopes."""

import re

import pytest
from httpx2 import Response

from app.access.actions import create_key, disable_account, revoke_key
from app.access.credentials import get_prefix
from app.kernel import time_zones
from app.kernel.actors import AccountKind, Role, Scope
from tests.support.account_changes import get_account_path
from tests.support.databases import record_statements
from tests.support.operation_calls import ALL, PUBLIC_WRITES
from tests.support.world import EVERYTHING, Someone, World, get_path, get_problem, unwrap

OPEN = {"/livez", "/readyz"} | {one.path for one in ALL if one.name in PUBLIC_WRITES}
"""The paths of the operations that need no key."""


def operations(world: World) -> list[tuple[str, str, str]]:
    """Return the method, path and scope of each operation that needs a key."""
    named = re.compile(r"Needs the scope `([a-z:]+)`")
    return [
        (method.upper(), path, named.findall(operation.get("description", ""))[0])
        for path, methods in world.app.openapi()["paths"].items()
        for method, operation in methods.items()
        if path not in OPEN
    ]


def call_with_key(world: World, method: str, path: str, key: str | None) -> Response:
    """Call an operation without a body, and without a key if `key` is None."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return world.http.request(method, re.sub(r"\{[a-z_]+\}", "x", path), headers=headers)


def test_nothing_answers_without_a_key(world: World) -> None:
    found = operations(world)

    refused = {
        (m, path, call_with_key(world, m, path, None).status_code) for m, path, _ in found
    }

    assert {status for *_, status in refused} == {401}
    assert len(found) > 40


def test_each_scope_opens_its_own_routes_alone(world: World) -> None:
    others = {s: world.add_person("KZ_LEAD", scopes=EVERYTHING - {s}).key for s in Scope}
    only = {s: world.add_person("KZ_LEAD", scopes={s}).key for s in Scope}

    for method, path, scope in operations(world):
        without = call_with_key(world, method, path, others[Scope(scope)])
        within = call_with_key(world, method, path, only[Scope(scope)])
        assert without.status_code == 403, path
        assert without.json()["type"] == "/problems/forbidden"
        assert without.json()["detail"] == f"This credential lacks the scope {scope}."
        assert within.status_code not in {401, 500}, path
        assert "/problems/forbidden" not in within.text, path


def test_every_scope_opens_something(world: World) -> None:
    assert {scope for *_, scope in operations(world)} == set(Scope)


def test_what_is_open_to_all_tells_nothing(world: World) -> None:
    world.run_worker()

    alive, ready = world.http.get("/livez"), world.http.get("/readyz")

    assert alive.json() == {"status": "alive"}
    parts = ("status", "database", "worker", "clocks", "erasures")
    assert ready.json() == dict.fromkeys(parts, "ready") | {
        "free_space": "enough",
        "notifications": "in time",
        "receivers": "in time",
        "drill": False,
        "clock_speed": 1,
        "time_zones": time_zones.get_version(),
    }


def get_comparable_parts(answer: Response) -> tuple[int, dict[str, object], dict[str, str]]:
    """Return the status, body and headers of a response without the request's id."""
    headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
    return answer.status_code, answer.json() | {"instance": ""}, headers


def get_me(one: Someone, authorization: str | None = None) -> Response:
    given = {
        "Authorization": f"Bearer {one.key}" if authorization is None else authorization
    }
    return one.world.http.get("/v1/me", headers=given if authorization != "" else {})


def test_no_key_that_is_not_valid_is_told_why(world: World) -> None:
    revoked, expired, disabled, good = (world.add_person("KZ_LEAD") for _ in "1234")
    with world.database.begin_write() as session:
        revoke_key(session, get_prefix(revoked.key), world.now)
        disable_account(session, disabled.actor.account_id, world.now)
        expired.key = create_key(
            session, expired.actor.account_id, EVERYTHING, world.now, days=0
        )
    prefix = get_prefix(good.key)
    made_up = (f"sc_{prefix}_wrong", "sc_0123456789_wrong", "wrong", "sc__", f"{good.key}x")

    answers = [get_me(one) for one in (revoked, expired, disabled)]
    answers += [get_me(good, f"Bearer {key}") for key in made_up]

    assert get_me(good).is_success
    assert [get_comparable_parts(answer) for answer in answers] == [
        get_comparable_parts(answers[0])
    ] * len(answers)
    assert answers[0].status_code == 401
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"


def test_no_key_and_a_wrong_one_hear_the_same(world: World) -> None:
    one, wrong = world.add_person("KZ_LEAD"), f"Bearer sc_{'0' * 10}_wrong"
    ways = ("", "Bearer", "Bearer ", f"Basic {one.key}", one.key, "Token x", wrong)

    answers = [get_me(one, way) for way in ways]

    assert [get_comparable_parts(answer) for answer in answers] == [
        get_comparable_parts(answers[0])
    ] * len(ways)
    assert len({len(answer.content) for answer in answers}) == 1
    assert answers[0].status_code == 401


def test_no_key_and_a_wrong_one_cost_the_same(world: World) -> None:
    one, wrong = world.add_person("KZ_LEAD"), f"Bearer sc_{'0' * 10}_wrong"

    asked = []
    for way in ("", "Bearer", f"Basic {one.key}", "Bearer wrong", wrong):
        with record_statements(world.database) as statements:
            get_me(one, way)
        asked.append(statements)

    assert asked == [asked[0]] * len(asked)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_spelled_as_one_likes(scheme: str, world: World) -> None:
    one = world.add_person("KZ_LEAD")

    assert get_me(one, f"{scheme} {one.key}").is_success


@pytest.mark.parametrize("first", [True, False])
def test_of_two_keys_none_counts(world: World, officer: Someone, *, first: bool) -> None:
    """A request with two `Authorization` headers is refused.

    A proxy might check one of the headers, and the service might check the other header.
    """
    right, wrong = (("Authorization", f"Bearer {key}") for key in (officer.key, "sc_x"))
    named = [right, wrong] if first else [wrong, right]

    refused = world.http.get("/v1/me", headers=named)

    assert get_problem(refused) == (401, "unauthenticated")
    assert "one `Authorization` header" in refused.json()["detail"]


def test_a_key_ends_with_the_very_next_request(world: World) -> None:
    one = world.add_person("KZ_LEAD")
    before = get_me(one).status_code
    with world.database.begin_write() as session:
        revoke_key(session, get_prefix(one.key), world.now)

    assert (before, get_me(one).status_code) == (200, 401)


def test_a_key_expires_on_time(world: World) -> None:
    one = world.add_person("KZ_LEAD")
    with world.database.begin_write() as session:
        one.key = create_key(session, one.actor.account_id, EVERYTHING, world.now, days=90)
    world.advance(days=90, seconds=-1)
    before = get_me(one).status_code
    world.advance(seconds=1)

    assert (before, get_me(one).status_code) == (200, 401)


def test_a_disabled_account_ends_with_all_its_keys(world: World) -> None:
    one = world.add_person("KZ_LEAD")
    with world.database.begin_write() as session:
        second = create_key(session, one.actor.account_id, EVERYTHING, world.now)
        disable_account(session, one.actor.account_id, world.now)

    assert {get_me(one).status_code, get_me(one, f"Bearer {second}").status_code} == {401}


def test_a_scope_is_of_the_key_and_not_of_the_account(world: World) -> None:
    one = world.add_person("KZ_LEAD")
    with world.database.begin_write() as session:
        narrow = create_key(session, one.actor.account_id, {Scope.FEED_READ}, world.now)

    whole, refused = one.get("/cases"), get_me(one, f"Bearer {narrow}")

    assert (whole.status_code, refused.status_code) == (200, 403)


@pytest.mark.parametrize("role", [Role.ANALYST, None])
def test_an_analyst_and_who_has_no_role_reach_no_case(
    world: World, officer: Someone, role: Role | None
) -> None:
    path = get_path(officer.submit())
    one = world.add_person("OVERSIGHT_DEMO", {role} if role else set())
    colleague = world.add_person("OVERSIGHT_DEMO", {Role.ANALYST, Role.PROTECTION_OFFICER})
    paths = (path, "/cases", f"{path}/history", f"{path}/evidence", "/events", "/worklist")

    refused = {get_problem(one.get(each)) for each in (*paths, "/approvals")}

    assert refused == {(403, "forbidden")}
    assert one.get("/refusals").is_success == one.get("/me").is_success == bool(role)
    assert {colleague.get(each).status_code for each in paths} == {200}


def test_who_loses_the_last_role_loses_what_the_key_could_do(
    officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    officer.submit()
    before, taken = lead.get("/cases"), {"roles": sorted(lead.actor.roles)}

    unwrap(supervisor.send(f"{get_account_path(lead)}/revoke-roles", taken))

    assert before.is_success
    assert (
        get_problem(lead.get("/cases"))
        == get_problem(lead.get("/events"))
        == (403, "forbidden")
    )


def test_everyone_can_read_who_they_are(world: World) -> None:
    roles, scopes = (
        {Role.COORDINATOR, Role.CASEWORKER},
        {Scope.DIRECTORY_READ, Scope.FEED_READ},
    )
    machine = world.add_person("KZ_LEAD", roles, scopes, AccountKind.INTEGRATION)

    assert unwrap(machine.get("/me")) == {
        "account": "duty 1",
        "kind": "integration",
        "focal_point": "KZ_LEAD",
        "roles": ["caseworker", "coordinator"],
        "scopes": ["directory:read", "feed:read"],
        "person": None,
        "session": None,
        "worker_silent": True,
    }


def test_a_key_says_nothing_of_itself_in_what_is_kept(world: World) -> None:
    one = world.add_person("KZ_LEAD")
    with world.database.begin_read() as session:
        rows = session.connection().exec_driver_sql("SELECT * FROM api_key").all()

    secret = one.key.rpartition(get_prefix(one.key))[2][1:]

    assert rows
    assert secret not in str(rows)
