"""Tests of machine keys. Two people register a key; one revokes it (R14, R21, R26)."""

import json
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from app.kernel.actors import Role
from tests.support.account_changes import (
    SUPERVISOR,
    add,
    approve,
    get_account_path,
    get_approval_id,
)
from tests.support.administrators import ADMINISTRATOR
from tests.support.machine_keys import (
    READS,
    Machine,
    get_key_pair,
    get_keys_path,
    get_public_key,
    make_registration,
    open_machine_account,
    register_key,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    list_types,
    make_closure,
    unwrap,
)

P_384 = get_public_key(get_key_pair("ES384"))
RSA = get_public_key(get_key_pair("RS384"))
ED25519 = get_public_key(get_key_pair("EdDSA"))


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


@pytest.fixture
def machine(world: World) -> Machine:
    return Machine(open_machine_account(world), get_key_pair("ES384"))


@pytest.mark.parametrize("alg", ["ES384", "RS384", "EdDSA"])
def test_a_machine_signs_in_with_what_two_people_registered(
    admin: Someone, second: Someone, machine: Machine, alg: str
) -> None:
    machine.key, machine.alg = get_key_pair(alg), alg

    made = register_key(admin, second, machine.one, machine.key)

    assert made == {
        "kid": machine.kid,
        "alg": alg,
        "scopes": READS,
        "created_at": "2026-06-01T12:00:00Z",
        "expires_at": "2026-08-30T12:00:00Z",
        "revoked_at": None,
        "registered_by": str(admin.actor.account_id),
    }
    assert unwrap(admin.get(get_keys_path(machine.one)))["items"] == [made]
    assert unwrap(machine.sign_in().get("/me"))["kind"] == "integration"


def test_two_supervisors_do_it_for_their_own_office(
    world: World, supervisor: Someone, machine: Machine
) -> None:
    colleague = world.add_person("KZ_LEAD", SUPERVISOR)

    assert (
        register_key(supervisor, colleague, machine.one, machine.key)["kid"] == machine.kid
    )


def test_one_person_alone_registers_nothing(admin: Someone, machine: Machine) -> None:
    approval_id = get_approval_id(
        add(admin, get_keys_path(machine.one), make_registration(machine.key))
    )

    assert get_problem(approve(admin, approval_id)) == (409, "not-a-second-person")
    refused = add(
        admin, get_keys_path(machine.one), make_registration(machine.key), approval_id
    )
    assert get_problem(refused) == (409, "approval-unusable")
    assert unwrap(admin.get(get_keys_path(machine.one)))["items"] == []


def test_the_second_person_reads_which_key_it_is(
    admin: Someone, supervisor: Someone, machine: Machine
) -> None:
    approval_id = get_approval_id(
        add(admin, get_keys_path(machine.one), make_registration(machine.key))
    )

    seen = unwrap(supervisor.get(f"/approvals/{approval_id}"))

    assert seen["action"] == "account.register_public_key"
    assert seen["facts"] == {
        "focal_point": "KZ_LEAD",
        "label": "duty 1",
        "kind": "integration",
        "has": "caseworker coordinator officer",
        "kid": machine.kid,
        "scopes": " ".join(READS),
        "days": "90",
    }


@pytest.mark.parametrize(
    "other",
    [{"jwk": ED25519}, {"scopes": ["cases:read"]}, {"days": 91}],
    ids=["key", "scopes", "days"],
)
def test_what_was_allowed_is_this_key_for_this_and_no_other(
    admin: Someone, second: Someone, machine: Machine, other: Json
) -> None:
    body = make_registration(machine.key)
    approval_id = get_approval_id(add(admin, get_keys_path(machine.one), body))
    unwrap(approve(second, approval_id))

    used = add(admin, get_keys_path(machine.one), body | other, approval_id)

    assert get_problem(used) == (409, "approval-unusable")


def test_a_person_signs_nothing(admin: Someone, lead: Someone) -> None:
    refused = add(admin, get_keys_path(lead), make_registration(get_key_pair("ES384")))

    assert get_problem(refused) == (409, "not-a-machine")


def test_an_account_that_has_ended_gets_none(admin: Someone, machine: Machine) -> None:
    unwrap(admin.send(f"{get_account_path(machine.one)}/disable"))

    refused = add(admin, get_keys_path(machine.one), make_registration(machine.key))

    assert get_problem(refused) == (409, "account-disabled")


