"""The source files of this repository for tests. Each file is parsed only once."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, override

ROOT: Final = Path(__file__).parents[2]


class Trees(Mapping[str, ast.Module]):
    """A mapping from file names to the syntax trees of the files."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts, self.parsed = texts, dict[str, ast.Module]()

    @override
    def __getitem__(self, name: str) -> ast.Module:
        if name not in self.parsed:
            self.parsed[name] = ast.parse(self.texts[name])
        return self.parsed[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    @override
    def __len__(self) -> int:
        return len(self.texts)


def read_sources(folder: str) -> dict[str, str]:
    """Return the text of every Python file in a folder, by its path from the root."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in paths}


APP: Final = read_sources("app")
TREES: Final = Trees(APP)
