"""A new key makes all MACs again, and what an earlier key made is refused once retired."""

from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import sleep
from typing import Final, cast
from uuid import uuid4

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.access.row_protection import create_macs
from app.cases.models import Case
from app.cli.renewed_macs import (
    TABLES,
    CaseTable,
    MacTable,
    RowTable,
    count_by_version,
    find_versions,
    list_keys,
    renew_macs,
)
from app.cli.row_protection import read_rows
from app.cli.wrapped_keys import rewrap_secrets
from app.deadlines.models import TimeLimit
from app.directory.models import Country
from app.kernel.actors import Role
from app.kernel.file_keys import FileKeys
from app.kernel.keyfile import KeyMark, StoredKey
from app.kernel.protected_rows import compute_mac
from app.kernel.statements import lock_rows
from app.kernel.vault import Vault
from tests.support.account_changes import add, approve, get_approval_id
from tests.support.authenticators import Authenticator
from tests.support.database_attacks import Attacker
from tests.support.figure_releases import PATH as RELEASES
from tests.support.figure_releases import QUARTER, add_overseers, store_quarter
from tests.support.full_world import Stage, set_up
from tests.support.in_thread import ThreadLoops
from tests.support.machine_keys import register_machine
from tests.support.passkeys import Office, request_options, send, sign_in
from tests.support.raw_requests import Wire
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    make_case,
    unwrap,
)

FIRST: Final = StoredKey("k1", bytes(range(32)))
"""The key of the test's world."""
SECOND: Final = StoredKey("k2", bytes(range(32, 64)))
REPLACED: Final = [FIRST, SECOND]
RETIRED: Final = [replace(FIRST, mark=KeyMark.RETIRED), SECOND]


def use_keys(world: World, *keys: StoredKey) -> None:
    """Use these keys, as a process does that has read a key file again."""
    provider = FileKeys(keys)
    world.database.macs = create_macs(provider, lambda: world.now)
    world.runtime = replace(world.runtime, vault=Vault(provider))
    world.app.state.runtime = world.runtime


def count_macs(world: World) -> Counter[str]:
    """Return the number of MACs by the version of their key."""
    found = Counter[str]()
    list(count_by_version(world.runtime, found))
    return found


def renew(world: World) -> tuple[int, int]:
    """Use the current key for all secrets and MACs.

    Return the number of MACs that were made, and of all.
    """
    list(rewrap_secrets(world.runtime, Counter()))
    return list(renew_macs(world.runtime, Counter()))[-1]


@pytest.fixture
def stage(world: World, loop: ThreadLoops) -> Stage:
    """Return the people of a world in which each table with MACs has rows."""
    return set_up(Wire(world, loop))


def read_lists(stage: Stage) -> list[Json]:
    """Return what people see in their lists, without cursors."""
    return [
        {name: value for name, value in unwrap(one.get(path)).items() if name != "cursor"}
        for one in stage.people
        if Role.ANALYST not in one.actor.roles
        for path in ("/me", "/focal-points?limit=200", "/countries?limit=200")
    ]


def test_after_a_renewal_no_mac_of_the_earlier_key_is_needed(
    world: World, stage: Stage
) -> None:
    seen, counted = read_lists(stage), count_macs(world)
    assert set(counted) == {"k1"}
    tables = {table for table in TABLES if has_version(world, table, "k1")}
    assert set(TABLES) - tables == {RowTable(TimeLimit)}

    use_keys(world, *REPLACED)
    done, total = renew(world)
    assert done == total == counted["k1"]
    assert count_macs(world) == {"k2": total}

    use_keys(world, *RETIRED)
    with capture_logs() as logs:
        assert read_lists(stage) == seen
        officer, lead = stage.cast["officer"], stage.cast["lead"]
        case = officer.submit()
        unwrap(lead.does("acknowledge", case))
        world.run_worker()
    assert not [line for line in logs if line["event"] == "row.forged"]
    assert set(count_macs(world)) == {"k2"}


def has_version(world: World, table: MacTable, version: str) -> bool:
    """Return whether a key made the MAC of a row of a table."""
    with world.database.begin_read("system") as session:
        keys = list_keys(session, table)
    return version in find_versions(world.runtime, table, keys).values()


def test_mac_of_a_retired_key_is_refused(world: World, officer: Someone) -> None:
    """Whoever has seen the earlier key and writes to the database forges nothing more."""
    attacker = Attacker(world)
    stolen = create_macs(FileKeys([FIRST]), lambda: world.now)
    use_keys(world, *REPLACED)
    renew(world)

    with world.database.begin_read() as session:
        [row] = [one for one in read_rows(session, Country) if one["name"] == "Kazakhstan"]
    forged = compute_mac(stolen, Country, row | {"name": "Forged"})
    attacker.update(Country, "KZ", name="Forged", mac=forged)
    assert unwrap(officer.get("/countries/KZ"))["name"] == "Forged"

    use_keys(world, *RETIRED)
    with capture_logs() as logs:
        officer.get("/countries/KZ")
    assert {"event": "row.forged", "table": "country"}.items() <= logs[0].items()


def test_row_that_does_not_match_gets_no_new_mac(world: World, officer: Someone) -> None:
    case = officer.submit()
    attacker = Attacker(world)
    attacker.update(Country, "KZ", name="Forged")
    attacker.update(Case, find_number(world, case), priority="normal")
    use_keys(world, *REPLACED)

    altered = Counter[str]()
    done, _ = list(renew_macs(world.runtime, altered))[-1]

    assert +altered == {"country": 1, "case": 1}
    assert count_macs(world) == {"k2": done - 2}
    assert officer.get(get_path(case)).status_code == 500


