"""Tests of machine keys: two people register one, and one revokes it (R14, R21, R26)."""

import json
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from app.kernel.actors import Role
from tests.support.account_changes import SUPERVISOR, account_of, allows, gives, question
from tests.support.administrators import ADMINISTRATOR
from tests.support.machine_keys import (
    READS,
    Machine,
    account,
    keys_of,
    pair,
    public,
    register,
    registering,
)
from tests.support.world import Json, Someone, World, closing, done, kinds, problem

P_384 = public(pair("ES384"))
RSA = public(pair("RS384"))
ED25519 = public(pair("EdDSA"))


@pytest.fixture
def admin(world: World) -> Someone:
    return world.someone("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.someone("OVERSIGHT_DEMO", ADMINISTRATOR)


@pytest.fixture
def machine(world: World) -> Machine:
    return Machine(account(world), pair("ES384"))


@pytest.mark.parametrize("alg", ["ES384", "RS384", "EdDSA"])
def test_a_machine_signs_in_with_what_two_people_registered(
    admin: Someone, second: Someone, machine: Machine, alg: str
) -> None:
    machine.key, machine.alg = pair(alg), alg

    made = register(admin, second, machine.one, machine.key)

    assert made == {
        "kid": machine.kid,
        "alg": alg,
        "scopes": READS,
        "made_at": "2026-06-01T12:00:00Z",
        "expires_at": "2026-08-30T12:00:00Z",
        "revoked_at": None,
        "registered_by": str(admin.actor.account_id),
    }
    assert done(admin.get(keys_of(machine.one)))["items"] == [made]
    assert done(machine.signs_in().get("/me"))["kind"] == "integration"


def test_two_supervisors_do_it_for_their_own_office(
    world: World, supervisor: Someone, machine: Machine
) -> None:
    colleague = world.someone("KZ_LEAD", SUPERVISOR)

    assert register(supervisor, colleague, machine.one, machine.key)["kid"] == machine.kid


def test_one_person_alone_registers_nothing(admin: Someone, machine: Machine) -> None:
    asked = question(gives(admin, keys_of(machine.one), registering(machine.key)))

    assert problem(allows(admin, asked)) == (409, "not-a-second-person")
    refused = gives(admin, keys_of(machine.one), registering(machine.key), asked)
    assert problem(refused) == (409, "approval-unusable")
    assert done(admin.get(keys_of(machine.one)))["items"] == []


def test_the_second_person_reads_which_key_it_is(
    admin: Someone, supervisor: Someone, machine: Machine
) -> None:
    asked = question(gives(admin, keys_of(machine.one), registering(machine.key)))

    seen = done(supervisor.get(f"/approvals/{asked}"))

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
    body = registering(machine.key)
    asked = question(gives(admin, keys_of(machine.one), body))
    done(allows(second, asked))

    used = gives(admin, keys_of(machine.one), body | other, asked)

    assert problem(used) == (409, "approval-unusable")


def test_a_person_signs_nothing(admin: Someone, lead: Someone) -> None:
    refused = gives(admin, keys_of(lead), registering(pair("ES384")))

    assert problem(refused) == (409, "not-a-machine")


def test_an_account_that_has_ended_gets_none(admin: Someone, machine: Machine) -> None:
    done(admin.post(f"{account_of(machine.one)}/disable"))

    refused = gives(admin, keys_of(machine.one), registering(machine.key))

    assert problem(refused) == (409, "account-ended")


def test_a_key_that_was_revoked_does_not_come_back(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    register(admin, second, machine.one, machine.key)
    again = gives(admin, keys_of(machine.one), registering(machine.key))
    done(admin.post(f"{keys_of(machine.one)}/{machine.kid}/revoke"))

    back = gives(admin, keys_of(machine.one), registering(machine.key))

    assert problem(again) == problem(back) == (409, "public-key-known")


def test_one_person_ends_a_key_and_its_tokens_with_the_next_request(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    register(admin, second, machine.one, machine.key)
    by_token = machine.signs_in()
    before = by_token.get("/me").status_code

    ended = done(second.post(f"{keys_of(machine.one)}/{machine.kid}/revoke"))

    assert (before, by_token.get("/me").status_code) == (200, 401)
    assert ended["revoked_at"] == "2026-06-01T12:00:00Z"
    assert done(second.post(f"{keys_of(machine.one)}/{machine.kid}/revoke")) == ended
    assert machine.asks().json()["error"] == "invalid_client"


def test_a_machine_ends_its_own_key(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    register(admin, second, machine.one, machine.key)

    done(machine.one.post(f"{keys_of(machine.one)}/{machine.kid}/revoke"))

    assert machine.asks().status_code == 401


def test_it_changes_over_to_another_key_without_a_pause(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    old, new = machine, Machine(machine.one, pair("EdDSA"), "EdDSA")
    register(admin, second, old.one, old.key)
    register(admin, second, new.one, new.key)
    with_old, with_new = old.signs_in(), new.signs_in()

    done(admin.post(f"{keys_of(old.one)}/{old.kid}/revoke"))

    answers = [with_old.get("/me"), with_new.get("/me"), old.asks(), new.asks()]
    assert [one.status_code for one in answers] == [401, 200, 401, 200]


def test_a_key_expires_on_time_and_so_do_its_tokens(
    world: World, admin: Someone, second: Someone, machine: Machine
) -> None:
    register(admin, second, machine.one, machine.key, days=1)
    world.passes(days=1, minutes=-5)
    last = done(machine.asks())
    by_token = Someone(world, "KZ_LEAD", machine.one.actor, last["access_token"])
    world.passes(minutes=5, seconds=-1)
    before = by_token.get("/me").status_code
    world.passes(seconds=1)

    assert last["expires_in"] == 300
    assert (before, by_token.get("/me").status_code) == (200, 401)
    assert machine.asks().status_code == 401


def test_what_two_agreed_before_does_not_undo_what_one_took_away(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    register(admin, second, machine.one, machine.key)
    body = registering(pair("EdDSA"))
    asked = question(gives(admin, keys_of(machine.one), body))
    done(allows(second, asked))

    done(second.post(f"{keys_of(machine.one)}/{machine.kid}/revoke"))

    used = gives(admin, keys_of(machine.one), body, asked)
    assert problem(used) == (409, "approval-unusable")


def test_who_registered_a_key_is_no_second_person_to_that_machine(
    world: World, officer: Someone, supervisor: Someone, machine: Machine
) -> None:
    """The registrant may hold the private key and may have acted as the machine."""
    colleague, third = (world.someone("KZ_LEAD", SUPERVISOR) for _ in "12")
    scopes = ("cases:read", "cases:write", "approvals:write")
    register(supervisor, colleague, machine.one, machine.key, scopes)
    acting = machine.signs_in()
    case = acting.leads(officer.submits())
    asked = question(acting.does("close", case, closing()))

    assert problem(allows(supervisor, asked)) == (409, "not-a-second-person")
    assert done(allows(third, asked))["decision"] == "approved"


def test_a_retry_is_answered_as_the_first_time(
    admin: Someone, second: Someone, machine: Machine
) -> None:
    body, key = registering(machine.key), str(uuid4())
    asked = question(gives(admin, keys_of(machine.one), body))
    done(allows(second, asked))
    said = {"idempotency_key": key, "approval": asked}

    first = admin.post(keys_of(machine.one), body, **said)
    again = admin.post(keys_of(machine.one), body, **said)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"


def test_what_becomes_of_a_key_is_told_to_its_office_and_to_who_watches(
    world: World, admin: Someone, second: Someone, lead: Someone, machine: Machine
) -> None:
    watcher = world.someone("OVERSIGHT_DEMO")
    register(admin, second, machine.one, machine.key)
    done(admin.post(f"{keys_of(machine.one)}/{machine.kid}/revoke"))

    told, watched = lead.hears(), watcher.hears()

    assert kinds(told)[-2:] == [
        "account.public_key_registered",
        "account.public_key_revoked",
    ]
    assert [one["id"] for one in watched] == [one["id"] for one in told]
    assert machine.kid not in json.dumps(told)


@pytest.mark.parametrize(
    "key", [ECKey.generate_key("P-384"), pair("RS384"), pair("EdDSA"), pair("ES384")]
)
def test_a_private_key_is_refused_by_that_name_and_kept_nowhere(
    world: World, admin: Someone, machine: Machine, key: Any
) -> None:
    secret = dict(key.as_dict(private=True))

    refused = gives(admin, keys_of(machine.one), {"jwk": secret, "scopes": READS})

    assert problem(refused) == (422, "request-invalid")
    [fault] = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("#/jwk", "private_key_sent")
    assert secret["d"] not in refused.text
    with world.database.reading() as session:
        for table in ("public_key", "approval", "outcome"):
            rows = session.connection().exec_driver_sql(f"SELECT * FROM {table}").all()
            assert rows == []


WEAK: dict[str, Json] = {
    "a curve that is weaker": public(ECKey.generate_key("P-256")),
    "a curve that is stronger": public(ECKey.generate_key("P-521")),
    "a curve of coins": public(ECKey.generate_key("secp256k1")),
    "a curve that signs nothing": public(OKPKey.generate_key("X25519")),
    "Ed448": public(OKPKey.generate_key("Ed448")),
    "2048 bits": public(RSAKey.generate_key(2048)),
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
    refused = gives(admin, keys_of(machine.one), {"jwk": jwk, "scopes": READS})

    assert problem(refused) == (422, "request-invalid")
    assert all(str(value) not in refused.text for value in jwk.values() if len(value) > 9)


def test_its_own_thumbprint_may_be_said(admin: Someone, machine: Machine) -> None:
    named = P_384 | {"kid": machine.kid, "alg": "ES384", "use": "sig"}

    assert question(gives(admin, keys_of(machine.one), {"jwk": named, "scopes": READS}))


@pytest.mark.parametrize("role", [Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR])
def test_nobody_else_looks_after_machines(
    world: World, machine: Machine, role: Role
) -> None:
    other = world.someone("KZ_LEAD", {role})

    refused = [
        other.get(keys_of(machine.one)),
        gives(other, keys_of(machine.one), registering(machine.key)),
        other.post(f"{keys_of(machine.one)}/{machine.kid}/revoke"),
    ]

    assert [problem(one) for one in refused] == [(403, "role-missing")] * 3


def test_an_office_sees_no_machine_of_another(
    world: World, admin: Someone, second: Someone, supervisor: Someone
) -> None:
    theirs = Machine(account(world, "IOM"), pair("ES384"))
    register(admin, second, theirs.one, theirs.key)

    hidden = [
        supervisor.get(keys_of(theirs.one)),
        gives(supervisor, keys_of(theirs.one), registering(pair("EdDSA"))),
        supervisor.post(f"{keys_of(theirs.one)}/{theirs.kid}/revoke"),
        admin.post(f"{keys_of(theirs.one)}/{'A' * 43}/revoke"),
    ]

    assert [problem(one) for one in hidden] == [(404, "not-found")] * 4
