"""Tests of the operator commands, and of the remedy that each refusal names."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from tests.processes.test_demo import command
from tests.support.servers import ROOT, get_address, open_port

pytestmark = pytest.mark.slow


def test_an_operator_sets_up_a_mechanism_step_by_step(tmp_path: Path) -> None:
    steps = [
        command(tmp_path, "key", "new"),
        command(tmp_path, "migrate"),
        command(tmp_path, "directory", "load"),
        command(tmp_path, "account", "new", "UZ_LEAD", "duty 1", "--role", "caseworker"),
    ]
    account = steps[-1].stdout.strip()
    key = command(tmp_path, "api-key", "new", account, "--scope", "feed:read")
    prefix = key.stdout.split("_")[1]
    ends = [
        command(tmp_path, "api-key", "revoke", prefix),
        command(tmp_path, "account", "disable", account),
    ]

    assert [(s.returncode, s.stderr) for s in (*steps, key, *ends)] == [(0, "")] * 7
    assert key.stdout.startswith("sc_")


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("doctor",), "safe-conduct key new"),
        (("serve",), "safe-conduct key new"),
    ],
)
def test_without_a_key_it_says_how_to_make_one(
    words: tuple[str, ...], remedy: str, tmp_path: Path
) -> None:

    refused = command(tmp_path, *words)

    assert refused.returncode == 1
    assert remedy in refused.stderr
    assert "Traceback" not in refused.stderr


def test_it_refuses_to_serve_before_the_tables_and_the_desks_are_there(
    tmp_path: Path,
) -> None:
    command(tmp_path, "key", "new")

    without_tables = command(tmp_path, "serve")
    command(tmp_path, "migrate")
    command(tmp_path, "directory", "load")
    without_desks = command(tmp_path, "serve")

    assert "safe-conduct migrate" in without_tables.stderr
    assert "No active desk serves AG, BB," in without_desks.stderr
    assert "Traceback" not in without_tables.stderr + without_desks.stderr


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    command(tmp_path, "key", "new")
    (tmp_path / "var" / "keys").chmod(0o644)

    refused = command(tmp_path, "serve")

    assert refused.returncode == 1
    assert "chmod 600" in refused.stderr


def test_what_is_written_is_its_users_alone_and_the_doctor_warns_of_what_is_not(
    tmp_path: Path,
) -> None:
    before = os.umask(0o022)
    try:
        for words in (("key", "new"), ("migrate",), ("directory", "load")):
            command(tmp_path, *words)
        copied = command(tmp_path, "backup", "copy")
        desks = str(ROOT / "app" / "demo" / "data")
        command(tmp_path, "directory", "load", desks)
    finally:
        os.umask(before)
    var = tmp_path / "var"
    modes = {file.name: file.stat().st_mode & 0o777 for file in var.iterdir()}
    drill = {"SAFE_CONDUCT_ENVIRONMENT": "drill", "COLUMNS": "500"}
    well = command(tmp_path, "doctor", **drill)
    (var / "demo.db").chmod(0o640)
    warned = command(tmp_path, "doctor", **drill)

    assert (copied.returncode, (tmp_path / "copy" / "database").stat().st_mode & 0o777) == (
        0,
        0o600,
    )
    assert var.stat().st_mode & 0o777 == 0o700
    assert {"keys", "demo.db"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    assert (well.returncode, warned.returncode) == (0, 0)
    assert "other users can read" not in well.stdout
    assert f"Warning: other users can read {var / 'demo.db'}. Run:" in warned.stdout


def test_what_does_not_exist_is_said_without_a_stack(tmp_path: Path) -> None:
    command(tmp_path, "key", "new")
    command(tmp_path, "migrate")

    nowhere = command(tmp_path, "account", "new", "NOWHERE", "x", "--role", "officer")
    no_key = command(tmp_path, "api-key", "revoke", "sc_4d7e_secret")
    no_folder = command(tmp_path, "directory", "load", "nowhere")
    no_account = command(tmp_path, "account", "disable", str(UUID(int=1)))
    nobodys = command(tmp_path, "api-key", "new", str(UUID(int=1)))
    no_office = command(tmp_path, "account", "list", "NOWHERE")

    for refused in (nowhere, no_key, no_folder, no_account, nobodys, no_office):
        assert refused.returncode == 1
        assert refused.stderr.startswith("safe-conduct: ")
        assert "Traceback" not in refused.stderr
    assert (
        "There is no key with this prefix. The prefix is the part between" in no_key.stderr
    )
    assert "4d7e" not in no_key.stderr
    for refused in (no_account, nobodys):
        assert "There is no account with this id" in refused.stderr


def test_accounts_and_their_keys_are_listed_and_nothing_that_is_secret(
    tmp_path: Path,
) -> None:
    for words in (("key", "new"), ("migrate",), ("directory", "load")):
        command(tmp_path, *words)
    nobody = command(tmp_path, "account", "list")
    new = ("account", "new", "UZ_LEAD", "duty 1", "--role")
    account = command(tmp_path, *new, "caseworker").stdout.strip()
    again = command(tmp_path, *new, "officer")
    key = command(tmp_path, "api-key", "new", account, "--days", "9").stdout.strip()
    prefix = key.split("_")[1]
    listed = command(tmp_path, "account", "list")
    command(tmp_path, "account", "disable", account)
    after = command(tmp_path, *new, "supervisor")
    ours = json.loads(command(tmp_path, "account", "list", "UZ_LEAD", "--json").stdout)
    others = command(tmp_path, "account", "list", "KZ_LEAD")

    assert (nobody.returncode, others.returncode) == (0, 0)
    assert nobody.stdout == others.stdout
    assert "safe-conduct account new" in nobody.stdout
    assert (again.returncode, again.stdout) == (1, "")
    assert "UZ_LEAD already has an account with this label" in again.stderr
    assert (listed.returncode, after.returncode) == (0, 0)
    assert "UZ_LEAD  duty 1  person: caseworker\n" in listed.stdout
    assert account in listed.stdout
    assert f"key {prefix}  until 20" in listed.stdout
    assert key not in listed.stdout
    ended, one = sorted(ours["accounts"], key=lambda it: it["roles"])
    assert (ended["id"], ended["disabled_at"] is None) == (account, False)
    assert [key["prefix"] for key in ended["keys"]] == [prefix]
    assert (one["roles"], one["disabled_at"], one["keys"]) == (["supervisor"], None, [])
    assert key not in str(ours)


def test_accounts_are_loaded_from_a_file_and_their_keys_are_not_printed(
    tmp_path: Path,
) -> None:
    for words in (("key", "new"), ("migrate",), ("directory", "load")):
        command(tmp_path, *words)
    head = "focal_point,label,kind,roles,scopes"
    rows = ["UZ_LEAD,duty 1,person,caseworker,", "UZ_LEAD,duty 2,person,officer,"]
    file = tmp_path / "people.csv"
    file.write_text("\n".join([head, rows[0], "UZ_LEED,duty 2,person,boss,"]), "utf-8")
    absent = command(tmp_path, "account", "load", "other.csv")
    refused = command(tmp_path, "account", "load", "people.csv")
    file.write_text("\n".join([head, *rows]), "utf-8")

    tried = command(tmp_path, "account", "load", "people.csv", "--dry-run")
    empty = command(tmp_path, "account", "list")
    loaded = command(tmp_path, "account", "load", "people.csv", "--days", "9")
    again = command(tmp_path, "account", "load", "people.csv", "--keys", "new.csv")
    listed = command(tmp_path, "account", "list").stdout

    assert (absent.returncode, "There is no file other.csv." in absent.stderr) == (1, True)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "people.csv, line 3, column roles: " in refused.stderr
    assert tried.stdout == "Dry run: 2 accounts would be opened, 0 exist.\n"
    assert "There are no accounts." in empty.stdout
    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert "people.keys.csv, which only its owner can read." in loaded.stdout
    assert "sc_" not in loaded.stdout
    keys = tmp_path / "people.keys.csv"
    assert keys.stat().st_mode & 0o777 == 0o600
    prefixes = [word.split("_")[1] for word in keys.read_text().split(",") if "sc_" in word]
    assert len(prefixes) == 2
    assert [one for one in prefixes if f"key {one}" not in listed] == []
    assert "0 accounts were opened, 2 existed." in again.stdout
    assert not (tmp_path / "new.csv").exists()


def test_the_demonstration_keeps_out_of_a_mechanism_that_is_used(tmp_path: Path) -> None:
    command(tmp_path, "key", "new")
    command(tmp_path, "migrate")
    command(tmp_path, "directory", "load")
    command(tmp_path, "account", "new", "UZ_LEAD", "duty 1", "--role", "caseworker")

    refused = command(tmp_path, "demo")

    assert refused.returncode == 1
    assert "Use another database for the demonstration" in refused.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "4d7e", "SAFE_CONDUCT_PORT: Input should be a valid integer"),
        ("PUBLIC_URL", "https://4d7e.org/", "without a / at the end"),
        ("DATABASE_URL", "mysql://a:4d7e@b/c", "write sqlite:///var/safe-conduct.db"),
    ],
)
def test_a_setting_that_is_wrong_is_named_and_not_repeated(
    name: str, value: str, said: str, tmp_path: Path
) -> None:
    refused = command(tmp_path, "migrate", **{f"SAFE_CONDUCT_{name}": value})

    assert (refused.returncode, refused.stdout) == (1, "")
    [line] = refused.stderr.splitlines()
    assert line.startswith("safe-conduct: SAFE_CONDUCT_")
    assert said in line
    assert "4d7e" not in line


def test_all_settings_that_are_wrong_are_named_at_once(tmp_path: Path) -> None:
    wrong = {"SAFE_CONDUCT_PORT": "x", "SAFE_CONDUCT_LOG_LEVEL": "loud"}

    refused = command(tmp_path, "migrate", **wrong)

    assert [name for name in wrong if f"{name}: " not in refused.stderr] == []
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "name"), [(("key", "new"), "KEY_FILE"), (("migrate",), "DATABASE_URL")]
)
def test_where_nothing_can_be_written_it_says_so(
    words: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    scheme = "sqlite:///" if name == "DATABASE_URL" else ""
    inside = f"{scheme}{tmp_path}/file/inside/it"

    refused = command(tmp_path, *words, **{f"SAFE_CONDUCT_{name}": inside})

    assert refused.returncode == 1
    [line] = refused.stderr.splitlines()
    assert line.startswith("safe-conduct: ")
    assert "Not a directory" in line


def test_a_journey_that_nobody_serves_says_what_to_start(tmp_path: Path) -> None:
    command(tmp_path, "key", "new")
    command(tmp_path, "migrate")
    with open_port() as bound:  # no server listens there
        at = get_address(bound.getsockname()[1])
        unserved = command(tmp_path, "demo", "play", SAFE_CONDUCT_URL=at)
    nowhere = command(tmp_path, "demo", "play", SAFE_CONDUCT_URL="nowhere")

    for refused in (unserved, nowhere):
        assert refused.returncode == 1
        [line] = refused.stderr.splitlines()
        assert "Start `safe-conduct demo serve`" in line


@pytest.mark.parametrize("words", [("serve",), ("demo", "serve")])
def test_a_port_that_is_taken_is_said_before_anything_begins(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    command(tmp_path, "key", "new")
    command(tmp_path, "migrate")
    command(tmp_path, "directory", "load")
    desks = command(tmp_path, "directory", "load", str(ROOT / "app" / "demo" / "data"))
    with open_port() as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        drill = {"SAFE_CONDUCT_ENVIRONMENT": "drill"}
        refused = command(tmp_path, *words, SAFE_CONDUCT_PORT=port, **drill)

    assert (desks.returncode, refused.returncode, refused.stdout) == (0, 1, "")
    [line] = [line for line in refused.stderr.splitlines() if '"drill"' not in line]
    assert line.startswith("safe-conduct: SAFE_CONDUCT_PORT: ")


@pytest.mark.parametrize("word", ["doctor", "poll"])
def test_what_was_imported_stays_and_what_comes_after_is_cleared_away(
    tmp_path: Path, word: str
) -> None:
    told = "import atexit, gc, sys; from app.cli import main; sys.argv[1:] = [{!r}]; "
    ending = "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count())); main()"
    program = [sys.executable, "-c", told.format(word) + ending]

    done = subprocess.run(  # not in the checkout, where `make run` may have left a database
        program, capture_output=True, text=True, check=False, cwd=tmp_path
    )

    enabled, frozen = done.stdout.split()
    assert enabled == "True"
    assert int(frozen) > 10_000


def test_a_database_without_its_guards_is_served_by_nothing(tmp_path: Path) -> None:
    drill = {"SAFE_CONDUCT_ENVIRONMENT": "drill", "COLUMNS": "500"}
    for words in (("key", "new"), ("migrate",), ("directory", "load")):
        command(tmp_path, *words)
    desks = str(ROOT / "app" / "demo" / "data")
    command(tmp_path, "directory", "load", desks)
    with closing(sqlite3.connect(tmp_path / "var" / "demo.db")) as database:
        database.execute("CREATE INDEX reports ON entry (type)")
        database.commit()
        warned = command(tmp_path, "doctor", **drill)
        database.execute("DROP TRIGGER access_entry_kept_from_delete")
        database.commit()

    refused = [
        command(tmp_path, *words, **drill)
        for words in (("doctor",), ("serve",), ("worker", "run"), ("restored",))
    ]

    assert warned.returncode == 0
    assert "Warning: index reports on entry was added." in warned.stdout
    assert [one.returncode for one in refused] == [1] * 4
    missing = "trigger access_entry_kept_from_delete on access_entry is missing"
    assert all(missing in one.stderr for one in refused)