def find_number(world: World, case: Json) -> int:
    """Return the primary key of a case."""
    with world.database.begin_read("system") as session:
        own = select(Case.number).where(Case.code == case["code"])
        return session.scalars(own).one()


def test_interrupted_renewal_is_finished_by_the_next_one(
    world: World, officer: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.renewed_macs.BATCH", 5)
    case = officer.submit()
    use_keys(world, *REPLACED)
    first = renew_macs(world.runtime, Counter())
    for _ in range(3):
        next(first)
    cast("Generator[object]", first).close()

    assert set(count_macs(world)) == {"k1", "k2"}
    assert unwrap(officer.get(get_path(case)))["code"] == case["code"]
    renew(world)
    assert set(count_macs(world)) == {"k2"}


def test_renewal_waits_for_a_row_that_a_request_has_locked(
    world: World, pg_url: str, officer: Someone
) -> None:
    """All other rows are made again first, while no row is locked."""
    assert pg_url
    cases = [officer.submit() for _ in range(3)]
    locked = find_number(world, cases[0])
    use_keys(world, *REPLACED)
    with ThreadPoolExecutor(1) as pool:
        with world.database.begin_write("system") as session:
            session.execute(lock_rows(select(Case.number).where(Case.number == locked)))
            running = pool.submit(renew, world)

            wait_until(lambda: is_renewed(world, cases[1]))
            assert not running.done()
            assert not is_renewed(world, cases[0])
        running.result(30)
    assert set(count_macs(world)) == {"k2"}


def is_renewed(world: World, case: Json) -> bool:
    """Return whether the current key made the MAC of a case."""
    key, table = (find_number(world, case),), CaseTable()
    return find_versions(world.runtime, table, [key]) == {key: "k2"}


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds, for some seconds."""
    for _ in range(200):
        if holds():
            return
        sleep(0.05)
    raise AssertionError("The condition does not hold.")


def test_retry_with_an_earlier_key_finds_its_case(world: World, officer: Someone) -> None:
    """Outcomes are kept for ever, so also the fingerprint of a retired key is known."""
    key, body = str(uuid4()), make_case(external_reference="A/7")
    case = unwrap(officer.create("/cases", body, key))

    for keys in (REPLACED, RETIRED):
        use_keys(world, *keys)
        renew(world)
        again = officer.create("/cases", body, key)
        assert unwrap(again)["code"] == case["code"]
        other = officer.create("/cases", make_case(), key)
        assert get_problem(other) == (422, "idempotency-key-reused")


def test_external_reference_of_an_earlier_key_is_found(
    world: World, officer: Someone
) -> None:
    case = unwrap(officer.create_case(external_reference="A/7"))

    for keys in (REPLACED, RETIRED):
        use_keys(world, *keys)
        renew(world)
        taken = officer.create_case(external_reference="A/7")
        assert get_problem(taken) == (409, "external-reference-taken")
        assert taken.json()["code"] == case["code"]
        found = unwrap(officer.send("/cases/search", {"external_reference": "A/7"}))
        assert found["items"][0]["code"] == case["code"]


def test_cursors_of_an_earlier_key_remain_valid(world: World, officer: Someone) -> None:
    for _ in range(3):
        officer.submit()
    page = unwrap(officer.get("/cases", limit=1))
    events = unwrap(officer.get("/events", limit=1))

    for keys in (REPLACED, RETIRED):
        use_keys(world, *keys)
        renew(world)
        later = unwrap(officer.get("/cases", limit=1, after=page["next"]))
        assert later["items"] != page["items"]
        assert later["next"] != page["next"]
        rest = unwrap(officer.get("/events", after=events["cursor"]))
        assert rest["items"]


def test_approval_that_was_requested_before_a_new_key_is_used(world: World) -> None:
    store_quarter(world)
    overseer, second = add_overseers(world)
    body = {"quarter": str(QUARTER)}
    asked = get_approval_id(add(overseer, RELEASES, body))

    use_keys(world, *REPLACED)
    renew(world)

    assert get_approval_id(add(overseer, RELEASES, body)) == asked
    unwrap(approve(second, asked))
    unwrap(add(overseer, RELEASES, body, asked))


def test_enrolment_and_passkey_challenge_of_a_replaced_key_are_accepted(
    world: World,
) -> None:
    office, device = Office(world), Authenticator()
    invited = office.open_enrolment()
    use_keys(world, *REPLACED)
    renew(world)
    made, opened = invited.redeem(device)
    assert opened.status_code == 201

    use_keys(world, FIRST)
    options = request_options(world)
    use_keys(world, *REPLACED)
    assert send(world, device.sign(made, options)).status_code == 201


def test_passkey_challenge_of_a_retired_key_is_refused(world: World) -> None:
    """Whoever has seen the first key could otherwise make challenges for a replay."""
    office, device = Office(world), Authenticator()
    made, _ = office.enrol(device)
    options = request_options(world)
    use_keys(world, *REPLACED)
    renew(world)

    use_keys(world, *RETIRED)

    assert send(world, device.sign(made, options)).status_code == 401
    assert sign_in(world, made, device).status_code == 201


def test_access_token_is_valid_until_its_key_is_retired(world: World) -> None:
    session = register_machine(world).sign_in()
    use_keys(world, *REPLACED)
    renew(world)
    assert session.get("/me").status_code == 200

    use_keys(world, *RETIRED)

    assert session.get("/me").status_code == 401
