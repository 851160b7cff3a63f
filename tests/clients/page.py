"""The instructions in docs/integrate.md, which are run unchanged in an empty folder."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

BLOCK: Final = re.compile(r"^```(sh|ts|py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED: Final = re.compile(r"(?://|#) (\S+)\n")
CARRIED_OUT: Final = ("TypeScript, from an empty folder", "Python")


def split_sections(page: str) -> Mapping[str, str]:
    """Return the text below each heading of a page."""
    parts = re.split(r"^## (.*)\n", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def list_scripts(page: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Write the files in the sections to run, and yield each script with its heading."""
    found = split_sections(page)
    for title in CARRIED_OUT:
        for kind, text in BLOCK.findall(found[title]):
            if kind == "sh":
                yield title, text
                continue
            name = NAMED.match(text)
            assert name, f"A file without a name: {text[:40]}"
            (folder / name[1]).write_text(text)
