"""Tests that docs/sources.md or docs/mechanism.md lists each rule, such as R12 or BR05."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "sources.md"
FOLDERS: Final = ("app", "conformance", "docs", "migrations", "tests")
WRITTEN: Final = {".md", ".py", ".txt"}
NUMBER: Final = re.compile(r"(?<![\w%])(?:R\d{2,3}|(?:BR|G|D|N)\d\d|[ATM]\d)(?!\w|\.\d)")


def find_numbers() -> set[str]:
    """Return every rule number that the code, its tests and its documents mention."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    texts = [
        path.read_text("utf-8")
        for path in files
        if path.suffix in WRITTEN and path != PAGE and path != Path(__file__)
    ]
    return {number for text in texts for number in NUMBER.findall(text)}


def read_listed(page: Path) -> set[str]:
    """Return the rule numbers in the first two columns of the tables of a page."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]*) \|", page.read_text("utf-8"), re.MULTILINE)
    return {cell for row in rows for cell in row if NUMBER.fullmatch(cell)}


def test_every_number_that_is_named_has_a_line_and_no_line_is_unused() -> None:
    listed, elsewhere = read_listed(PAGE), read_listed(ROOT / "docs" / "mechanism.md")

    assert len(listed) > 50
    assert listed == find_numbers() - elsewhere
