"""Rights that end while an attacker hides their rows give nothing when they are restored.

The attacker can write to the database, and has no key (ADR 80).
"""

from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from httpx2 import Response

from app.access.enrolment_models import Enrolment
from app.access.models import Account, PublicKey, UserSession
from app.kernel.actors import Role
from tests.support.account_changes import add
from tests.support.administrators import ADMINISTRATOR
from tests.support.authenticators import Authenticator, Credential
from tests.support.database_attacks import BEFORE, Attacker, Row
from tests.support.hidden_rows import add_hiding_policy, list_patterns
from tests.support.machine_keys import (
    OFFICES,
    get_keys_path,
    make_registration,
    register_machine,
)
from tests.support.passkeys import (
    Invited,
    Office,
    add_passkey,
    begin_enrolment,
    create_operator_enrolment,
    sign_in,
    take_session,
)
from tests.support.sessions import add_account_of
from tests.support.sessions import sign_in as open_session
from tests.support.world import Someone, World, get_problem, unwrap

ALTERED: Final = (500, "records-altered")
NO_MAKERS: Final = {"created_by": None, "confirmed_by": None}


def hide(attacker: Attacker, model: Any, row: Row, values: Row | None) -> None:
    """Write these values into a row, or delete the row if `values` is None."""
    if values is None:
        attacker.delete_row(model, row)
    elif values:
        attacker.write(model, row, values)


def restore(attacker: Attacker, model: Any, row: Row, values: Row | None) -> None:
    """Restore a row that was hidden with these values."""
    if values is None:
        attacker.insert(model, row)
    elif values:
        attacker.write(model, row, {name: row[name] for name in values})


@pytest.mark.usefixtures("pg_url")
def test_person_whose_passkey_is_hidden_from_a_statement_gets_no_second_one(
    world: World,
) -> None:
    """If an enrolment that is no recovery begins, the earlier passkey is not valid."""
    office = Office(world)
    office.enrol(Authenticator())
    patterns = list_patterns(world, "passkey", office.begin)
    assert get_problem(office.begin()) == (409, "recovery-mismatch")

    assert patterns
    for pattern in patterns:
        office, device = Office(world), Authenticator()
        made, _ = office.enrol(device)
        with add_hiding_policy(world, "passkey", pattern):
            begun = office.begin()
        assert not begun.is_success or sign_in(world, made, device).status_code == 401


@pytest.mark.usefixtures("pg_url")
@pytest.mark.parametrize("table", ["passkey", "session"])
def test_rights_that_are_hidden_from_a_statement_of_a_recovery_end(
    world: World, table: str
) -> None:
    """The recovery ends the passkey and its session, or it fails and changes nothing."""
    patterns = list_patterns(world, table, lambda: recover(world)[-1])

    assert len(patterns) > 1
    for pattern in patterns:
        made, stolen, session, recovered = recover(world, table, pattern)
        if recovered.is_success:
            assert sign_in(world, made, stolen).status_code == 401, pattern
            assert session.get("/me").status_code == 401, pattern


def recover(
    world: World, table: str = "passkey", pattern: str = ""
) -> tuple[Credential, Authenticator, Someone, Response]:
    """Recover a person, while the rows of a table are hidden from some statements.

    Return the earlier passkey with its device and its session, and the response.
    """
    office, stolen, new = Office(world), Authenticator(), Authenticator()
    made, session = office.enrol(stolen)
    recovery = office.open_enrolment(recovery=True)
    _, credential = new.create(unwrap(recovery.ask_options()))
    with add_hiding_policy(world, table, pattern):
        return made, stolen, session, recovery.send(credential)


@pytest.fixture
def signed_in(world: World, lead: Someone) -> Someone:
    """Return a person who has signed in with a passkey."""
    return take_session(lead, create_operator_enrolment(world, lead).redeem()[1])


@pytest.fixture
def other(lead: Someone) -> Someone:
    """Return the same person with the API key of another account."""
    return add_account_of(lead, "UZ_LEAD", lead.actor.roles)


def read_session(attacker: Attacker, who: Someone) -> Row:
    return attacker.read(UserSession, who.key.split("_")[1])


@pytest.mark.parametrize(
    "hidden",
    [{}, {"ended_at": BEFORE}, {"hash": "0" * 64}, "moved"],
    ids=["as it is", "ended", "changed", "moved"],
)
@pytest.mark.parametrize("way", ["end", "end-all", "replace"])
def test_session_that_was_hidden_while_it_was_ended_stays_ended(
    world: World, signed_in: Someone, other: Someone, way: str, hidden: Any
) -> None:
    attacker, stolen = Attacker(world), open_session(other)
    row = read_session(attacker, stolen)
    if hidden == "moved":
        hidden = {"account_id": signed_in.actor.account_id}
    hide(attacker, UserSession, row, hidden)

    match way:
        case "end":
            answer = signed_in.send(f"/sessions/{row['id']}/end")
        case "end-all":
            answer = signed_in.send("/sessions/end-all")
        case _:
            answer = other.send("/sessions", {"replaces": str(row["id"])})
    assert answer.is_success
    restore(attacker, UserSession, row, hidden)

    assert stolen.get("/me").status_code == 401


