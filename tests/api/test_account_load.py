"""Tests of the accounts that an operator opens from a CSV file."""

import csv
from pathlib import Path
from time import perf_counter
from typing import Final

import pytest

from app.cli import operator_actions
from app.cli.account_load_command import describe_load, open_accounts, plan_load
from app.cli.startup import NotReady
from app.directory.files import FilesRefused
from app.kernel.actors import AccountKind, Role, Scope
from tests.support.administrators import ADMINISTRATOR
from tests.support.world import World, unwrap

HEAD: Final = "focal_point,label,kind,roles,scopes"
ROWS: Final = (
    "KZ_LEAD,duty 1,person,caseworker coordinator,",
    "KZ_LEAD,intake system,integration,officer,directory:read feed:read",
    "DESK_CENTRAL_ASIA,administrator 1,person,administrator,",
    "OVERSIGHT_DEMO,Иш 4,person,protection_officer,",
)
DAYS: Final = 30


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.keys.csv"


def write_file(folder: Path, *rows: str) -> Path:
    file = folder / "accounts.csv"
    file.write_text("\n".join((HEAD, *rows, "")), "utf-8")
    return file


def read_keys(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def count_accounts(world: World) -> int:
    return len(operator_actions.list_accounts(world.runtime, None))


def find_faults(world: World, file: Path) -> list[tuple[int, str]]:
    """Return the line and the column of each fault, and check that nothing is written."""
    with pytest.raises(FilesRefused) as refused:
        open_accounts(world.runtime, file, file.with_suffix(".keys.csv"), DAYS)
    with pytest.raises(FilesRefused) as checked:
        plan_load(world.runtime, file)
    assert checked.value.faults == refused.value.faults
    assert {fault.file for fault in refused.value.faults} == {"accounts.csv"}
    assert count_accounts(world) == 0
    assert not file.with_suffix(".keys.csv").exists()
    return [(fault.line, fault.column) for fault in refused.value.faults]


def test_each_account_of_a_file_is_opened_with_a_key_that_works(
    world: World, tmp_path: Path, keys_file: Path
) -> None:
    file = write_file(tmp_path, *ROWS)

    planned = open_accounts(world.runtime, file, keys_file, DAYS)

    keys = read_keys(keys_file)
    signed_in = [
        unwrap(world.http.get("/v1/me", headers={"Authorization": f"Bearer {one['key']}"}))
        for one in keys
    ]
    assert keys_file.stat().st_mode & 0o777 == 0o600
    assert [(me["focal_point"], me["account"], me["kind"]) for me in signed_in] == [
        tuple(row.split(",")[:3]) for row in ROWS
    ]
    assert [" ".join(me["roles"]) for me in signed_in] == [one["roles"] for one in keys]
    assert signed_in[1]["scopes"] == [Scope.DIRECTORY_READ, Scope.FEED_READ]
    assert {one["expires_at"] for one in keys} == {"2026-07-01T12:00:00+00:00"}
    assert list(describe_load(file, planned, keys_file)) == [
        "4 accounts were opened, 0 existed.",
        f"Their API keys are in {keys_file}, which only its owner can read.",
    ]


def test_office_and_oversight_learn_of_a_loaded_account_as_of_a_single_one(
    world: World, tmp_path: Path, keys_file: Path
) -> None:
    reader = world.add_person("KZ_LEAD")
    overseer = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    account = operator_actions.create_account(
        world.runtime, "KZ_LEAD", "duty 8", [Role.OFFICER]
    )
    operator_actions.create_key(world.runtime, account, [Scope.FEED_READ], DAYS)
    single = [(event["type"], event["facts"].keys()) for event in reader.poll()]
    overseer.poll()

    file = write_file(tmp_path, "KZ_LEAD,duty 9,person,officer,feed:read")
    open_accounts(world.runtime, file, keys_file, DAYS)

    loaded = [(event["type"], event["facts"].keys()) for event in reader.poll()]
    assert loaded == single
    assert [event["type"] for event in overseer.poll()] == [name for name, _ in single]


def test_load_can_be_repeated_and_changes_no_account_that_exists(
    world: World, tmp_path: Path, keys_file: Path
) -> None:
    file = write_file(tmp_path, *ROWS[:3])
    open_accounts(world.runtime, file, keys_file, DAYS)
    first = keys_file.read_text("utf-8")
    [leaver] = [
        one.account.id
        for one in operator_actions.list_accounts(world.runtime, "DESK_CENTRAL_ASIA")
    ]
    operator_actions.disable_account(world.runtime, leaver)
    before = operator_actions.list_accounts(world.runtime, None)
    changed = ROWS[0].replace("caseworker coordinator", "supervisor")
    write_file(tmp_path, changed, *ROWS[1:3])

    again = open_accounts(world.runtime, file, keys_file, DAYS)

    assert operator_actions.list_accounts(world.runtime, None) == before
    assert keys_file.read_text("utf-8") == first
    assert "\n".join(describe_load(file, again, keys_file)) == (
        "accounts.csv, line 2: KZ_LEAD, duty 1 exists with other rights "
        "(person: caseworker, coordinator). It was not changed.\n"
        "accounts.csv, line 3: KZ_LEAD, intake system exists. It was not changed.\n"
        "accounts.csv, line 4: DESK_CENTRAL_ASIA, administrator 1 exists and is disabled. "
        "It was not changed.\n"
        "0 accounts were opened, 3 existed."
    )


def test_file_of_keys_is_never_overwritten_and_then_no_account_is_opened(
    world: World, tmp_path: Path, keys_file: Path
) -> None:
    keys_file.write_text("earlier keys", "utf-8")
    missing = tmp_path / "missing" / "keys.csv"
    file = write_file(tmp_path, *ROWS)

    for path, message in ((keys_file, "--keys"), (missing, "cannot be written")):
        with pytest.raises(NotReady, match=message):
            open_accounts(world.runtime, file, path, DAYS)

    assert keys_file.read_text("utf-8") == "earlier keys"
    assert count_accounts(world) == 0


def test_dry_run_says_what_would_be_opened_and_writes_nothing(
    world: World, tmp_path: Path
) -> None:
    operator_actions.create_account(world.runtime, "KZ_LEAD", "duty 1", [Role.OFFICER])
    file = write_file(tmp_path, *ROWS)

    planned = plan_load(world.runtime, file)

    assert "\n".join(describe_load(file, planned, None)) == (
        "accounts.csv, line 2: KZ_LEAD, duty 1 exists with other rights (person: officer). "
        "It was not changed.\n"
        "Dry run: 3 accounts would be opened, 1 exist."
    )
    assert count_accounts(world) == 1
    assert list(tmp_path.iterdir()) == [file]


def test_all_faults_of_a_file_are_reported_at_once_with_their_places(
    world: World, tmp_path: Path
) -> None:
    file = write_file(
        tmp_path,
        "KZ_LEAD,duty 1,person,officer,",
        "KZ_LEED,duty 1,person,officer,",
        "KZ_LEAD,,person,officer,",
        "KZ_LEAD,duty 2,robot,officer,",
        "KZ_LEAD,duty 3,person,,",
        "KZ_LEAD,duty 4,person,officer boss,",
        "KZ_LEAD,duty 5,person,officer,everything",
        "KZ_LEAD,duty 1,person,caseworker,",
        "KZ_LEAD,duty 6,person,analyst,",
        "KZ_LEAD,duty 7,integration,supervisor,",
        "KZ_LEAD,duty 8,person,administrator officer,",
        "KZ_LEAD,duty 9,person",
    )

    assert find_faults(world, file) == [
        (3, "focal_point"),
        (4, "label"),
        (5, "kind"),
        (6, "roles"),
        (7, "roles"),
        (8, "scopes"),
        (9, "label"),
        (10, "roles"),
        (11, "roles"),
        (12, "roles"),
        (13, ""),
    ]


def test_fault_in_a_label_does_not_repeat_the_label(world: World, tmp_path: Path) -> None:
    file = write_file(tmp_path, "KZ_LEAD,Zarina\u202e,person,officer,")

    with pytest.raises(FilesRefused) as refused:
        plan_load(world.runtime, file)

    assert "Zarina" not in str(refused.value)


@pytest.mark.parametrize("head", ["", "focal_point,label,kind,roles", f"{HEAD},phone"])
def test_header_with_other_columns_is_refused(
    world: World, tmp_path: Path, head: str
) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text(head)

    assert {line for line, _ in find_faults(world, file)} == {1}


def test_loaded_machine_is_no_second_person_and_an_administrator_sees_no_case(
    world: World, tmp_path: Path, keys_file: Path
) -> None:
    file = write_file(tmp_path, *ROWS[1:3])

    open_accounts(world.runtime, file, keys_file, DAYS)

    accounts = operator_actions.list_accounts(world.runtime, None)
    kinds = {one.account.label: one.account.kind for one in accounts}
    assert kinds["intake system"] == AccountKind.INTEGRATION
    administrator = world.add_person("DESK_CENTRAL_AMERICA", ADMINISTRATOR)
    key = read_keys(keys_file)[1]["key"]
    answers = [
        world.http.get("/v1/cases", headers={"Authorization": f"Bearer {one}"}).status_code
        for one in (key, administrator.key)
    ]
    assert answers[0] == answers[1] != 200


LIMIT_MS: Final = 50


@pytest.mark.slow
def test_each_of_two_hundred_accounts_takes_less_than_the_limit(
    world: World, tmp_path: Path, keys_file: Path
) -> None:
    rows = [f"KZ_LEAD,duty {number},person,officer,feed:read" for number in range(200)]
    file = write_file(tmp_path, *rows)

    began = perf_counter()
    open_accounts(world.runtime, file, keys_file, DAYS)
    took_ms = (perf_counter() - began) * 1000

    assert len(read_keys(keys_file)) == len(rows)
    assert took_ms < LIMIT_MS * len(rows)
