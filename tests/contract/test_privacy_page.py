"""Tests of docs/privacy.md: what an erasure keeps of each table, and who may read what."""

import ast
import re
from pathlib import Path
from typing import Final

from app.cases.sections import Paper, Section
from app.cli import generated_pages
from app.cli.policy_tables import IF, KNOWN_CONSENTS, SIDES, SUBJECTS
from app.disclosure.policy import POLICY, POLICY_HASH, Condition
from app.kernel.db import Base
from tests.support.erased_cases import PERSONAL_TABLES

PAGE: Final = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")
ERASURE: Final = PAGE.partition("\n## What erasure does")[2].partition("\n## ")[0]
ROW: Final = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def test_every_table_is_decided_once() -> None:
    listed = [name for name, _ in ROW.findall(ERASURE)]

    assert sorted(listed) == sorted(Base.metadata.tables)


def test_the_page_calls_erased_what_is() -> None:
    erased = {name for name, fate in ROW.findall(ERASURE) if fate.startswith("erased")}

    assert erased == {table.__tablename__ for table in PERSONAL_TABLES}


def read_policy_rows() -> list[list[str]]:
    """Return the rows of the table that says who may open and write each document."""
    table = PAGE.partition("<!-- who reads what")[2].partition("<!-- end of who")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_it_tells_who_sees_what_as_the_policy_does_today() -> None:
    assert generated_pages.render_pages()["docs/privacy.md"] == PAGE
    assert POLICY_HASH in PAGE


def test_every_row_of_the_policy_is_told_in_words() -> None:
    rows = read_policy_rows()

    assert len(rows) == len(POLICY)
    assert {who for who, *_ in rows} == set(SIDES.values())
    assert {deed for _, deed, *_ in rows} == {"opens", "writes"}
    assert all(what and when for _, _, what, when, *_ in rows)
    codes = {str(rule.side) for rule in POLICY} - {"lead"}
    assert not any(
        "_" in cell.replace("LAW_ENFORCEMENT", "") for row in rows for cell in row
    )
    assert codes.isdisjoint({who for who, *_ in rows})


def test_there_are_words_for_everything_that_is_sealed_and_every_condition() -> None:
    assert set(SUBJECTS) == {*Section, *Paper}
    assert set(IF) == set(Condition)
    assert len(set(IF.values())) == len(Condition)
    assert len(set(SUBJECTS.values())) == len(SUBJECTS)


def test_every_place_that_leaves_consents_out_is_listed() -> None:
    root = Path(__file__).parents[2]
    calls = {
        f"{path.relative_to(root)} {function.name}"
        for path in (root / "app").rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef) and leaves_out(function)
    }

    assert calls == set(KNOWN_CONSENTS)


def leaves_out(function: ast.FunctionDef) -> bool:
    """Return whether a function leaves out rows by calling `filter_for_caller`."""
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Attribute))
    return any(call.attr == "filter_for_caller" for call in calls)
