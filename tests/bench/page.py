"""The page docs/performance.md: its tables are written by a run, the rest by hand."""

from pathlib import Path
from typing import Final

from tests.bench.processes import ROOT

PAGE: Final = ROOT / "docs" / "performance.md"


class PageBroken(Exception):  # noqa: N818 - it says what happened, as Problem does
    """The page has no place for what was measured."""


def put(text: str, part: str, table: str) -> str:
    """Put a table between the marks of its part; raises PageBroken."""
    begin, end = f"<!-- {part}: written by make -->\n", f"<!-- end of {part} -->"
    before, opened, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        raise PageBroken(f"There is no place for {part}.")
    return f"{before}{begin}\n{table.strip()}\n\n{end}{after}"


def write(part: str, table: str, page: Path = PAGE) -> None:
    """Write a part of the page anew."""
    page.write_text(put(page.read_text("utf-8"), part, table), "utf-8")
