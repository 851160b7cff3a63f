"""Tests that a backup of each database is restored and verified, and what is refused."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Final

import pytest
from sqlalchemy import create_engine, make_url

from app.cli.backup_restoring import NAME
from tests.processes.test_demo import COMMAND, command, environment
from tests.support.databases import ask, run
from tests.support.dumps import create_empty_database, find_server_programs
from tests.support.servers import write_key_file
from tests.support.world import World

pytestmark = pytest.mark.slow
LOGIN: Final = "safe_conduct_test_migrator"
CASES: Final = 'SELECT code FROM "case" ORDER BY code'


@pytest.fixture
def settings(url: str, tmp_path: Path) -> dict[str, str]:
    """Return the settings of a service with two cases, one of them erased as a draft."""
    world = World(url)
    lead = world.add_person("KZ_LEAD")
    lead.take_lead(world.add_person("UZ_CONSULATE_ALMATY").submit())
    world.close()
    found = {
        "SAFE_CONDUCT_DATABASE_URL": url,
        "SAFE_CONDUCT_KEY_FILE": str(write_key_file(tmp_path)),
        "SAFE_CONDUCT_ERASURE_LEDGER": str(tmp_path / "erasures"),
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
    }
    if not url.startswith("sqlite"):
        found["PATH"] = f"{find_server_programs(url)}:{os.environ['PATH']}"
    exported = command(tmp_path, "erasures", "export", **found)
    assert exported.returncode == 0, exported.stderr
    return found


@pytest.fixture
def empty(url: str, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database without tables, or of an SQLite file that is missing."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/restored/{token_hex(4)}.db"
        return
    with create_empty_database(make_url(url)) as made:
        yield made.render_as_string(hide_password=False)


def test_backup_is_verified_and_restored(
    settings: dict[str, str], empty: str, tmp_path: Path
) -> None:
    restored = settings | {
        "SAFE_CONDUCT_DATABASE_URL": empty,
        "SAFE_CONDUCT_ERASURE_LEDGER": str(tmp_path / "other"),
    }

    done = [
        command(tmp_path, "backup", "first", **settings),
        command(tmp_path, "verify-backup", "first", **settings),
        command(tmp_path, "restore", "first", **restored),
        command(tmp_path, "doctor", **restored),
    ]

    again = command(tmp_path, "backup", "first", **settings)

    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 4
    assert (again.returncode, "already exists" in again.stderr) == (1, True)
    assert "It needs the keys k1" in done[0].stdout
    assert "first can be restored; epoch" in done[1].stdout
    assert ask(empty, CASES) == ask(settings["SAFE_CONDUCT_DATABASE_URL"], CASES)
    assert not (tmp_path / "first.verify").exists()
    assert list_temporary(settings) == []


def list_temporary(settings: dict[str, str]) -> list[str]:
    """Return the names of temporary databases on the server."""
    url = settings["SAFE_CONDUCT_DATABASE_URL"]
    if url.startswith("sqlite"):
        return []
    own = "SELECT oid FROM pg_database WHERE datname = current_database()"
    query = f"SELECT datname FROM pg_database WHERE datname LIKE '{NAME}' || ({own}) || '%'"
    found = ask(url, query)
    return [str(name) for (name,) in found]


def test_database_that_is_not_empty_is_never_replaced(
    settings: dict[str, str], tmp_path: Path
) -> None:
    assert command(tmp_path, "backup", "first", **settings).returncode == 0
    before = ask(settings["SAFE_CONDUCT_DATABASE_URL"], "SELECT value FROM epoch")

    refused = command(tmp_path, "restore", "first", **settings)

    assert refused.returncode == 1
    assert "exists or is not empty. Nothing was changed." in refused.stderr
    assert ask(settings["SAFE_CONDUCT_DATABASE_URL"], "SELECT value FROM epoch") == before


def test_log_of_a_lost_sqlite_file_is_not_applied_to_the_copy(
    sqlite_url: str, tmp_path: Path
) -> None:
    settings = {"SAFE_CONDUCT_KEY_FILE": str(write_key_file(tmp_path))}
    source = settings | {"SAFE_CONDUCT_DATABASE_URL": sqlite_url}
    target = settings | {"SAFE_CONDUCT_DATABASE_URL": f"sqlite:///{tmp_path}/lost.db"}
    assert command(tmp_path, "backup", "first", **source).returncode == 0
    (tmp_path / "lost.db-wal").touch()

    refused = command(tmp_path, "restore", "first", "--no-erasures", **target)

    assert refused.returncode == 1
    assert "lost.db-wal exists" in refused.stderr
    assert not (tmp_path / "lost.db").exists()


@pytest.mark.parametrize("name", ["database", "erasures", "backup.json", "SHA256SUMS"])
def test_one_changed_byte_refuses(
    settings: dict[str, str], empty: str, tmp_path: Path, name: str
) -> None:
    assert command(tmp_path, "backup", "first", **settings).returncode == 0
    file = tmp_path / "first" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    restored = settings | {"SAFE_CONDUCT_DATABASE_URL": empty}

    refused = [
        command(tmp_path, "verify-backup", "first", **settings),
        command(tmp_path, "restore", "first", **restored),
    ]

    assert [one.returncode for one in refused] == [1, 1]
    assert all("damaged" in one.stderr or "not a backup" in one.stderr for one in refused)
    assert all("Traceback" not in one.stderr for one in refused)


def test_missing_key_is_named(settings: dict[str, str], tmp_path: Path) -> None:
    assert command(tmp_path, "backup", "first", **settings).returncode == 0
    other = tmp_path / "other"
    other.mkdir()
    keys = {"SAFE_CONDUCT_KEY_FILE": str(other / "keys")}
    assert command(tmp_path, "key", "new", **settings | keys).returncode == 0

    refused = command(tmp_path, "verify-backup", "first", **settings | keys)

    assert refused.returncode == 1
    assert "The backup needs the keys k1" in refused.stderr


def test_restore_without_a_ledger_has_to_be_asked_for(
    settings: dict[str, str], empty: str, tmp_path: Path
) -> None:
    (tmp_path / "erasures").unlink()
    made = command(tmp_path, "backup", "first", **settings)
    restored = settings | {"SAFE_CONDUCT_DATABASE_URL": empty}

    refused = command(tmp_path, "restore", "first", **restored)
    done = command(tmp_path, "restore", "first", "--no-erasures", **restored)

    assert (made.returncode, refused.returncode, done.returncode) == (0, 1, 0)
    assert "Warning: there is no ledger of erasures" in made.stdout
    assert "--no-erasures" in refused.stderr


@pytest.mark.parametrize("word", ["backup", "verify-backup", "restore"])
def test_killed_command_leaves_nothing_and_is_repeated(
    settings: dict[str, str], empty: str, tmp_path: Path, word: str
) -> None:
    """The command is killed at many moments, of which some are in each of its steps."""
    if word != "backup":
        assert command(tmp_path, "backup", "first", **settings).returncode == 0
    used = settings | ({"SAFE_CONDUCT_DATABASE_URL": empty} if word == "restore" else {})
    told = environment(tmp_path, **used)
    began = time.monotonic()
    finished = False
    for step in range(1, 12):
        process = subprocess.Popen(
            [COMMAND, word, "first"],
            cwd=tmp_path,
            env=told,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(step * 0.12)
        finished = process.poll() == 0
        os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
        process.wait()
        if finished:
            break

    if not finished:
        again = command(tmp_path, word, "first", **used)
        is_loaded = "If a restore was interrupted" in again.stderr
        assert again.returncode == 0 or (word == "restore" and is_loaded), again.stderr
        if is_loaded:  # as the message says
            words = ("restored", "--erasures", "first/erasures")
            assert command(tmp_path, "migrate", **used).returncode == 0
            assert command(tmp_path, *words, **used).returncode == 0

    assert time.monotonic() - began < 60
    verified = command(tmp_path, "verify-backup", "first", **settings)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert list_temporary(settings) == []
    left = {one.name for one in tmp_path.iterdir()}
    assert not left & {"first.part", "first.verify"}
    if word == "restore":
        assert ask(empty, CASES) == ask(settings["SAFE_CONDUCT_DATABASE_URL"], CASES)


def test_program_older_than_the_server_is_refused_in_words(
    pg_url: str, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.9'\n")
    (programs / "pg_dump").chmod(0o755)
    settings = {"SAFE_CONDUCT_DATABASE_URL": pg_url, "PATH": f"{programs}:/usr/bin:/bin"}

    refused = command(tmp_path, "backup", "first", **settings)

    assert refused.returncode == 1
    assert "The program pg_dump has version 14, and the server has version" in (
        refused.stderr
    )
    assert not (tmp_path / "first").exists()


def test_right_that_the_login_needs_is_named(pg_url: str, tmp_path: Path) -> None:
    admin = create_engine(make_url(pg_url), isolation_level="AUTOCOMMIT")
    run(admin, f"CREATE ROLE {LOGIN} LOGIN PASSWORD 'm' IN ROLE safe_conduct_owner")
    world = World(pg_url)
    world.close()
    login = make_url(pg_url).set(username=LOGIN, password="m")
    settings = {
        "SAFE_CONDUCT_DATABASE_URL": pg_url,
        "SAFE_CONDUCT_MIGRATION_DATABASE_URL": login.render_as_string(hide_password=False),
        "SAFE_CONDUCT_KEY_FILE": str(write_key_file(tmp_path)),
        "PATH": f"{find_server_programs(pg_url)}:{os.environ['PATH']}",
    }
    try:
        made = command(tmp_path, "backup", "first", **settings)
        refused = command(tmp_path, "verify-backup", "first", **settings)
        run(admin, f"ALTER ROLE {LOGIN} CREATEDB")
        verified = command(tmp_path, "verify-backup", "first", **settings)
    finally:
        run(admin, f"DROP ROLE {LOGIN}")
        admin.dispose()

    assert (made.returncode, made.stderr) == (0, "")
    assert refused.returncode == 1
    assert f"ALTER ROLE {LOGIN} CREATEDB" in refused.stderr
    assert (verified.returncode, verified.stderr) == (0, "")
