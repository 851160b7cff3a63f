"""The page docs/performance.md, into which a run writes its tables."""

from pathlib import Path
from typing import Final

from tests.bench.processes import ROOT

PAGE: Final = ROOT / "docs" / "performance.md"


class PageBroken(Exception):  # noqa: N818 - without a suffix, as Problem classes are
    """The page lacks the comments that enclose a table."""


def replace_part(text: str, part: str, table: str) -> str:
    """Return `text` with a new table in a part. Raise PageBroken if the part is missing."""
    begin, end = f"<!-- {part}: written by make -->\n", f"<!-- end of {part} -->"
    before, opened, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        raise PageBroken(f"The page has no marks for {part}.")
    return f"{before}{begin}\n{table.strip()}\n\n{end}{after}"


def write(part: str, table: str, page: Path = PAGE) -> None:
    """Replace the table in a part of the page, and write the page."""
    page.write_text(replace_part(page.read_text("utf-8"), part, table), "utf-8")
