"""Tests that a killed `account load` can be run again, and then writes valid keys only."""

import os
import signal
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.cli import operator_actions
from app.cli.account_load_command import get_unfinished_file, open_accounts
from app.kernel.transactions import Runtime
from tests.support.world import World
from tests.torture.service import WARM

ROWS: Final = """focal_point,label,kind,roles,scopes
KZ_LEAD,duty 1,person,caseworker,
KZ_LEAD,duty 2,person,supervisor,
"""
MOMENTS: Final = ("before_commit", "after_commit")


def load_and_die(url: str, moment: str, file: Path, keys_file: Path) -> None:
    """Load accounts, and kill this process right before or right after the commit.

    Earlier commits are ignored: the process is killed only at the commit of the accounts,
    when the unfinished file of keys exists.
    """
    world = World(url)

    def kill(_: Session) -> None:
        if get_unfinished_file(keys_file).exists():
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Session, moment, kill)
    open_accounts(world.runtime, file, keys_file, 30)


def list_labels(runtime: Runtime) -> list[str]:
    return sorted(
        one.account.label for one in operator_actions.list_accounts(runtime, None)
    )


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_load_is_finished_by_the_next_one(
    world: World, url: str, tmp_path: Path, moment: str
) -> None:
    file, keys_file = tmp_path / "people.csv", tmp_path / "people.keys.csv"
    file.write_text(ROWS, "utf-8")
    process = WARM.Process(target=load_and_die, args=(url, moment, file, keys_file))
    process.start()
    process.join(60)
    left = get_unfinished_file(keys_file).read_text("utf-8")
    stored = list_labels(world.runtime)

    planned = open_accounts(world.runtime, file, keys_file, 30)

    is_committed = moment == "after_commit"
    assert process.exitcode == -signal.SIGKILL
    assert stored == (["duty 1", "duty 2"] if is_committed else [])
    assert [one.existing for one in planned] == ["exists" if is_committed else None] * 2
    assert not get_unfinished_file(keys_file).exists()
    assert list_labels(world.runtime) == ["duty 1", "duty 2"]
    table = keys_file.read_text("utf-8")
    assert (table == left) == is_committed
    for line in table.splitlines()[1:]:
        key = line.split(",")[3]
        answer = world.http.get("/v1/me", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200


def test_keys_that_no_account_has_are_deleted_by_the_next_load(
    world: World, tmp_path: Path
) -> None:
    file, keys_file = tmp_path / "people.csv", tmp_path / "people.keys.csv"
    file.write_text(ROWS, "utf-8")
    get_unfinished_file(keys_file).write_text("KZ_LEAD,duty 1,officer,sc_00", "utf-8")

    open_accounts(world.runtime, file, keys_file, 30)

    assert keys_file.read_text("utf-8").count("sc_") == 2
    assert not get_unfinished_file(keys_file).exists()
