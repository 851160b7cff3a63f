"""Secrets are wrapped again with a new key, after which an earlier key opens nothing."""

import os
import signal
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest
from sqlalchemy import LargeBinary, event, select
from sqlalchemy.orm import Session

from app.access.models import Approval
from app.cases import default_contacts
from app.cases.models import CaseKey, DefaultContacts
from app.cases.sections import NamedContacts
from app.cli.wrapped_keys import WRAPPED, count_by_version, rewrap_secrets
from app.kernel.actors import Role
from app.kernel.db import Base
from app.kernel.file_keys import FileKeys
from app.kernel.keyfile import activate_key, add_key
from app.kernel.transactions import Runtime
from app.kernel.vault import Unopenable, Vault
from tests.support.account_changes import add, get_approval_id
from tests.support.figure_releases import PATH as RELEASES
from tests.support.figure_releases import (
    QUARTER,
    add_overseers,
    list_points,
    store_quarter,
    write_point,
)
from tests.support.webhook_receivers import create_webhook
from tests.support.world import Json, Someone, World, get_path, make_contacts, unwrap
from tests.torture.service import WARM

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))
NAMES = ("Ойгул Ғаниева", "María José Núñez", "فاطمة بنت محمد", "Ayşe Gök")
TYPED = [{"name": "name", "value": NAMES[0]}]
OTHER_KEYS = {
    "document_key.wrapped": "wrapped by the data key of its case",
    "person.name_key": "no name of a person is stored yet",
}
"""Columns with wrapped secrets that a rewrap leaves out, each with the reason."""


def build_runtime(world: World, keys: dict[str, bytes]) -> Runtime:
    return replace(world.runtime, vault=Vault(FileKeys(keys)))


def write_identity(officer: Someone, name: str) -> Json:
    """Create a case whose section `identity` has a name."""
    sections = [{"section": "identity", "names": [name]}]
    return unwrap(officer.create_case(sections=sections))


def read_identity(officer: Someone, case: Json) -> str:
    section = unwrap(officer.open(f"{get_path(case)}/sections/identity"))
    return str(section["content"]["names"][0])


@pytest.fixture
def cases(world: World, officer: Someone, lead: Someone) -> list[Json]:
    """Add a row to each table whose secrets a rewrap covers, and return cases."""
    path = "/focal-points/KZ_LEAD/default-contacts"
    unwrap(lead.ask("PUT", path, {"contacts": make_contacts()}))
    unwrap(officer.ask("PUT", "/form-drafts/refer", {"values": TYPED}))
    create_webhook(world, "KZ_LEAD")
    write_point(world)
    store_quarter(world)
    overseer, _ = add_overseers(world)
    get_approval_id(add(overseer, RELEASES, {"quarter": str(QUARTER)}))
    return [write_identity(officer, name) for name in NAMES]


def list_rows(world: World) -> Iterator[tuple[Any, Any]]:
    """Yield each row with a wrapped secret, and the description of its table."""
    with world.write_as_service() as tx:
        for table in WRAPPED:
            for row in tx.session.scalars(select(table.model).where(table.alone)):
                yield table, row


def count_opened(world: World, keys: dict[str, bytes]) -> int:
    """Return the number of secrets that these keys open."""
    opened = 0
    for table, row in list_rows(world):
        vault = Vault(FileKeys(keys))
        try:
            vault.unwrap_secret(
                getattr(row, table.version),
                getattr(row, table.wrapped),
                *table.get_place(row),
            )
        except Unopenable:
            continue
        opened += 1
    return opened


@pytest.mark.usefixtures("cases")
def test_after_a_rewrap_the_earlier_key_opens_nothing(world: World) -> None:
    total, failed = sum(1 for _ in list_rows(world)), Counter[str]()
    runtime = build_runtime(world, {"k1": FIRST, "k2": SECOND})
    filled = {table.model for table, _ in list_rows(world)}

    steps = list(rewrap_secrets(runtime, failed))

    assert filled == {table.model for table in WRAPPED}
    assert steps[-1] == (total, total)
    assert not failed
    assert count_by_version(runtime) == {"k2": total}
    assert count_opened(world, {"k1": FIRST}) == 0
    assert count_opened(world, {"k2": SECOND}) == total
    assert list(rewrap_secrets(runtime, failed)) == []


def test_contents_can_be_read_after_a_rewrap(
    world: World, officer: Someone, lead: Someone, cases: list[Json]
) -> None:
    runtime = build_runtime(world, {"k1": FIRST, "k2": SECOND})
    assert list(rewrap_secrets(runtime, Counter()))

    world.app.state.runtime = runtime

    assert [read_identity(officer, case) for case in cases] == list(NAMES)
    assert unwrap(officer.get("/form-drafts/refer"))["values"] == TYPED
    contacts = unwrap(lead.get("/focal-points/KZ_LEAD/default-contacts"))["contacts"]
    assert contacts == make_contacts()
    [point] = list_points(world.add_person("DESK_CENTRAL_ASIA", {Role.COORDINATOR}))
    assert point["text"]


