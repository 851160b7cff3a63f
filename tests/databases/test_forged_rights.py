"""Tests that rows changed in the database without the keys give no rights (ADR 80)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, StatementError

from app.access.enrolment_models import Enrolment
from app.access.models import (
    AccessToken,
    Account,
    ApiKey,
    Approval,
    Passkey,
    Person,
    PublicKey,
    UserSession,
)
from app.access.protected_tables import MEMBERS, OWNERS
from app.api.http.rate_limits import WrongKeyLimit
from app.kernel.actors import SERVICE
from tests.support.account_changes import (
    FEED,
    add,
    approve,
    get_account_path,
    get_approval_id,
)
from tests.support.authenticators import Authenticator, Credential
from tests.support.database_attacks import Attacker, get_table, list_other_values
from tests.support.machine_keys import Machine, register_machine
from tests.support.passkeys import Invited, Office, sign_in
from tests.support.servers import ROOT
from tests.support.sessions import sign_in as open_session
from tests.support.world import Someone, World, unwrap

UNPROTECTED: Final = {
    "approval.number": "orders lists",
    "approval.sealed_request": "sealed for the approval (ADR 61)",
    "approval.request_key": "wraps the key of the request",
    "approval.request_key_version": "names the key that wraps the key of the request",
    "person.sealed_name": "sealed for the person, and gives no right",
    "person.name_key": "wraps the key of the name, and gives no right",
    "person.name_key_version": "names the key that wraps the key of the name",
}
"""Columns that no MAC covers, each with the reason."""
PROTECTED: Final = {one.model: one for one in (*OWNERS.values(), *MEMBERS)}
MODELS: Final = (*PROTECTED, AccessToken)
BEFORE: Final = datetime(2026, 5, 1, tzinfo=UTC)
REFUSED: Final = frozenset({401, 403, 404, 409})

type Row = dict[str, Any]


@dataclass
class Rights:
    """A person, a machine and a newcomer, each with a credential that works."""

    world: World
    person: Someone
    device: Authenticator
    passkey: Credential
    by_passkey: Someone
    by_key: Someone
    machine: Machine
    token: Someone
    invited: Invited
    office: Office
    approval: str

    def read_me(self, who: Someone) -> int:
        self.world.app.state.throttle = WrongKeyLimit()
        return who.get("/me").status_code

    def use_approval(self) -> int:
        """Request the approved key with the approval, and return the status."""
        path = f"{get_account_path(self.person)}/keys"
        return add(self.office.first, path, FEED, self.approval).status_code

    def use(self, model: type[Any]) -> int:
        """Use the right that a row of a model gives, and return the status."""
        self.world.app.state.throttle = WrongKeyLimit()
        uses: Mapping[type[Any], Callable[[], int]] = {
            Account: lambda: self.read_me(self.person),
            ApiKey: lambda: self.read_me(self.person),
            UserSession: lambda: self.read_me(self.by_key),
            PublicKey: lambda: self.machine.request_token().status_code,
            AccessToken: lambda: self.read_me(self.token),
            Enrolment: lambda: self.invited.ask_options().status_code,
            Approval: self.use_approval,
        }
        by_passkey = partial(sign_in, self.world, self.passkey, self.device)
        return uses.get(model, lambda: by_passkey().status_code)()


@pytest.fixture
def rights(world: World) -> Rights:
    """Return people and a machine, each with a valid credential."""
    device = Authenticator()
    office = Office(world)
    invited = office.open_enrolment(of=world.add_person(office.code))
    made, by_passkey = office.enrol(device)
    machine = register_machine(world)
    return Rights(
        world,
        office.newcomer,
        device,
        made,
        by_passkey,
        open_session(office.newcomer),
        machine,
        machine.sign_in(),
        invited,
        office,
        approve_key(office),
    )


def approve_key(office: Office) -> str:
    """Let one supervisor request a key and the other approve it; return the approval id."""
    path = f"{get_account_path(office.newcomer)}/keys"
    asked = get_approval_id(add(office.first, path, FEED))
    unwrap(approve(office.second, asked))
    return asked


def find_rows(world: World, rights: Rights) -> dict[type[Any], Any]:
    """Return the primary keys of the rows that give the rights, by model."""
    account, machine = rights.person.actor.account_id, rights.machine.client
    with world.database.begin_read(SERVICE) as session:
        link = rights.invited.link.split("_")[1]
        enrolment = select(Enrolment.id).where(Enrolment.link_prefix == link)
        keys = select(PublicKey.id).where(PublicKey.account_id == UUID(machine))
        passkeys = select(Passkey.id).where(
            Passkey.person_id == rights.person.actor.person_id
        )
        approvals = select(Approval.number).where(Approval.id == UUID(rights.approval))
        return {
            Account: account,
            Person: rights.person.actor.person_id,
            ApiKey: rights.person.key.split("_")[1],
            UserSession: rights.by_key.key.split("_")[1],
            PublicKey: session.scalars(keys).one(),
            AccessToken: rights.token.key.split("_")[1],
            Enrolment: session.scalars(enrolment).one(),
            Passkey: session.scalars(passkeys).one(),
            Approval: session.scalars(approvals).one(),
        }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__tablename__)
def test_changed_column_gives_no_right(
    world: World, rights: Rights, model: type[Any]
) -> None:
    attacker, table = Attacker(world), get_table(model)
    key = find_rows(world, rights)[model]
    original = attacker.read(model, key)
    tried = 0

    for column in table.columns:
        if f"{table.name}.{column.name}" in UNPROTECTED:
            continue
        for value in list_other_values(original[column.name]):
            try:
                attacker.update(model, key, **{column.name: value})
            except (DBAPIError, StatementError):
                continue  # the database has no such value
            tried += 1
            assert rights.use(model) in REFUSED, (column.name, value)
            new_key = value if column.primary_key else key
            attacker.update(model, new_key, **{column.name: original[column.name]})

    assert tried >= len(PROTECTED[model].columns if model in PROTECTED else table.columns)
    assert rights.use(model) in {200, 201}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__tablename__)
def test_deleted_or_copied_row_gives_no_right(
    world: World, rights: Rights, model: type[Any]
) -> None:
    attacker = Attacker(world)
    key = find_rows(world, rights)[model]
    original = attacker.read(model, key)

    attacker.delete(model, key)
    assert rights.use(model) in REFUSED
    attacker.insert(model, original)
    assert rights.use(model) in {200, 201}


def test_each_column_is_protected_or_listed() -> None:
    """Each column of a protected table is covered by a MAC, or is listed with a reason."""
    for model, protected in PROTECTED.items():
        table = get_table(model)
        others = {one.split(".")[1] for one in UNPROTECTED if one.startswith(table.name)}
        first = table.c[protected.columns[0]]
        assert first.primary_key or model is Approval
        assert {*protected.columns, *protected.later, *others} | {"mac"} == {
            *table.columns.keys(),
            "mac",
        }


WRITES: Final = re.compile(r"\b(update|insert|delete)\((\w+)")
OTHER_WRITES: Final = {
    ("app/access/sessions.py", "delete", "UserSession"): "expired a week ago",
}
"""Statements that may write several rows without a new MAC, each with the reason."""


def test_protected_rows_are_written_by_sessions() -> None:
    """Only the statements in `OTHER_WRITES` write protected rows without a session.

    Any other statement could leave MACs that do not match the rows.
    """
    names = {model.__name__ for model in PROTECTED}

    found = {
        (file.relative_to(ROOT).as_posix(), verb, name)
        for file in (ROOT / "app").rglob("*.py")
        for verb, name in WRITES.findall(file.read_text("utf-8"))
        if name in names
    }
    assert found == OTHER_WRITES.keys()
