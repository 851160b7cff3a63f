"""The ledger of erasures and the database are checked against each other (R34)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select

from app.cases.erasure import ErasureCleanup
from app.kernel import erasures
from app.kernel.db import OWNER_ROLE, Database
from app.kernel.erasures import Erasure, record_erasure
from app.kernel.journal import Entry, Epoch, has_any_case, renew_epoch
from app.kernel.ledger import (
    ErasuresDue,
    Ledger,
    LedgerDamaged,
    LedgerForeign,
    LedgerUnusable,
)
from app.kernel.ledger_file import open_locked
from app.main import create_app
from tests.support.child_processes import Child, ReportPipe
from tests.support.databases import Copy, record_statements
from tests.support.world import NOON, Someone, World, get_path, unwrap


def erase_repeatedly(says: ReportPipe, url: str, path: Path) -> None:
    """Commit erasures one by one. Report each id, then add the id to the ledger."""
    world, ledger = World(url), Ledger(path)
    while True:
        case = uuid4()
        erase(world, case)
        says.send(str(case))
        ledger.copy_erasures(world.runtime)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "erasures"


@pytest.fixture
def ledger(path: Path) -> Ledger:
    return Ledger(path)


def erase(world: World, *cases: UUID) -> None:
    with world.database.begin_write() as session:
        for case in cases or (uuid4(),):
            record_erasure(session, case, NOON)


def list_recorded(world: World) -> set[UUID]:
    with world.database.begin_read() as session:
        return set(erasures.get_erasures(session))


def list_named(path: Path) -> set[UUID]:
    contents = Ledger(path).read()
    return set(contents.erased) if contents else set()


@pytest.fixture
def asked(world: World, ledger: Ledger) -> Iterator[TestClient]:
    """Run the worker, and yield a client for `/readyz`."""
    world.run_worker()
    with TestClient(create_app(world.runtime, ledger)) as http:
        yield http


def get_readiness(asked: TestClient) -> tuple[int, str]:
    answer = asked.get("/readyz")
    return answer.status_code, answer.json()["erasures"]


def test_what_is_erased_is_named_outside_once(
    world: World, officer: Someone, ledger: Ledger, path: Path
) -> None:
    ledger.start(world.runtime)
    drafts = [unwrap(officer.create_case()) for _ in range(3)]
    for draft in drafts:
        unwrap(officer.does("discard", draft))

    added = [ledger.copy_erasures(world.runtime) for _ in range(2)]
    added.append(Ledger(path).copy_erasures(world.runtime))

    assert added == [3, 0, 0]
    assert list_named(path) == list_recorded(world)
    assert all(draft["code"] not in path.read_text(encoding="utf-8") for draft in drafts)


def test_a_beat_after_which_nothing_is_new_costs_next_to_nothing(
    world: World, ledger: Ledger
) -> None:
    erase(world, *(uuid4() for _ in range(50)))
    ledger.copy_erasures(world.runtime, create=True)
    ledger.require_agreement(world.runtime)

    with record_statements(world.database) as statements:
        ledger.copy_erasures(world.runtime)
        ledger.require_agreement(world.runtime)

    looked = [statement for statement in statements if "erasure" in statement]
    assert len(looked) == 2
    assert all("count(*)" in statement for statement in looked)


def test_whoever_writes_waits_for_another_process_that_does(
    world: World, ledger: Ledger, path: Path
) -> None:
    ledger.start(world.runtime)
    erase(world)

    with ThreadPoolExecutor(1) as pool:
        with open_locked(path):
            waiting = pool.submit(ledger.copy_erasures, world.runtime)
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
            meanwhile = list_named(path)
        added = waiting.result(30)

    assert (meanwhile, added) == (set(), 1)


def test_processes_that_copy_out_at_once_write_each_line_once(
    world: World, ledger: Ledger, path: Path
) -> None:
    ledger.start(world.runtime)
    rows = [{"case_id": uuid4(), "at": NOON} for _ in range(3000)]
    with world.database.begin_write() as session:
        session.execute(insert(Erasure), rows)
    barrier = Barrier(8)

    def copy_out(_: int) -> int:
        barrier.wait()
        return Ledger(path).copy_erasures(world.runtime)

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(copy_out, range(8)))

    assert sum(added) == 3000
    assert path.read_text(encoding="utf-8").count("\nerased ") == 3000
    assert list_named(path) == list_recorded(world)


@pytest.mark.slow
def test_whoever_is_killed_between_the_commit_and_the_copy_is_made_up_for(
    world: World, url: str, ledger: Ledger, path: Path
) -> None:
    ledger.start(world.runtime)
    world.database.engine.dispose()

    committed: set[UUID] = set()
    for lines in (1, 2, 5, 9):
        child = Child(erase_repeatedly, url, path)
        committed |= {UUID(child.wait_for_report()) for _ in range(lines)}
        child.kill()
    Ledger(path).copy_erasures(world.runtime)

    assert list_named(path) == list_recorded(world) >= committed
    Ledger(path).require_agreement(world.runtime)


def test_it_is_ready_while_the_two_agree(
    world: World, asked: TestClient, ledger: Ledger
) -> None:
    first = get_readiness(asked)
    ledger.start(world.runtime)
    erase(world)
    not_yet_copied = get_readiness(asked)
    ledger.copy_erasures(world.runtime)

    assert first == not_yet_copied == get_readiness(asked) == (200, "ready")


def test_an_older_database_is_not_ready_and_says_what_to_do(
    world: World, copy: Copy, ledger: Ledger, path: Path
) -> None:
    ledger.start(world.runtime)
    erase(world)
    ledger.copy_erasures(world.runtime)
    with copy() as url:  # every copy has the same epoch; this one has no erasures
        older = World(url)
        with TestClient(create_app(older.runtime, Ledger(path))) as http:
            found = get_readiness(http)
        with pytest.raises(ErasuresDue, match="1 erasures of"):
            Ledger(path).require_agreement(older.runtime)
        with pytest.raises(ErasuresDue):  # the newer database's ledger detects it too
            ledger.require_agreement(older.runtime)
        older.close()

    assert found == (503, "erasures are due: safe-conduct restored")


def test_a_database_that_goes_back_under_a_running_service_is_noticed(
    world: World, copy: Copy, ledger: Ledger
) -> None:
    ledger.start(world.runtime)
    erase(world, *(uuid4() for _ in range(3)))
    ledger.copy_erasures(world.runtime)
    ledger.require_agreement(world.runtime)

    with copy() as url:
        older = World(url)
        erase(older, *list(list_recorded(world))[:2])
        with pytest.raises(ErasuresDue, match="1 erasures of"):
            ledger.require_agreement(older.runtime)
        older.close()


def test_a_ledger_that_is_lost_is_told_and_not_made_again_by_itself(
    world: World, asked: TestClient, ledger: Ledger, path: Path
) -> None:
    ledger.start(world.runtime)
    erase(world)
    ledger.copy_erasures(world.runtime)

    path.unlink()

    lost = (503, "the ledger of erasures cannot be used: safe-conduct doctor")
    assert get_readiness(asked) == lost
    with pytest.raises(LedgerUnusable, match="safe-conduct erasures export"):
        ledger.copy_erasures(world.runtime)
    with pytest.raises(LedgerUnusable):
        ledger.start(world.runtime)
    assert not path.exists()
    assert ledger.copy_erasures(world.runtime, create=True) == 1
    assert get_readiness(asked) == (200, "ready")


def test_a_ledger_that_is_lost_before_anything_was_erased_is_told_too(
    world: World, asked: TestClient, officer: Someone, ledger: Ledger, path: Path
) -> None:
    """A missing ledger is reported even if the database contains no erasure.

    The database might be a backup from before the first erasure.
    """
    ledger.start(world.runtime)
    officer.create_case()

    path.unlink()

    lost = (503, "the ledger of erasures cannot be used: safe-conduct doctor")
    assert get_readiness(asked) == lost
    for look in (ledger.start, ledger.copy_erasures, ledger.require_agreement):
        with pytest.raises(LedgerUnusable, match="Put its newest copy back"):
            look(world.runtime)
    assert not path.exists()
    assert ledger.copy_erasures(world.runtime, create=True) == 0
    assert get_readiness(asked) == (200, "ready")


def test_a_ledger_of_another_database_is_refused_and_left_alone(
    world: World, asked: TestClient, ledger: Ledger, path: Path
) -> None:
    other = (
        f"safe-conduct erasures 1\nepoch 00000000\nerased {uuid4()} 2026-06-01T12:00:00Z\n"
    )
    path.touch(mode=0o600)
    path.write_text(other, encoding="utf-8")
    erase(world)

    found = get_readiness(asked)
    with pytest.raises(LedgerForeign, match="nothing was changed"):
        ledger.copy_erasures(world.runtime, create=True)

    assert found[0] == 503
    assert "of another database" in found[1]
    assert path.read_text(encoding="utf-8") == other


def test_a_ledger_with_a_line_that_is_none_is_refused_with_its_number(
    world: World, asked: TestClient, ledger: Ledger, path: Path
) -> None:
    ledger.start(world.runtime)
    erase(world)
    ledger.copy_erasures(world.runtime)
    path.write_text(
        path.read_text(encoding="utf-8").replace("erased", "erazed"), encoding="utf-8"
    )

    found = get_readiness(asked)
    with pytest.raises(LedgerDamaged, match="Line 3 of"):
        ledger.copy_erasures(world.runtime)

    assert found == (503, "the ledger of erasures is damaged: safe-conduct doctor")


def test_a_torn_line_is_written_anew_and_disturbs_nobody(
    world: World, asked: TestClient, ledger: Ledger, path: Path
) -> None:
    ledger.start(world.runtime)
    erase(world, uuid4(), uuid4())
    ledger.copy_erasures(world.runtime)
    path.write_bytes(path.read_bytes()[:-30])

    torn, found = list_named(path), get_readiness(asked)
    added = ledger.copy_erasures(world.runtime)

    assert (len(torn), added, found) == (1, 1, (200, "ready"))
    assert list_named(path) == list_recorded(world)
    assert path.read_text(encoding="utf-8").count(" torn\n") == 1


def test_the_worker_follows_an_erasure_once(
    world: World, officer: Someone, ledger: Ledger, path: Path
) -> None:
    ledger.start(world.runtime)
    worker = ErasureCleanup(world.runtime, ledger)
    draft = unwrap(officer.create_case())
    unwrap(officer.does("discard", draft))

    worker.run()
    with record_statements(world.database) as statements:
        worker.run()

    assert list_named(path) == list_recorded(world)
    assert officer.get(get_path(draft)).is_success
    assert len([s for s in statements if "erasure" in s and "count(*)" in s]) == 2
    assert not [s for s in statements if "VACUUM" in s]


def test_a_database_knows_whether_it_ever_had_a_case(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    unwrap(supervisor.send(f"/accounts/{lead.actor.account_id}/disable"))
    with world.database.begin_read() as session:
        assert session.scalars(select(Entry.reference)).all() != []
        assert has_any_case(session) is False

    officer.create_case()

    with world.database.begin_read() as session:
        assert has_any_case(session) is True


def test_a_database_that_is_named_anew_has_that_name_alone(url: str) -> None:
    owners = Database(url, OWNER_ROLE)

    with owners.begin_write() as session:
        renew_epoch(session, "a new one")

    with owners.begin_read() as session:
        assert session.scalars(select(Epoch.value)).all() == ["a new one"]
    owners.engine.dispose()


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o640, 0o606])
def test_a_ledger_that_others_can_read_or_change_is_refused(
    world: World, ledger: Ledger, path: Path, mode: int
) -> None:
    erase(world)
    ledger.copy_erasures(world.runtime, create=True)
    path.chmod(mode)

    with pytest.raises(LedgerUnusable, match=f"chmod 600 {path}"):
        ledger.require_agreement(world.runtime)

    path.chmod(0o600)
    ledger.require_agreement(world.runtime)
