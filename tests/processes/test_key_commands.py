"""Tests of the `key` commands: a new key replaces an earlier one, step by step."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from tests.processes.test_demo import command

pytestmark = pytest.mark.slow


def run(folder: Path, *words: str) -> str:
    """Run a `key` command, which must succeed, and return its output."""
    done = command(folder, "key", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refuse(folder: Path, *words: str) -> str:
    """Run a `key` command, which must be refused, and return the reason."""
    refused = command(folder, "key", *words)
    assert refused.returncode > 0
    assert "Traceback" not in refused.stderr
    return refused.stderr


def list_keys(folder: Path) -> list[list[str]]:
    """Return the words of each line of `key list`, without the header line."""
    return [line.split() for line in run(folder, "list").splitlines()[1:]]


def test_new_key_replaces_an_earlier_one(tmp_path: Path) -> None:
    for words in (("key", "new"), ("migrate",), ("directory", "load")):
        assert command(tmp_path, *words).returncode == 0
    account = ("account", "new", "KZ_LEAD", "duty", "--role", "officer")
    assert command(tmp_path, *account).returncode == 0

    standby = re.search(r"Standby key (k2\w+) is in", run(tmp_path, "new", "--standby"))
    [first, second] = list_keys(tmp_path)
    assert standby
    assert first[2:] == ["wraps", "new", "secrets"]
    assert second == [standby[1], "0", "not", "activated", "yet"]

    assert standby[1] in run(tmp_path, "activate")
    assert "There is no standby key" in refuse(tmp_path, "activate")
    assert "Run: safe-conduct key rewrap" in refuse(tmp_path, "retire", first[0])
    wrapped = run(tmp_path, "rewrap")
    assert "secrets were wrapped again" in wrapped
    assert re.search(r"[1-9][0-9]+ MACs", wrapped)

    [earlier, current] = list_keys(tmp_path)
    assert earlier == [first[0], "0", "opens", "what", "it", "wrapped"]
    assert current[2:] == ["wraps", "new", "secrets"]
    assert "duty" in command(tmp_path, "account", "list").stdout
    assert (tmp_path / "var" / "keys").stat().st_mode & 0o077 == 0

    assert f"Key {first[0]} is retired" in run(tmp_path, "retire", first[0])
    assert list_keys(tmp_path)[0][2:] == ["retired"]
    assert "altered outside the service" not in command(tmp_path, "doctor").stdout
    assert "is used again" in run(tmp_path, "retire", first[0], "--undo")
    assert "cannot be retired" in refuse(tmp_path, "retire", current[0])
    assert "no such key" in refuse(tmp_path, "retire", "k9")


def test_standby_key_cannot_be_the_first(tmp_path: Path) -> None:
    assert "cannot be a standby key" in refuse(tmp_path, "new", "--standby")
    assert not (tmp_path / "var" / "keys").exists()


def test_rewrap_with_an_older_key_file_asks_for_the_newest(tmp_path: Path) -> None:
    for words in (("key", "new"), ("migrate",)):
        assert command(tmp_path, *words).returncode == 0
    add_case_key(tmp_path, "k9")

    assert "lacks the key k9. Copy the newest key file" in refuse(tmp_path, "rewrap")
    lost = command(tmp_path, "key", "rewrap", SAFE_CONDUCT_LOST_KEYS="k9")
    assert (lost.returncode, lost.stderr) == (0, "")


def test_changed_secret_does_not_prevent_that_its_key_is_retired(tmp_path: Path) -> None:
    for words in (("key", "new"), ("migrate",)):
        assert command(tmp_path, *words).returncode == 0
    [[first, *_]] = list_keys(tmp_path)
    add_case_key(tmp_path, first)
    run(tmp_path, "new")
    assert "1 secrets of key" in command(tmp_path, "key", "rewrap").stdout

    retired = run(tmp_path, "retire", first)

    assert f"Key {first} is retired" in retired
    assert f"set SAFE_CONDUCT_LOST_KEYS={first}" in retired


def add_case_key(folder: Path, version: str) -> None:
    """Store a wrapped data key that no key opens."""
    with closing(sqlite3.connect(folder / "var" / "demo.db")) as database:
        insertion = "INSERT INTO case_key (case_id, version, wrapped) VALUES (?, ?, ?)"
        database.execute(insertion, (UUID(int=1).hex, version, b"wrapped"))
        database.commit()
