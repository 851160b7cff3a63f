"""Attacks on the rows that give rights, by an attacker who can write to the database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response
from structlog.testing import capture_logs

from app.access.actions import create_key, disable_account, revoke_key
from app.access.credentials import hash_key
from app.access.enrolment_models import Enrolment
from app.access.models import AccessToken, Account, ApiKey, Passkey, Person, UserSession
from app.access.protection import (
    count_unprotected,
    has_fitting_key,
    protect_account_again,
    protect_accounts,
)
from app.access.row_protection import create_macs
from app.kernel.actors import Role, Scope
from app.kernel.file_keys import FileKeys
from app.kernel.macs import NotAuthentic
from tests.support.account_changes import add, get_account_path
from tests.support.authenticators import Authenticator
from tests.support.database_attacks import Attacker
from tests.support.directory_changes import write_macs
from tests.support.machine_keys import register_machine
from tests.support.passkeys import Invited, Office, sign_in
from tests.support.sessions import add_account_of
from tests.support.sessions import sign_in as open_session
from tests.support.world import WORKERS, Json, Someone, World, get_problem, unwrap

FORGED = "sc_00000000ff_forged"
PREFIX = "00000000ff"


def use(world: World, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return world.http.get("/v1/me", headers=headers).status_code


def make_forged_key(world: World, account: Someone, **changes: Any) -> dict[str, Any]:
    """Return a row of an API key that only the attacker knows."""
    return {
        "prefix": PREFIX,
        "account_id": account.actor.account_id,
        "hash": hash_key(FORGED),
        "scopes": sorted(Scope),
        "made_at": world.now,
        "expires_at": world.now + timedelta(days=90),
    } | changes


def test_inserted_key_opens_nothing_and_is_reported(world: World, lead: Someone) -> None:
    Attacker(world).insert(ApiKey, make_forged_key(world, lead))

    with capture_logs() as logs:
        assert use(world, FORGED) == 401
    [alarm] = [line for line in logs if line["event"] == "row.forged"]
    assert (alarm["table"], alarm["row"]) == ("api_key", PREFIX)
    assert FORGED not in str(logs)


@pytest.fixture
def unprotected(world: World, lead: Someone) -> Iterator[Someone]:
    """Yield a person whose account has no MAC, while the service accepts such accounts."""
    macs, attacker = world.runtime.row_macs, Attacker(world)
    refuses = macs.accepts_missing
    attacker.update(Account, lead.actor.account_id, mac=None)
    attacker.update(Person, lead.actor.person_id, mac=None)
    macs.accepts_missing = lambda: True
    yield lead
    macs.accepts_missing = refuses


def test_inserted_key_worked_before(world: World, unprotected: Someone) -> None:
    """The attack works on an account without a MAC, while such accounts are accepted."""
    Attacker(world).insert(ApiKey, make_forged_key(world, unprotected))
    assert use(world, FORGED) == 200

    world.runtime.row_macs.accepts_missing = lambda: False
    assert use(world, FORGED) == 401
    assert use(world, unprotected.key) == 401


def test_protected_account_takes_no_forged_key(world: World, unprotected: Someone) -> None:
    before = count_all(world)
    assert [*protect_accounts(world.runtime)][-1] == (before, before)
    assert count_all(world) == 0
    assert [*protect_accounts(world.runtime)] == []
    world.runtime.row_macs.accepts_missing = lambda: False

    Attacker(world).insert(ApiKey, make_forged_key(world, unprotected))
    assert use(world, FORGED) == 401
    assert use(world, unprotected.key) == 200


def count_all(world: World) -> int:
    with world.database.begin_read() as session:
        return count_unprotected(session)


def test_copied_key_of_another_account_opens_nothing(
    world: World, lead: Someone, officer: Someone
) -> None:
    """A key that an attacker moves to another account opens nothing."""
    key = lead.key.split("_")[1]
    Attacker(world).update(ApiKey, key, account_id=officer.actor.account_id)
    assert use(world, lead.key) == 401


def test_exchanged_macs_open_nothing(world: World, lead: Someone, officer: Someone) -> None:
    attacker, model = Attacker(world), Account
    one, other = lead.actor.account_id, officer.actor.account_id
    macs = [attacker.read(model, account)["mac"] for account in (one, other)]
    attacker.update(model, one, mac=macs[1])
    attacker.update(model, other, mac=macs[0])
    assert (use(world, lead.key), use(world, officer.key)) == (401, 401)


def test_revoked_key_is_not_restored(world: World, lead: Someone) -> None:
    attacker, model = Attacker(world), ApiKey
    prefix = lead.key.split("_")[1]
    before = attacker.read(model, prefix)
    with world.database.begin_write() as session:
        revoke_key(session, prefix, world.now)
    assert use(world, lead.key) == 401

    attacker.update(model, prefix, **before)
    assert use(world, lead.key) == 401
    world.advance(days=2)
    assert use(world, lead.key) == 401


def test_whole_account_rolled_back_is_not_noticed(world: World, lead: Someone) -> None:
    """An attacker can restore all rows of an account, as docs/assurance.md says."""
    attacker, prefix = Attacker(world), lead.key.split("_")[1]
    key = attacker.read(ApiKey, prefix)
    account = attacker.read(Account, lead.actor.account_id)
    with world.database.begin_write() as session:
        revoke_key(session, prefix, world.now)

    attacker.update(ApiKey, prefix, **key)
    attacker.update(Account, lead.actor.account_id, **account)
    assert use(world, lead.key) == 200


def test_forged_row_is_not_accepted_by_a_later_change(world: World, lead: Someone) -> None:
    """A change to the account by the service does not make the forged key valid."""
    Attacker(world).insert(ApiKey, make_forged_key(world, lead))
    with world.database.begin_write() as session:
        new = create_key(session, lead.actor.account_id, Scope, world.now)

    assert (use(world, new), use(world, lead.key), use(world, FORGED)) == (200, 200, 401)


def test_change_of_a_forged_key_is_refused(world: World, lead: Someone) -> None:
    forged = make_forged_key(world, lead)
    Attacker(world).insert(ApiKey, forged)
    with pytest.raises(NotAuthentic), world.database.begin_write() as session:
        session.get_one(ApiKey, PREFIX).expires_at += timedelta(days=1)

    assert use(world, FORGED) == 401


def test_inserted_token_opens_nothing(world: World) -> None:
    machine = register_machine(world)
    token = machine.sign_in()
    attacker, model = Attacker(world), AccessToken
    row = attacker.read(model, token.key.split("_")[1])
    forged = "sct_00000000ff_forged"
    attacker.insert(
        model, row | {"prefix": PREFIX, "assertion": "0" * 64, "hash": hash_key(forged)}
    )
    assert use(world, forged) == 401
    assert use(world, token.key) == 200


def test_inserted_session_opens_nothing(world: World, lead: Someone) -> None:
    session = open_session(lead)
    attacker, model = Attacker(world), UserSession
    row = attacker.read(model, session.key.split("_")[1])
    forged = "scs_00000000ff_forged"
    attacker.insert(
        model, row | {"prefix": PREFIX, "id": uuid4(), "hash": hash_key(forged)}
    )
    assert use(world, forged) == 401
    assert use(world, session.key) == 200


def test_ended_session_is_not_restored(world: World, lead: Someone) -> None:
    session = open_session(lead)
    attacker, model = Attacker(world), UserSession
    prefix = session.key.split("_")[1]
    row = attacker.read(model, prefix)
    assert session.send("/sessions/end").status_code == 204

    attacker.update(model, prefix, **row)
    assert use(world, session.key) == 401


def test_inserted_passkey_opens_no_session(world: World) -> None:
    """A passkey that an attacker moves to another person cannot be used to sign in."""
    office = Office(world)
    made, _ = office.enrol(Authenticator())
    attacker, model = Attacker(world), Passkey
    own, device = Office(world, "UZ_LEAD"), Authenticator()
    stolen, _ = own.enrol(device)
    passkey_id = find_passkey(attacker, stolen)
    attacker.update(model, passkey_id, person_id=office.newcomer.actor.person_id)

    assert sign_in(world, stolen, device).status_code == 401
    assert office.newcomer.get("/me").status_code == 200
    assert made != stolen


def find_passkey(attacker: Attacker, made: Any) -> Any:
    return attacker.find(Passkey, credential_id=made.id)["id"]


def test_changed_link_gives_no_passkey(world: World) -> None:
    """A person who knows the code of an enrolment and replaces its link is refused."""
    invited = Office(world).open_enrolment()
    attacker, model = Attacker(world), Enrolment
    row = attacker.find(model, link_prefix=invited.link.split("_")[1])
    link = f"sce_{PREFIX}_{'f' * 43}"
    attacker.update(model, row["id"], link_prefix=PREFIX, link_hash=hash_key(link))

    assert Invited(world, "", link, invited.code).ask_options().status_code == 401


def test_given_role_opens_nothing(world: World, lead: Someone) -> None:
    roles = sorted(Role)
    Attacker(world).update(Account, lead.actor.account_id, roles=roles)
    assert use(world, lead.key) == 401


def make_linking_key(office: Office) -> str:
    """Make the second supervisor the creator of a key of the first; return its prefix."""
    first, second = office.first.actor.account_id, office.second.actor.account_id
    with office.world.database.begin_write() as session:
        key = create_key(session, first, Scope, office.world.now)
        prefix = key.split("_")[1]
        session.get_one(ApiKey, prefix).made_by = second
    return prefix


@pytest.mark.parametrize(
    "changes",
    [
        {"made_by": uuid4()},
        {"revoked_at": datetime(2026, 5, 1, tzinfo=UTC)},
        {"expires_at": datetime(2026, 5, 1, tzinfo=UTC)},
        {"account_id": uuid4()},
        None,
    ],
    ids=["made_by", "revoked", "expired", "moved", "deleted"],
)
def test_key_that_links_two_people_cannot_be_hidden(
    world: World, changes: dict[str, Any] | None
) -> None:
    """No enrolment is confirmed if the key that links two people was changed or deleted."""
    office = Office(world)
    prefix = make_linking_key(office)
    made = unwrap(office.begin())
    assert confirm(office, made).status_code == 409

    attacker = Attacker(world)
    if changes is None:
        attacker.delete(ApiKey, prefix)
    else:
        attacker.update(ApiKey, prefix, **changes)
    assert confirm(office, made).status_code == 500


def confirm(office: Office, made: Json) -> Response:
    return office.second.send(f"/enrolments/{made['id']}/confirm")


def test_account_of_a_person_cannot_be_hidden(world: World) -> None:
    """Two supervisors cannot enrol a person by hiding an account at another office."""
    office = Office(world)
    other = add_account_of(office.newcomer, "UZ_LEAD", WORKERS)
    assert office.begin().status_code == 403

    attacker = Attacker(world)
    attacker.update(Account, other.actor.account_id, person_id=None)
    assert office.begin().status_code == 500
    attacker.update(
        Account, other.actor.account_id, person_id=office.newcomer.actor.person_id
    )
    assert office.begin().status_code == 403


def test_forged_account_of_a_person_does_not_stop_their_sign_in(world: World) -> None:
    device = Authenticator()
    office = Office(world)
    made, _ = office.enrol(device)
    stranger = world.add_person("UZ_LEAD")
    Attacker(world).update(
        Account,
        stranger.actor.account_id,
        person_id=office.newcomer.actor.person_id,
        opened_at=world.now - timedelta(days=1),
    )

    assert sign_in(world, made, device).status_code == 201


@pytest.mark.parametrize(
    "hidden",
    [{"revoked_at": datetime(2026, 5, 1, tzinfo=UTC)}, {"hash": "0" * 64}],
    ids=["as ended", "changed"],
)
def test_key_that_was_hidden_while_it_was_revoked_stays_revoked(
    world: World, hidden: dict[str, Any]
) -> None:
    office, attacker = Office(world), Attacker(world)
    who = office.newcomer
    prefix = who.key.split("_")[1]
    row = attacker.read(ApiKey, prefix)
    attacker.update(ApiKey, prefix, **hidden)
    path = f"{get_account_path(who)}/keys/{prefix}/revoke"
    assert office.first.send(path).is_success

    attacker.update(ApiKey, prefix, **row)
    assert use(world, who.key) == 401


def test_passkey_that_was_hidden_in_a_recovery_stays_removed(world: World) -> None:
    """A passkey that was hidden during a recovery is refused when it is restored."""
    office, attacker, stolen = Office(world), Attacker(world), Authenticator()
    made, by_passkey = office.enrol(stolen)
    passkey = attacker.find(Passkey, person_id=office.newcomer.actor.person_id)
    session = attacker.read(UserSession, by_passkey.key.split("_")[1])
    invited = office.open_enrolment(recovery=True)
    attacker.update(Passkey, passkey["id"], removed_at=world.now)
    attacker.update(UserSession, session["prefix"], ended_at=world.now)
    invited.redeem(Authenticator())

    attacker.update(Passkey, passkey["id"], **passkey)
    attacker.update(UserSession, session["prefix"], **session)
    assert sign_in(world, made, stolen).status_code == 401
    assert use(world, by_passkey.key) == 401


def test_rotated_key_does_not_take_over_forged_scopes(world: World) -> None:
    office, attacker = Office(world), Attacker(world)
    prefix = office.newcomer.key.split("_")[1]
    attacker.update(ApiKey, prefix, scopes=["directory:read"])
    path = f"{get_account_path(office.newcomer)}/keys/{prefix}/rotate"
    refused = add(office.first, path, {"days": 30, "overlap_hours": 0})

    assert get_problem(refused) == (409, "account-disabled")


def test_forged_account_can_be_disabled(world: World) -> None:
    """An account with forged roles can be disabled, and its key stays refused."""
    office, attacker = Office(world), Attacker(world)
    account = office.newcomer.actor.account_id
    roles = attacker.read(Account, account)["roles"]
    attacker.update(Account, account, roles=sorted(Role))
    assert use(world, office.newcomer.key) == 401
    assert office.first.get("/accounts").status_code == 200

    with world.database.begin_write() as session:
        disable_account(session, account, world.now)
    attacker.update(Account, account, disabled_at=None)
    assert use(world, office.newcomer.key) == 401
    attacker.update(Account, account, roles=roles)
    assert use(world, office.newcomer.key) == 401


def test_clock_that_was_ahead_for_a_moment_makes_no_key_invalid(
    world: World, lead: Someone
) -> None:
    now = world.now
    world.advance(days=5000)
    with world.database.begin_write() as session:
        create_key(session, lead.actor.account_id, Scope, world.now)
    world.now = now

    assert use(world, lead.key) == 200


def test_ended_enrolment_is_answered_as_before(world: World) -> None:
    """An enrolment that expired days ago has no digest; confirming it raises no alarm."""
    office = Office(world)
    made = unwrap(office.begin())
    world.advance(days=5)
    with capture_logs() as logs:
        late = confirm(office, made)

    assert late.status_code == 409
    assert [line for line in logs if line["event"] == "row.forged"] == []


def test_operator_protects_a_changed_account_again(world: World) -> None:
    """An operator lets the key of a changed account work again, and ends its sessions."""
    office, attacker = Office(world), Attacker(world)
    made, by_passkey = office.enrol(Authenticator())
    account = office.newcomer.actor.account_id
    attacker.update(Account, account, label="duty 9")
    assert use(world, office.newcomer.key) == 401

    protect_account_again(world.runtime, account)
    assert use(world, office.newcomer.key) == 200
    assert use(world, by_passkey.key) == 401
    assert sign_in(world, made).status_code == 201


def test_forged_passkey_is_not_protected_again(world: World) -> None:
    office, attacker, device = Office(world), Attacker(world), Authenticator()
    own, _ = Office(world, "UZ_LEAD").enrol(device)
    attacker.update(
        Passkey,
        attacker.find(Passkey, credential_id=own.id)["id"],
        person_id=office.newcomer.actor.person_id,
    )
    protect_account_again(world.runtime, office.newcomer.actor.account_id)

    assert sign_in(world, own, device).status_code == 401
    assert use(world, office.newcomer.key) == 200


def test_accounts_are_protected_again_with_a_new_key_file(world: World) -> None:
    """A new key file is accepted after an account and the directory are protected again."""
    office = Office(world)
    made, _ = office.enrol(Authenticator())
    world.database.macs = create_macs(
        FileKeys({"k1": b"another key" * 3}), lambda: world.now
    )
    with world.database.begin_read() as session:
        assert not has_fitting_key(session)
    assert use(world, office.newcomer.key) == 401

    protect_account_again(world.runtime, office.newcomer.actor.account_id)
    with world.database.begin_read() as session:
        assert has_fitting_key(session)
    assert use(world, office.newcomer.key) == 500  # the row of its office does not match
    with world.database.begin_write() as session:
        write_macs(session)
    assert use(world, office.newcomer.key) == 200
    assert sign_in(world, made).status_code == 401