def test_session_that_has_ended_can_be_ended_again(
    world: World, signed_in: Someone, other: Someone
) -> None:
    """The other sessions of the person go on."""
    attacker, first, second = Attacker(world), open_session(other), open_session(other)
    path = f"/sessions/{read_session(attacker, first)['id']}/end"
    for _ in range(2):
        assert signed_in.send(path).status_code == 204

    assert first.get("/me").status_code == 401
    assert second.get("/me").status_code == 200


def test_sessions_of_a_hidden_account_are_not_left_out(
    world: World, signed_in: Someone, other: Someone
) -> None:
    """The request fails, because the sessions of the hidden account would not end."""
    attacker, stolen = Attacker(world), open_session(other)
    row = read_session(attacker, stolen)
    account = attacker.read(Account, other.actor.account_id)
    attacker.update(UserSession, row["prefix"], ended_at=world.now)
    attacker.update(Account, account["id"], person_id=None)
    assert get_problem(signed_in.send("/sessions/end-all")) == ALTERED

    attacker.update(Account, account["id"], person_id=account["person_id"])
    assert signed_in.send("/sessions/end-all").status_code == 204
    attacker.update(UserSession, row["prefix"], **row)
    assert stolen.get("/me").status_code == 401


def open_recovery(office: Office, who: Someone) -> Invited:
    """Let two other supervisors create a recovery of a person who has a passkey."""
    world = office.world
    one, other = (world.add_person(office.code, {Role.SUPERVISOR}) for _ in range(2))
    made = unwrap(begin_enrolment(one, who, recovery=True))
    shown = unwrap(other.send(f"/enrolments/{made['id']}/confirm"))
    return Invited(world, made["id"], made["link"], shown["code"])


@pytest.mark.parametrize("begins", [True, False], ids=["begun", "confirmed"])
@pytest.mark.parametrize(
    "hidden",
    [
        {},
        {"cancelled_at": BEFORE},
        {"expires_at": BEFORE},
        {"wrong_codes": 5},
        NO_MAKERS,
        NO_MAKERS | {"account_id": uuid4()},
        None,
    ],
    ids=["as it is", "cancelled", "expired", "blocked", "makers", "moved", "deleted"],
)
def test_enrolment_that_was_hidden_in_the_recovery_of_its_maker_stays_cancelled(
    world: World, hidden: Row | None, *, begins: bool
) -> None:
    office, attacker = Office(world), Attacker(world)
    maker = office.first if begins else office.second
    made = office.open_enrolment()
    row = attacker.read(Enrolment, UUID(made.id))
    add_passkey(maker)
    recovery = open_recovery(office, maker)

    hide(attacker, Enrolment, row, hidden)
    assert recovery.redeem(Authenticator())[1].status_code == 201
    restore(attacker, Enrolment, row, hidden)

    assert made.ask_options().status_code == 401


def test_recovery_leaves_the_enrolments_of_other_people(world: World) -> None:
    """An altered enrolment and an altered account do not stop a recovery."""
    office, attacker, other = Office(world), Attacker(world), Office(world, "UZ_LEAD")
    forged, kept = Office(world, "IOM").open_enrolment(), other.open_enrolment()
    attacker.update(Enrolment, UUID(forged.id), recovery=True)
    attacker.update(Account, world.add_person("IOM").actor.account_id, label="duty 9")
    add_passkey(office.first)

    _, opened = open_recovery(office, office.first).redeem(Authenticator())
    assert opened.status_code == 201
    assert kept.ask_options().status_code == 200


@pytest.mark.parametrize(
    "hidden",
    [{"kid": "x"}, {"account_id": uuid4()}, {"revoked_at": None}, None],
    ids=["kid", "moved", "not revoked", "deleted"],
)
def test_revoked_public_key_that_is_hidden_is_not_registered_again(
    world: World, hidden: Row | None
) -> None:
    machine, attacker = register_machine(world), Attacker(world)
    administrator = world.add_person(OFFICES[0], ADMINISTRATOR)
    keys, new = get_keys_path(machine.one), make_registration(machine.key)
    unwrap(administrator.send(f"{keys}/{machine.kid}/revoke"))
    row = attacker.find(PublicKey, kid=machine.kid)
    assert get_problem(add(administrator, keys, new)) == (409, "public-key-known")

    hide(attacker, PublicKey, row, hidden)
    assert get_problem(add(administrator, keys, new)) == ALTERED
    restore(attacker, PublicKey, row, hidden)
    assert get_problem(add(administrator, keys, new)) == (409, "public-key-known")