def test_interrupted_rewrap_is_finished_by_the_next_one(
    world: World, officer: Someone, cases: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.wrapped_keys.BATCH", 1)
    runtime = build_runtime(world, {"k1": FIRST, "k2": SECOND})
    first = rewrap_secrets(runtime, Counter())
    next(first)
    next(first)
    cast("Generator[object]", first).close()

    world.app.state.runtime = runtime
    assert [read_identity(officer, case) for case in cases] == list(NAMES)
    assert count_by_version(runtime)["k2"] == 2
    done, total = list(rewrap_secrets(runtime, Counter()))[-1]

    assert done == total
    assert set(count_by_version(runtime)) == {"k2"}


@pytest.mark.usefixtures("cases")
def test_secrets_of_a_missing_key_are_counted_and_stay(world: World) -> None:
    failed = Counter[str]()

    steps = list(rewrap_secrets(build_runtime(world, {"k2": SECOND}), failed))

    total = steps[-1][1]
    assert failed == {"k1": total}
    assert count_opened(world, {"k1": FIRST}) == total


def rewrap_and_die(url: str, moment: str) -> None:
    """Wrap one secret again, and kill this process at the commit of the next one."""

    def kill(_: Session) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    runtime = build_runtime(World(url), {"k1": FIRST, "k2": SECOND})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.cli.wrapped_keys.BATCH", 1)
        steps = rewrap_secrets(runtime, Counter())
        next(steps)
        event.listen(Session, moment, kill)
        next(steps)


def test_killed_rewrap_leaves_each_secret_with_one_of_the_keys(
    world: World, url: str, officer: Someone, cases: list[Json]
) -> None:
    runtime = build_runtime(world, {"k1": FIRST, "k2": SECOND})
    world.app.state.runtime, total = runtime, count_by_version(runtime).total()
    kills = 0
    while count_by_version(runtime)["k1"] > 1:
        moment = ("before_commit", "after_commit")[kills % 2]
        process = WARM.Process(target=rewrap_and_die, args=(url, moment))
        process.start()
        process.join(30)
        assert process.exitcode == -signal.SIGKILL
        kills += 1
        assert count_by_version(runtime).total() == total
        assert count_opened(world, {"k1": FIRST, "k2": SECOND}) == total
        assert [read_identity(officer, case) for case in cases] == list(NAMES)

    list(rewrap_secrets(runtime, Counter()))

    assert kills >= 5
    assert set(count_by_version(runtime)) == {"k2"}


def test_keys_are_replaced_while_the_service_works(
    world: World, officer: Someone, tmp_path: Path
) -> None:
    """Requests succeed while a key is added and the secrets are wrapped with it."""
    file = tmp_path / "keys"
    old = add_key(file)
    world.app.state.runtime = replace(world.runtime, vault=Vault(FileKeys.load(file)))
    cases = [write_identity(officer, name) for name in NAMES * 5]
    stopped = Event()

    def work(number: int) -> int:
        rounds = 0
        while not stopped.is_set():
            case = cases[(number + rounds) % len(cases)]
            assert read_identity(officer, case) in NAMES
            made = write_identity(officer, NAMES[rounds % len(NAMES)])
            assert read_identity(officer, made) == NAMES[rounds % len(NAMES)]
            rounds += 1
        return rounds

    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(work, number) for number in range(3)]
        try:
            new = add_key(file, is_standby=True)
            assert activate_key(file) == new
            runtime = replace(world.runtime, vault=Vault(FileKeys.load(file)))
            while set(count_by_version(runtime)) != {new}:
                assert not any(one.done() for one in workers)
                list(rewrap_secrets(runtime, Counter()))
        finally:
            stopped.set()
        rounds = [one.result() for one in workers]

    assert min(rounds) > 0
    assert not count_by_version(runtime)[old]
    assert [read_identity(officer, case) for case in cases] == list(NAMES * 5)


@pytest.mark.usefixtures("cases")
def test_row_that_is_written_while_it_is_rewrapped_can_be_opened(world: World) -> None:
    """A row can be opened if the earlier key sealed it during or after a rewrap."""
    both = {"k1": FIRST, "k2": SECOND}
    contacts = NamedContacts(contacts=make_contacts())

    def wrap_again() -> None:
        assert list(rewrap_secrets(build_runtime(world, both), Counter()))

    if world.database.is_sqlite:  # SQLite has one writer at a time
        wrap_again()
    with world.write_as_service() as tx:
        row = tx.session.scalars(select(DefaultContacts)).one()
        if not world.database.is_sqlite:
            wrap_again()
        default_contacts.seal_for_office(tx, row, contacts)

    total = sum(1 for _ in list_rows(world))
    assert count_opened(world, both) == total


def test_each_column_with_a_wrapped_secret_is_rewrapped_or_listed() -> None:
    def is_key(name: str) -> bool:
        return name == "wrapped" or name.endswith("_key")

    found = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and is_key(column.name)
    }
    rewrapped = {f"{one.model.__tablename__}.{one.wrapped}" for one in WRAPPED}

    assert found - {"passkey.public_key"} == rewrapped | set(OTHER_KEYS)


def test_approval_of_a_case_is_sealed_with_the_key_of_the_case() -> None:
    [approvals] = [one for one in WRAPPED if one.model is Approval]
    [keys] = [one for one in WRAPPED if one.model is CaseKey]

    assert "case_id IS NULL" in str(approvals.alone)
    assert keys.sealed is None
