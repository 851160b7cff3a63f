"""The example files of the set-up page can be loaded, and its tables match the code."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from app.access.row_protection import create_macs
from app.administration import account_load
from app.administration.directory_load import load
from app.cli.setup_tables import render_office_tasks, render_scopes
from app.cli.staffing import list_staffing_gaps
from app.directory import queries as directory_queries
from app.directory.history import ChangeAuthor
from app.kernel.actors import SYSTEM, Role, Scope
from app.kernel.db import Base, Database
from app.kernel.file_keys import FileKeys
from app.kernel.transactions import Runtime, begin_write
from app.kernel.vault import Vault
from tests.rules.test_directory_loading import TODAY
from tests.support.source_code import ROOT

PAGE: Final = (ROOT / "docs" / "setup.md").read_text("utf-8")
EXAMPLE: Final = re.compile(r"`(\w+\.csv)`[^`]*(?:\[[^`]*)?```csv\n(.*?)```", re.DOTALL)
ACCOUNTS: Final = "people.csv"


def write_examples(folder: Path) -> set[str]:
    """Write the files of the page to a folder, and return their names."""
    found = EXAMPLE.findall(PAGE)
    for name, text in found:
        (folder / name).write_text(text, "utf-8")
    return {name for name, _ in found}


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    database = Database(f"sqlite:///{tmp_path}/t.db")
    Base.metadata.create_all(database.engine)
    keys = FileKeys.create(tmp_path / "keys")
    vault, database.macs = Vault(keys), create_macs(keys, lambda: TODAY)
    yield Runtime(database, vault, lambda: TODAY, uuid4)
    database.engine.dispose()


def list_gaps(runtime: Runtime) -> list[str]:
    with runtime.database.begin_read() as session:
        return list(list_staffing_gaps(session, TODAY))


def test_files_of_the_page_are_a_mechanism_without_gaps(
    runtime: Runtime, tmp_path: Path
) -> None:
    names = write_examples(tmp_path)
    with runtime.database.begin_write() as session:
        loaded = load(ChangeAuthor(session, uuid4, TODAY), tmp_path)
    without_accounts = list_gaps(runtime)

    with begin_write(runtime, SYSTEM) as tx:
        planned = account_load.plan_accounts(tx, tmp_path / ACCOUNTS)
        opened = account_load.open_accounts(tx, planned, days=90)

    with runtime.database.begin_read() as session:
        assert directory_queries.list_countries_without_desk(session) == {}
        assert directory_queries.list_unreachable(session) == []
    assert names >= {"countries.csv", "focal_points.csv", "agreements.csv", "contacts.csv"}
    assert (loaded.countries.added, loaded.focal_points.added) == (2, 8)
    assert without_accounts[0].startswith("Warning: 8 active offices cannot do")
    assert len(opened) == 20
    assert list_gaps(runtime) == []


def list_rows(table: str) -> list[list[str]]:
    """Return the cells of each row of a generated table on the page."""
    part = PAGE.partition(f"<!-- {table}: ")[2].partition(f"<!-- end of {table} -->")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("render", [render_office_tasks, render_scopes])
def test_page_has_the_tables_of_the_code(render: Callable[[], list[str]]) -> None:
    assert "\n".join(["", *render(), ""]) in PAGE, "make docs"


def test_page_explains_every_scope() -> None:
    rows = list_rows("scopes")

    assert [name.strip("`") for name, *_ in rows] == list(Scope)
    assert all(text.endswith(".") for _, text, _ in rows)
    assert {name for name, _, roles in rows if "administrator" in roles} == {
        f"`{scope}`"
        for scope in Scope
        if scope.startswith(("cases", "sections", "referrals", "feed", "statistics"))
    }


def test_page_names_only_roles_that_exist() -> None:
    rows = list_rows("tasks")
    named = {
        word for *_, roles, second in rows for word in re.findall("`(.*?)`", roles + second)
    }

    assert named < set(Role)
    assert {"caseworker", "coordinator", "supervisor", "protection_officer"} <= named
