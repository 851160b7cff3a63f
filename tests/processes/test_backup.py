"""Tests that a backup is complete under load, and that a failed backup leaves no file."""

import os
import signal
import sqlite3
import stat
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import make_url

from app.cli import backup_command
from app.cli.startup import NotReady
from app.settings import Settings
from tests.processes.test_demo import COMMAND, SECONDS, command, environment
from tests.support.servers import Killed, make_client, start_server, write_key_file
from tests.support.world import World, get_problem, unwrap

pytestmark = pytest.mark.slow
MEGABYTES = 100


def build_settings(url: str, folder: Path) -> Settings:
    return Settings(database_url=url, erasure_ledger=folder / "erasures")


def list_codes(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as copy:
        return {code for (code,) in copy.execute('SELECT code FROM "case"')}


@pytest.fixture
def server(sqlite_url: str, tmp_path: Path) -> Iterator[Killed]:
    with start_server(sqlite_url, write_key_file(tmp_path)) as made:
        yield made


def test_a_backup_under_load_holds_all_that_was_answered_before_it_began(
    server: Killed, sqlite_url: str, tmp_path: Path
) -> None:
    world, over, answered = World(sqlite_url), Event(), list[str]()
    world.http.close()
    world.http = make_client(server.port)
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")

    def submits() -> None:
        while not over.is_set():
            answered.append(officer.submit()["code"])

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(submits) for _ in range(4)]
        while len(answered) < 10:
            time.sleep(0.05)
        before = set(answered)
        done_ = command(tmp_path, "backup", "first", SAFE_CONDUCT_DATABASE_URL=sqlite_url)
        over.set()
        for one in writing:
            one.result()
    cursor = unwrap(lead.get("/events"))["cursor"]
    world.close()

    assert (done_.returncode, done_.stderr) == (0, "")
    there = list_codes(tmp_path / "first" / "database")
    assert before <= there <= set(answered)
    assert stat.S_IMODE((tmp_path / "first" / "database").stat().st_mode) == 0o600
    require_restored(tmp_path, sqlite_url, cursor, there)


def require_restored(folder: Path, url: str, cursor: str, there: set[str]) -> None:
    """Check that a restored backup has these cases, and refuses an old cursor with 410."""
    restored = f"sqlite:///{folder}/restored.db"
    words, keys = ("restore", "first", "--no-erasures"), str(folder / "keys")
    settings = {"SAFE_CONDUCT_DATABASE_URL": restored, "SAFE_CONDUCT_KEY_FILE": keys}
    said = command(folder, *words, **settings)
    assert (said.returncode, said.stderr) == (0, ""), url
    with start_server(restored, folder / "keys") as server:
        world = World(restored)
        world.http.close()
        world.http = make_client(server.port)
        lead = world.add_person("KZ_LEAD")
        heard = lead.poll()
        refused = lead.get("/events", after=cursor)
        world.close()
    assert get_problem(refused) == (410, "cursor-gone")
    subjects = {event["subject"] for event in heard if event["type"] == "case.submitted"}
    assert subjects == {f"cases/{code}" for code in there}


def test_a_file_that_is_there_is_never_overwritten(url: str, tmp_path: Path) -> None:
    (tmp_path / "first").write_text("something else")

    said = command(tmp_path, "backup", "first", SAFE_CONDUCT_DATABASE_URL=url)

    assert said.returncode == 1
    assert "another name" in said.stderr
    assert (tmp_path / "first").read_text() == "something else"


def test_where_nothing_is_there_is_nothing_to_copy(tmp_path: Path) -> None:
    said = command(tmp_path, "backup", "first")

    assert said.returncode == 1
    assert "safe-conduct migrate" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_finished_is_no_backup(sqlite_url: str, tmp_path: Path) -> None:
    """A missing folder and a damaged database produce no backup."""
    nowhere = build_settings(sqlite_url, tmp_path)
    with pytest.raises(NotReady, match="was not made"):
        backup_command.make_backup(nowhere, tmp_path / "nowhere" / "first")
    path = Path(str(make_url(sqlite_url).database))
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 8192] = os.urandom(8192)
    (tmp_path / "damaged.db").write_bytes(damaged)

    settings = build_settings(f"sqlite:///{tmp_path}/damaged.db", tmp_path)
    with pytest.raises(NotReady, match="was not made"):
        backup_command.make_backup(settings, tmp_path / "first")

    assert not [one for one in tmp_path.iterdir() if one.name.startswith("first")]


def test_one_that_was_killed_leaves_none_and_the_next_one_is_made(
    sqlite_url: str, tmp_path: Path
) -> None:
    told = environment(tmp_path, SAFE_CONDUCT_DATABASE_URL=sqlite_url)
    for wait in (0.3, 0.6, 0.9):
        killed = subprocess.Popen([COMMAND, "backup", "first"], cwd=tmp_path, env=told)
        time.sleep(wait)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    whole = tmp_path / "first" / "database"
    if not whole.exists():
        said = command(tmp_path, "backup", "first", SAFE_CONDUCT_DATABASE_URL=sqlite_url)
        assert said.returncode == 0, said.stderr

    with closing(sqlite3.connect(whole)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert [one.name for one in tmp_path.iterdir() if "first" in one.name] == ["first"]


@pytest.fixture
def large(sqlite_url: str) -> Path:
    """Return a database that is too large to be copied in a single step."""
    path = Path(str(make_url(sqlite_url).database))
    with closing(sqlite3.connect(path)) as filled:
        filled.execute("CREATE TABLE filler (bytes BLOB)")
        filled.execute("CREATE TABLE beat (count INTEGER)")
        filled.execute("INSERT INTO beat VALUES (0)")
        for _ in range(MEGABYTES):
            filled.execute("INSERT INTO filler VALUES (randomblob(1048576))")
        filled.commit()
    return path


def test_a_backup_ends_however_often_others_commit(
    large: Path, sqlite_url: str, tmp_path: Path
) -> None:
    over = Event()

    def commits() -> int:
        """Commit until stopped, and return the number of commits."""
        count = 0
        with closing(sqlite3.connect(large, timeout=30)) as beating:
            while not over.wait(0.005):
                beating.execute("UPDATE beat SET count = count + 1")
                beating.commit()
                count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(commits)
        try:
            said = command(
                tmp_path, "backup", "first", SAFE_CONDUCT_DATABASE_URL=sqlite_url
            )
        finally:
            over.set()
        count = writing.result()

    assert (said.returncode, said.stderr) == (0, "")
    with closing(sqlite3.connect(tmp_path / "first" / "database")) as copy:
        [(held,)] = copy.execute("SELECT count FROM beat")
        assert copy.execute("SELECT count(*) FROM filler").fetchone() == (MEGABYTES,)
    assert 0 < held <= count


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("wait", [0.0, 0.1])
def test_one_that_is_told_to_end_ends_and_leaves_nothing(
    end: signal.Signals, wait: float, large: Path, sqlite_url: str, tmp_path: Path
) -> None:
    told = environment(tmp_path, SAFE_CONDUCT_DATABASE_URL=sqlite_url)
    with subprocess.Popen(
        [COMMAND, "backup", "first"], cwd=tmp_path, env=told, stderr=subprocess.PIPE
    ) as process:
        while not (tmp_path / "first.part").exists():
            assert process.poll() is None
            time.sleep(0.001)
        time.sleep(wait)
        process.send_signal(end)
        assert process.wait(SECONDS) in {1, 130}

    assert large.exists()
    assert not [one for one in tmp_path.iterdir() if one.name.startswith("first")]
