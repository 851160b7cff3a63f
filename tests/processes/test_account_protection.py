"""Tests of operator commands on accounts that lack a MAC or were changed by SQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes.protecting import UNTIL, run_and_answer
from tests.processes.test_demo import command

pytestmark = pytest.mark.slow


def write_sql(folder: Path, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(folder / "var" / "demo.db")) as database, database:
        database.execute(statement, values)


@pytest.fixture
def account(tmp_path: Path) -> str:
    """Set up a service with one account, and return the id of the account."""
    for words in (("key", "new"), ("migrate",), ("directory", "load")):
        assert command(tmp_path, *words).returncode == 0
    opened = command(tmp_path, "account", "new", "KZ_LEAD", "duty", "--role", "officer")
    return opened.stdout.strip()


def test_accounts_of_an_earlier_version_are_protected_once(
    tmp_path: Path, account: str
) -> None:
    for table in ("account", "person"):
        write_sql(tmp_path, f"UPDATE {table} SET mac = NULL")

    checked = command(tmp_path, "doctor")
    assert "2 accounts and persons are not protected" in checked.stdout + checked.stderr
    refused = command(tmp_path, "account", "protect")
    assert refused.returncode > 0
    assert "for an upgrade from a version before 0.2 only" in refused.stderr

    setting = {"SAFE_CONDUCT_UNPROTECTED_UNTIL": UNTIL}
    for count in (2, 0):
        done = command(tmp_path, "account", "protect", **setting)
        assert f"{count} accounts and persons were protected." in done.stdout
    assert command(tmp_path, "api-key", "new", account).returncode == 0


def test_account_that_was_changed_is_protected_again_after_a_look(
    tmp_path: Path, account: str
) -> None:
    write_sql(tmp_path, "UPDATE account SET label = ?", "another")
    refused = command(tmp_path, "api-key", "new", account)
    assert refused.returncode > 0
    assert f"The row {account} of the table account was changed" in refused.stderr
    assert "Traceback" not in refused.stderr

    words = ("account", "protect", "--again", account)
    done = run_and_answer(tmp_path, {}, "y", *words)
    assert done.returncode == 0
    shown = done.stdout
    assert "KZ_LEAD  another  person: officer" in shown
    assert "Are the roles and keys of this account right?" in shown
    assert command(tmp_path, "api-key", "new", account).returncode == 0


def test_another_key_file_is_noticed(tmp_path: Path, account: str) -> None:
    (tmp_path / "var" / "keys").unlink()
    assert command(tmp_path, "key", "new").returncode == 0

    checked = command(tmp_path, "doctor")
    assert "is the one that protects the accounts" in checked.stdout + checked.stderr
    listed = command(tmp_path, "account", "list")
    assert account in listed.stdout
