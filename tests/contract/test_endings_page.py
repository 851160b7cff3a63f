"""Tests that endings.txt names a test for each row of the endings in docs/mechanism.md."""

import ast
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "mechanism.md").read_text("utf-8")
CHECKED: Final = Path(__file__).with_name("endings.txt").read_text("utf-8")
TITLES: Final = ("What ends in a case", "What ends beside a case")
COLUMNS: Final = 4


def list_rows(title: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without the table's header."""
    _, _, after = PAGE.partition(f"\n### {title}\n")
    lines = after.partition("\n#")[0].splitlines()
    rows = [line for line in lines if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def read_tests(title: str) -> dict[str, list[tuple[str, str]]]:
    """Return the tests of each row under a heading of endings.txt: module and function."""
    found: dict[str, list[tuple[str, str]]] = {}
    _, _, after = CHECKED.partition(f"\n## {title}\n")
    row = ""
    for line in filter(None, after.partition("\n#")[0].splitlines()):
        if line.startswith(" "):
            module, _, name = line.strip().partition(": ")
            found[row].append((module, name))
        else:
            row = line
            found[row] = []
    return found


@cache
def list_functions(module: str) -> frozenset[str]:
    """Return the names of the functions in a module of tests/api."""
    tree = ast.parse((ROOT / "tests" / "api" / f"{module}.py").read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("title", TITLES)
def test_each_row_of_what_ends_with_what_has_its_test(title: str) -> None:
    checked = read_tests(title)

    assert checked
    assert [row[0] for row in list_rows(title)] == list(checked)
    assert [row for row, tests in checked.items() if not tests] == []


@pytest.mark.parametrize("title", TITLES)
def test_each_row_says_what_ends_what_stays_and_who_is_told(title: str) -> None:
    rows = list_rows(title)

    assert [row for row in rows if len(row) != COLUMNS or not all(row)] == []


@pytest.mark.parametrize("title", TITLES)
def test_each_test_that_a_row_names_exists(title: str) -> None:
    named = [test for tests in read_tests(title).values() for test in tests]

    assert [one for one in named if one[1] not in list_functions(one[0])] == []
