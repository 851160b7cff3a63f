"""What docs/integrate.md tells to do, done: in an empty folder, each block as it is."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

BLOCK: Final = re.compile(r"^```(sh|ts)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED: Final = re.compile(r"// (\S+)\n")
CARRIED_OUT: Final = ("TypeScript, from an empty folder", "Python")


def sections(page: str) -> Mapping[str, str]:
    """Take a page apart by its headings."""
    parts = re.split(r"^## (.*)\n", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def scripts(page: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Write each file that a section shows; hand out each script that it has you run."""
    found = sections(page)
    for title in CARRIED_OUT:
        for kind, text in BLOCK.findall(found[title]):
            if kind == "sh":
                yield title, text
                continue
            name = NAMED.match(text)
            assert name, f"A file without a name: {text[:40]}"
            (folder / name[1]).write_text(text)
