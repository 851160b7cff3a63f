"""All MACs are made again with the current key, and forged rows get none."""

from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import sleep
from typing import cast

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from app.access.models import Account
from app.cases.models import Case
from app.cli.renewed_macs import (
    TABLES,
    CaseTable,
    MacTable,
    RowTable,
    find_versions,
    list_primary_keys,
    renew_macs,
)
from app.cli.wrapped_keys import rewrap_secrets
from app.deadlines.models import TimeLimit
from app.directory.models import Country
from app.kernel.actors import Role
from app.kernel.problems import Busy
from app.kernel.statements import lock_rows
from app.kernel.stored_keys import KeyMark, KeyRefused
from tests.support.database_attacks import Attacker
from tests.support.full_world import Stage, set_up
from tests.support.in_thread import ThreadLoops
from tests.support.key_rotation import (
    FIRST,
    REPLACED,
    RETIRED,
    SECOND,
    count_macs,
    find_number,
    list_alarms,
    rotate,
    set_keys,
)
from tests.support.raw_requests import Wire
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    unwrap,
)


@pytest.fixture
def stage(world: World, loop: ThreadLoops) -> Stage:
    """Return the people of a world with rows in all tables with MACs except `TimeLimit`."""
    return set_up(Wire(world, loop))


def read_lists(stage: Stage) -> list[Json]:
    """Return the accounts, offices and countries that people read, without cursors."""
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

    set_keys(world, *REPLACED)
    done, total = rotate(world)
    assert done == total == counted["k1"]
    assert count_macs(world) == {"k2": total}

    set_keys(world, *RETIRED)
    with capture_logs() as logs:
        assert read_lists(stage) == seen
        officer, lead = stage.cast["officer"], stage.cast["lead"]
        case = officer.submit()
        unwrap(lead.does("acknowledge", case))
        world.run_worker()
    assert not list_alarms(logs)
    assert set(count_macs(world)) == {"k2"}


def has_version(world: World, table: MacTable, version: str) -> bool:
    """Return whether any row of a table has a MAC of this key version."""
    with world.database.begin_read("system") as session:
        keys = list_primary_keys(session, table)
    return version in find_versions(world.runtime, table, keys).values()


def test_row_that_does_not_match_gets_no_new_mac(world: World, officer: Someone) -> None:
    case = officer.submit()
    attacker = Attacker(world)
    attacker.update(Country, "KZ", name="Forged")
    attacker.update(Case, find_number(world, case), priority="normal")
    set_keys(world, *REPLACED)

    altered = Counter[str]()
    done, _ = list(renew_macs(world.runtime, altered))[-1]

    assert +altered == {"country": 1, "case": 1}
    assert count_macs(world) == {"k2": done - 2}
    assert officer.get(get_path(case)).status_code == 500


def test_interrupted_renewal_is_finished_by_the_next_one(
    world: World, officer: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.renewed_macs.BATCH", 5)
    case = officer.submit()
    set_keys(world, *REPLACED)
    first = renew_macs(world.runtime, Counter())
    for _ in range(3):
        next(first)
    cast("Generator[object]", first).close()

    assert set(count_macs(world)) == {"k1", "k2"}
    assert unwrap(officer.get(get_path(case)))["code"] == case["code"]
    rotate(world)
    assert set(count_macs(world)) == {"k2"}


def test_renewal_waits_for_a_row_that_a_request_has_locked(
    world: World, pg_url: str, officer: Someone
) -> None:
    """While a row is locked, the renewal renews another row, and ends after the lock."""
    assert pg_url
    cases = [officer.submit() for _ in range(3)]
    locked = find_number(world, cases[0])
    set_keys(world, *REPLACED)
    with ThreadPoolExecutor(1) as pool:
        with world.database.begin_write("system") as session:
            session.execute(lock_rows(select(Case.number).where(Case.number == locked)))
            running = pool.submit(rotate, world)

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
    """Wait up to ten seconds until a condition holds."""
    for _ in range(200):
        if holds():
            return
        sleep(0.05)
    raise AssertionError("The condition does not hold.")


@pytest.mark.parametrize("mac", ["other format", "no MAC", "cut"])
def test_changed_mac_stops_neither_a_renewal_nor_a_retirement(
    world: World, officer: Someone, mac: str
) -> None:
    number, attacker = find_number(world, officer.submit()), Attacker(world)
    for model, key in ((Case, number), (Account, officer.actor.account_id)):
        stored = attacker.read(model, key)["mac"]
        changed = {"other format": b"\x02" + stored[1:], "no MAC": None, "cut": stored[:20]}
        attacker.update(model, key, mac=changed[mac])
    set_keys(world, *REPLACED)
    altered = Counter[str]()

    done, _ = list(renew_macs(world.runtime, altered))[-1]

    wrong = {} if mac == "no MAC" else {"case": 1, "account": 1}
    assert +altered == wrong
    assert count_macs(world) == {"k2": done - len(wrong)}


def test_values_that_cannot_be_read_stop_no_renewal(
    world: World, sqlite_url: str, officer: Someone
) -> None:
    assert sqlite_url
    with Attacker(world).connect() as connection:
        changed = text("UPDATE account SET roles = '{' WHERE id = :id")
        connection.execute(changed, {"id": officer.actor.account_id.hex})
    set_keys(world, *REPLACED)
    altered = Counter[str]()

    list(renew_macs(world.runtime, altered))

    assert +altered == {"account": 1}
    assert set(count_macs(world)) == {"k2"}


def test_outdated_key_file_renews_nothing_backwards(world: World, officer: Someone) -> None:
    """Renewal and rewrap refuse a file whose standby key another machine has activated."""
    officer.submit()
    set_keys(world, *REPLACED)
    rotate(world)
    counted = count_macs(world)

    set_keys(world, FIRST, replace(SECOND, mark=KeyMark.STANDBY))

    for work in (renew_macs, rewrap_secrets):
        with pytest.raises(KeyRefused, match="another machine"):
            list(work(world.runtime, Counter()))
    assert count_macs(world) == counted


def test_busy_row_is_reported_when_all_others_are_finished(
    world: World, pg_url: str, officer: Someone
) -> None:
    assert pg_url
    locked = find_number(world, officer.submit())
    set_keys(world, *REPLACED)

    with world.database.begin_write("system") as session:
        session.execute(lock_rows(select(Case.number).where(Case.number == locked)))
        with pytest.raises(Busy):
            list(renew_macs(world.runtime, Counter()))
        assert count_macs(world)["k1"] == 1