def test_a_key_that_was_revoked_does_not_come_back(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    register_key(admin, second, machine.one, machine.key)
    again = add(admin, get_keys_path(machine.one), make_registration(machine.key))
    unwrap(admin.send(f"{get_keys_path(machine.one)}/{machine.kid}/revoke"))

    back = add(admin, get_keys_path(machine.one), make_registration(machine.key))

    assert get_problem(again) == get_problem(back) == (409, "public-key-known")


def test_one_person_ends_a_key_and_its_tokens_with_the_next_request(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    register_key(admin, second, machine.one, machine.key)
    by_token = machine.sign_in()
    before = by_token.get("/me").status_code

    ended = unwrap(second.send(f"{get_keys_path(machine.one)}/{machine.kid}/revoke"))

    assert (before, by_token.get("/me").status_code) == (200, 401)
    assert ended["revoked_at"] == "2026-06-01T12:00:00Z"
    assert (
        unwrap(second.send(f"{get_keys_path(machine.one)}/{machine.kid}/revoke")) == ended
    )
    assert machine.request_token().json()["error"] == "invalid_client"


def test_a_machine_ends_its_own_key(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    register_key(admin, second, machine.one, machine.key)

    unwrap(machine.one.send(f"{get_keys_path(machine.one)}/{machine.kid}/revoke"))

    assert machine.request_token().status_code == 401


def test_it_changes_over_to_another_key_without_a_pause(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    old, new = machine, Machine(machine.one, get_key_pair("EdDSA"), "EdDSA")
    register_key(admin, second, old.one, old.key)
    register_key(admin, second, new.one, new.key)
    with_old, with_new = old.sign_in(), new.sign_in()

    unwrap(admin.send(f"{get_keys_path(old.one)}/{old.kid}/revoke"))

    answers = [
        with_old.get("/me"),
        with_new.get("/me"),
        old.request_token(),
        new.request_token(),
    ]
    assert [one.status_code for one in answers] == [401, 200, 401, 200]


def test_a_key_expires_on_time_and_so_do_its_tokens(
    world: World, admin: Someone, second: Someone, machine: Machine
) -> None:
    register_key(admin, second, machine.one, machine.key, days=1)
    world.advance(days=1, minutes=-5)
    last = unwrap(machine.request_token())
    by_token = Someone(world, "KZ_LEAD", machine.one.actor, last["access_token"])
    world.advance(minutes=5, seconds=-1)
    before = by_token.get("/me").status_code
    world.advance(seconds=1)

    assert last["expires_in"] == 300
    assert (before, by_token.get("/me").status_code) == (200, 401)
    assert machine.request_token().status_code == 401


def test_what_two_agreed_before_does_not_undo_what_one_took_away(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    register_key(admin, second, machine.one, machine.key)
    body = make_registration(get_key_pair("EdDSA"))
    approval_id = get_approval_id(add(admin, get_keys_path(machine.one), body))
    unwrap(approve(second, approval_id))

    unwrap(second.send(f"{get_keys_path(machine.one)}/{machine.kid}/revoke"))

    used = add(admin, get_keys_path(machine.one), body, approval_id)
    assert get_problem(used) == (409, "approval-unusable")


def test_who_registered_a_key_is_no_second_person_to_that_machine(
    world: World, officer: Someone, supervisor: Someone, machine: Machine
) -> None:
    """The person who registered a machine's key cannot approve the machine's actions.

    This person may hold the private key, and may have acted as the machine.
    """
    colleague, third = (world.add_person("KZ_LEAD", SUPERVISOR) for _ in "12")
    scopes = ("cases:read", "cases:write", "approvals:write")
    register_key(supervisor, colleague, machine.one, machine.key, scopes)
    acting = machine.sign_in()
    case = acting.take_lead(officer.submit())
    approval_id = get_approval_id(acting.does("close", case, make_closure()))

    assert get_problem(approve(supervisor, approval_id)) == (409, "not-a-second-person")
    assert unwrap(approve(third, approval_id))["decision"] == "approved"


def test_a_retry_is_answered_as_the_first_time(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    body, key = make_registration(machine.key), str(uuid4())
    approval_id = get_approval_id(add(admin, get_keys_path(machine.one), body))
    unwrap(approve(second, approval_id))
    headers = {"idempotency_key": key, "approval": approval_id}

    first = admin.send(get_keys_path(machine.one), body, **headers)
    again = admin.send(get_keys_path(machine.one), body, **headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"


def test_what_becomes_of_a_key_is_told_to_its_office_and_to_who_watches(
    world: World, admin: Someone, second: Someone, lead: Someone, machine: Machine
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO")
    register_key(admin, second, machine.one, machine.key)
    unwrap(admin.send(f"{get_keys_path(machine.one)}/{machine.kid}/revoke"))

    events, watched = lead.poll(), watcher.poll()

    assert list_types(events)[-2:] == [
        "account.public_key_registered",
        "account.public_key_revoked",
    ]
    assert [one["id"] for one in watched] == [one["id"] for one in events]
    assert machine.kid not in json.dumps(events)


@pytest.mark.parametrize(
    "key",
    [
        ECKey.generate_key("P-384"),
        get_key_pair("RS384"),
        get_key_pair("EdDSA"),
        get_key_pair("ES384"),
    ],
)
def test_a_private_key_is_refused_by_that_name_and_kept_nowhere(
    world: World, admin: Someone, machine: Machine, key: Any
) -> None:
    secret = dict(key.as_dict(private=True))

    refused = add(admin, get_keys_path(machine.one), {"jwk": secret, "scopes": READS})

    assert get_problem(refused) == (422, "request-invalid")
    [fault] = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("#/jwk", "private_key_sent")
    assert secret["d"] not in refused.text
    with world.database.begin_read() as session:
        for table in ("public_key", "approval", "outcome"):
            rows = session.connection().exec_driver_sql(f"SELECT * FROM {table}").all()
            assert rows == []


WEAK: dict[str, Json] = {
    "a curve that is weaker": get_public_key(ECKey.generate_key("P-256")),
    "a curve that is stronger": get_public_key(ECKey.generate_key("P-521")),
    "a curve of coins": get_public_key(ECKey.generate_key("secp256k1")),
    "a curve that signs nothing": get_public_key(OKPKey.generate_key("X25519")),
    "Ed448": get_public_key(OKPKey.generate_key("Ed448")),
    "2048 bits": get_public_key(RSAKey.generate_key(2048)),
    "few bits, written long": RSA | {"n": "A" * 256 + RSA["n"][256:]},
    "more bits than are worth it": RSA | {"n": RSA["n"] * 2},
    "another exponent": RSA | {"e": "AQAC"},
    "an exponent of 3": RSA | {"e": "Aw"},
    "an exponent of 1": RSA | {"e": "AQ"},
    "a point that is not on the curve": P_384 | {"y": P_384["x"]},
    "no point": {"kty": "EC", "crv": "P-384", "x": P_384["x"]},
    "a name of another curve": P_384 | {"crv": "P-256"},
    "another algorithm": P_384 | {"alg": "ES256"},
    "an algorithm of another kind": RSA | {"alg": "PS384"},
    "an algorithm of none": ED25519 | {"alg": "none"},
    "for secrets": P_384 | {"use": "enc"},
    "to sign with": P_384 | {"key_ops": ["sign"]},
    "a name of its own": P_384 | {"kid": "A" * 43},
    "a place to look": P_384 | {"x5u": "https://elsewhere.example"},
    "a shared secret": dict(OctKey.generate_key(384).as_dict(private=True)),
    "nothing": {},
    "not padded as it should be": ED25519 | {"x": f"{ED25519['x']}="},
    "bits after the end": ED25519 | {"x": f"{ED25519['x'][:-1]}B"},
}


@pytest.mark.parametrize("jwk", WEAK.values(), ids=WEAK.keys())
def test_what_is_no_key_of_ours_is_refused(
    admin: Someone, machine: Machine, jwk: Json
) -> None:
    refused = add(admin, get_keys_path(machine.one), {"jwk": jwk, "scopes": READS})

    assert get_problem(refused) == (422, "request-invalid")
    assert all(str(value) not in refused.text for value in jwk.values() if len(value) > 9)


def test_its_own_thumbprint_may_be_said(admin: Someone, machine: Machine) -> None:
    named = P_384 | {"kid": machine.kid, "alg": "ES384", "use": "sig"}

    assert get_approval_id(
        add(admin, get_keys_path(machine.one), {"jwk": named, "scopes": READS})
    )


@pytest.mark.parametrize("role", [Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR])
def test_nobody_else_looks_after_machines(
    world: World, machine: Machine, role: Role
) -> None:
    other = world.add_person("KZ_LEAD", {role})

    refused = [
        other.get(get_keys_path(machine.one)),
        add(other, get_keys_path(machine.one), make_registration(machine.key)),
        other.send(f"{get_keys_path(machine.one)}/{machine.kid}/revoke"),
    ]

    assert [get_problem(one) for one in refused] == [(403, "role-missing")] * 3


def test_an_office_sees_no_machine_of_another(
    world: World, admin: Someone, second: Someone, supervisor: Someone
) -> None:
    theirs = Machine(open_machine_account(world, "IOM"), get_key_pair("ES384"))
    register_key(admin, second, theirs.one, theirs.key)

    hidden = [
        supervisor.get(get_keys_path(theirs.one)),
        add(
            supervisor, get_keys_path(theirs.one), make_registration(get_key_pair("EdDSA"))
        ),
        supervisor.send(f"{get_keys_path(theirs.one)}/{theirs.kid}/revoke"),
        admin.send(f"{get_keys_path(theirs.one)}/{'A' * 43}/revoke"),
    ]

    assert [get_problem(one) for one in hidden] == [(404, "not-found")] * 4
