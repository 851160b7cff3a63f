"""Tests that erased cases stay erased when an operator restores an older backup."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.cases.models import CaseKey, Sealed
from app.kernel.actors import SERVICE
from app.kernel.erasures import Erasure
from app.kernel.journal import Epoch
from app.kernel.ledger import Ledger
from app.main import create_app
from tests.processes.test_demo import COMMAND, command, environment
from tests.support.databases import backup
from tests.support.erased_cases import count_rows
from tests.support.servers import write_key_file
from tests.support.world import Json, Someone, World, get_path, get_problem, unwrap

pytestmark = pytest.mark.slow

MANY = 30
"""Number of cases, enough that a process can be killed before all are erased."""

type Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ledger(world: World, tmp_path: Path) -> Ledger:
    """Return a ledger that is not in the folder of the database."""
    made = Ledger(tmp_path / "elsewhere" / "erasures")
    made.start(world.runtime)
    return made


@contextmanager
def move_accounts(url: str, *people: Someone) -> Iterator[World]:
    """Let the accounts use a restored database while the context is open."""
    world, before = World(url), people[0].world
    for one in people:
        one.world = world
    yield world
    for one in people:
        one.world = before
    world.close()


def operating(folder: Path, url: str, **more: str) -> Command:
    """Return a function that runs operator commands on a database."""
    keys = folder / "keys"
    if not keys.exists():
        write_key_file(folder)
    settings = {
        "SAFE_CONDUCT_DATABASE_URL": url,
        "SAFE_CONDUCT_KEY_FILE": str(keys),
        "SAFE_CONDUCT_ERASURE_LEDGER": str(folder / "elsewhere" / "erasures"),
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
    }
    return lambda *words: command(folder, *words, **settings | more)


def cases(officer: Someone) -> list[Json]:
    return [unwrap(officer.create_case()) for _ in range(3)]


def discard_drafts(world: World, ledger: Ledger, officer: Someone, *drafts: Json) -> None:
    for draft in drafts:
        unwrap(officer.does("discard", draft))
    ledger.copy_erasures(world.runtime)


def get_epoch(world: World) -> str:
    with world.database.begin_read() as session:
        return session.scalars(select(Epoch.value)).one()


def secrets(world: World) -> tuple[int, int]:
    """Return the number of data keys, and the number of cases with sealed content."""
    with world.database.begin_read(SERVICE) as session:
        keys = session.scalars(select(func.count()).select_from(CaseKey)).one()
        sealed = select(func.count(Sealed.case_id.distinct()))
        return keys, session.scalars(sealed).one()


def test_a_backup_from_before_an_erasure_serves_nobody_until_it_is_erased_again(
    world: World, url: str, officer: Someone, ledger: Ledger, tmp_path: Path
) -> None:
    gone, stays, _ = cases(officer)
    world.database.engine.dispose()
    with backup(url) as older:
        discard_drafts(world, ledger, officer, gone)
        operate = operating(tmp_path, older)

        refused = [operate(word) for word in ("serve", "doctor")]
        with move_accounts(older, officer) as restored:
            asked = TestClient(create_app(restored.runtime, ledger))
            before, had = asked.get("/readyz"), secrets(restored)
            restored.database.engine.dispose()
        mended, well, again = operate("restored"), operate("doctor"), operate("restored")

        with move_accounts(older, officer) as restored:
            restored.run_worker()
            after = TestClient(create_app(restored.runtime, ledger)).get("/readyz")
            assert get_problem(officer.open(f"{get_path(gone)}/sections/needs"))[0] == 404
            assert officer.read(gone)["state"] == "void"
            assert unwrap(officer.open(f"{get_path(stays)}/sections/needs"))
            assert (had, secrets(restored)) == ((3, 3), (2, 2))

    assert [r.returncode for r in refused] == [1, 1]
    assert all("1 erasures of" in r.stderr for r in refused)
    assert all("safe-conduct restored" in r.stderr for r in refused)
    assert all("Traceback" not in r.stderr for r in refused)
    assert (before.status_code, after.status_code) == (503, 200)
    assert before.json()["erasures"] == "erasures are due: safe-conduct restored"
    assert [(d.returncode, d.stderr) for d in (mended, well, again)] == [(0, "")] * 3
    assert "1 erasures are newer than this backup." in mended.stdout
    assert "1 of these cases were in the backup" in mended.stdout
    assert "0 erasures are newer than this backup." in again.stdout
    assert "and the database agree" in well.stdout


def test_the_ledger_may_be_brought_from_anywhere_and_is_where_it_belongs_afterwards(
    world: World, url: str, officer: Someone, ledger: Ledger, tmp_path: Path
) -> None:
    gone, *_ = cases(officer)
    world.database.engine.dispose()
    with backup(url) as older:
        discard_drafts(world, ledger, officer, gone)
        brought = tmp_path / "usb"
        ledger.path.rename(brought)
        operate = operating(tmp_path, older)

        nowhere = operate("restored", "--erasures", str(tmp_path / "nowhere"))
        done_ = operate("restored", "--erasures", str(brought))

        with move_accounts(older, officer) as restored:
            Ledger(ledger.path).require_agreement(restored.runtime)
            kept_there = Ledger(ledger.path).read()
            assert count_rows(restored, Erasure) == {"erasure": 1}
            assert kept_there
            assert {get_epoch(world), get_epoch(restored)} <= kept_there.epochs
            assert len(kept_there.erased) == 1

    assert nowhere.returncode == 1
    assert "There is no ledger of erasures at" in nowhere.stderr
    assert (done_.returncode, done_.stderr) == (0, "")


def test_a_backup_from_before_the_first_erasure_is_not_served_without_its_ledger(
    world: World, url: str, officer: Someone, ledger: Ledger, tmp_path: Path
) -> None:
    """A backup without any erasure is not served if the ledger is missing."""
    gone, *_ = cases(officer)
    world.database.engine.dispose()
    with backup(url) as older:
        discard_drafts(world, ledger, officer, gone)
        brought = tmp_path / "usb"
        ledger.path.rename(brought)
        operate = operating(tmp_path, older)

        refused = [operate(word) for word in ("restored", "serve", "doctor")]
        with move_accounts(older, officer) as restored:
            before = TestClient(create_app(restored.runtime, ledger)).get("/readyz")
        nothing_made = not ledger.path.exists()
        both = operate("restored", "--no-erasures", "--erasures", str(brought))
        without, well = operate("restored", "--no-erasures"), operate("doctor")
        found = operate("restored", "--erasures", str(brought))

        with move_accounts(older, officer) as restored:
            Ledger(ledger.path).require_agreement(restored.runtime)
            assert secrets(restored) == (2, 2)
            assert officer.read(gone)["state"] == "void"

    assert nothing_made
    assert [r.returncode for r in (*refused, both)] == [1] * 4
    assert all("There is no ledger of erasures at" in r.stderr for r in refused)
    assert "--erasures FILE" in refused[0].stderr
    assert all("safe-conduct restored" in r.stderr for r in refused[1:])
    for one in (*refused, both):
        lines = [line for line in one.stderr.splitlines() if '"drill"' not in line]
        assert len(lines) == 1
    lost = "the ledger of erasures cannot be used: safe-conduct doctor"
    assert (before.status_code, before.json()["erasures"]) == (503, lost)
    assert [(d.returncode, d.stderr) for d in (without, well, found)] == [(0, "")] * 3
    assert "it was created from this database" in without.stdout
    assert "1 of these cases were in the backup" in found.stdout


def test_what_was_erased_between_two_restores_stays_erased_too(
    world: World, url: str, officer: Someone, ledger: Ledger, tmp_path: Path
) -> None:
    first, second, third = cases(officer)
    world.database.engine.dispose()
    with backup(url) as oldest, backup(url) as older:
        discard_drafts(world, ledger, officer, first)
        done_ = operating(tmp_path, older)("restored")
        with move_accounts(older, officer) as restored:
            discard_drafts(restored, ledger, officer, second)

        again = operating(tmp_path, oldest)("restored")

        with move_accounts(oldest, officer) as restored:
            states = [officer.read(case)["state"] for case in (first, second, third)]
            assert secrets(restored) == (1, 1)

    assert [d.returncode for d in (done_, again)] == [0, 0]
    assert "2 of these cases were in the backup" in again.stdout
    assert states == ["void", "void", "draft"]


def test_the_ledger_of_another_database_changes_nothing(
    world: World, sqlite_url: str, officer: Someone, ledger: Ledger, tmp_path: Path
) -> None:
    cases(officer)
    world.database.engine.dispose()
    other = tmp_path / "other"
    other.touch(mode=0o600)
    other.write_text("safe-conduct erasures 1\nepoch 00000000\n")
    operate = operating(tmp_path, sqlite_url)

    given = operate("restored", "--erasures", str(other))
    configured = operating(tmp_path, sqlite_url, SAFE_CONDUCT_ERASURE_LEDGER=str(other))
    served = [configured(word) for word in ("serve", "restored", "doctor")]

    assert [r.returncode for r in (given, *served)] == [1] * 4
    assert all("of another database" in r.stderr for r in (given, *served))
    found = ledger.read()
    assert found
    assert found.epochs == {get_epoch(world)}
    assert secrets(world) == (3, 3)


def test_a_lost_ledger_is_told_with_what_to_do(
    world: World, sqlite_url: str, officer: Someone, ledger: Ledger, tmp_path: Path
) -> None:
    gone, *_ = cases(officer)
    discard_drafts(world, ledger, officer, gone)
    world.database.engine.dispose()
    ledger.path.unlink()
    operate = operating(tmp_path, sqlite_url)

    refused = [operate(word) for word in ("serve", "doctor", "restored")]
    made, again, well = (
        operate("erasures", "export"),
        operate("erasures", "export"),
        operate("doctor"),
    )

    assert [r.returncode for r in refused] == [1] * 3
    assert all("safe-conduct erasures export" in r.stderr for r in refused[:2])
    assert "--no-erasures" in refused[2].stderr
    assert "it was created from this database" in made.stdout
    assert "1 erasures were added" in made.stdout
    assert again.stdout.startswith("0 erasures were added")
    assert (well.returncode, well.stderr) == (0, "")


def test_a_restore_that_is_killed_goes_on_where_it_was(
    world: World, url: str, officer: Someone, ledger: Ledger, tmp_path: Path
) -> None:
    drafts = [unwrap(officer.create_case()) for _ in range(MANY)]
    world.database.engine.dispose()
    with backup(url) as older:
        discard_drafts(world, ledger, officer, *drafts)
        operate = operating(tmp_path, older)
        with move_accounts(older, officer) as restored:
            was = get_epoch(restored)
            kill_restore(restored, tmp_path, older)
            between = count_rows(restored, Erasure)["erasure"]
            restored.database.engine.dispose()
        refused, done_ = operate("doctor"), operate("restored")

        with move_accounts(older, officer) as restored:
            assert secrets(restored) == (0, 0)
            assert get_epoch(restored) != was
            ledger.require_agreement(restored.runtime)

    assert 0 < between < MANY
    assert f"{MANY - between} erasures of" in refused.stderr
    assert f"{MANY - between} of these cases were in the backup" in done_.stdout


def kill_restore(world: World, folder: Path, url: str) -> None:
    """Start a restore, and kill it as soon as the first case is erased again."""
    settings = environment(
        folder,
        SAFE_CONDUCT_DATABASE_URL=url,
        SAFE_CONDUCT_ERASURE_LEDGER=str(folder / "elsewhere" / "erasures"),
    )
    with subprocess.Popen(
        [COMMAND, "restored"], env=settings, cwd=folder, stdout=subprocess.DEVNULL
    ) as process:
        while not count_rows(world, Erasure):
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)


def test_a_fresh_mechanism_makes_its_ledger_when_it_serves(
    sqlite_url: str, world: World, tmp_path: Path
) -> None:
    world.database.engine.dispose()
    operate = operating(tmp_path, sqlite_url)
    before = operate("doctor")

    settings = environment(
        tmp_path,
        SAFE_CONDUCT_DATABASE_URL=sqlite_url,
        SAFE_CONDUCT_KEY_FILE=str(tmp_path / "keys"),
        SAFE_CONDUCT_ERASURE_LEDGER=str(tmp_path / "elsewhere" / "erasures"),
        SAFE_CONDUCT_ENVIRONMENT="drill",
    )
    path = tmp_path / "elsewhere" / "erasures"
    with subprocess.Popen([COMMAND, "serve"], env=settings, cwd=tmp_path) as process:
        while not path.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)

    assert "the ledger of erasures will be" in before.stdout
    assert path.read_text().splitlines()[0] == "safe-conduct erasures 1"
