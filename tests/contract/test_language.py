"""Names and sentences obey the rules of docs/glossary.md and CONTRIBUTING.md."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.source_code import ROOT, TREES, Trees, read_sources

FOLDERS: Final = ("tests/support", "tests/bench", "tests/torture", "scripts", "conformance")
CODE: Final = {"app": TREES} | {folder: Trees(read_sources(folder)) for folder in FOLDERS}
FIRST_WORDS: Final = Path(__file__).with_name("first_words.txt")
RETIRED_WORDS: Final = Path(__file__).with_name("retired_words.txt")
MOST_WORDS: Final = 220
NO_VERB: Final = re.compile(
    r"property|setter|fixture|router|\.(get|post|put|delete|patch)$|overload|override"
)
"""Decorators of functions that need no verb: properties, fixtures, routes, overrides."""

REQUIRED_NAMES: Final = frozenset(
    {"_", "before_call", "do_GET", "do_POST", "server_close", "shutdown"}
)
"""Functions that a library calls by name, and `_`, the name of event handlers."""

IGNORED: Final = re.compile(r"`[^`]*`|\]\([^)]*\)")
"""Code and targets of links, in which any word may occur."""

type Function = ast.FunctionDef | ast.AsyncFunctionDef


def read_words(file: Path) -> list[str]:
    """Return the words of a list in a file, without the comments."""
    lines = file.read_text("utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


def list_functions() -> Iterator[tuple[str, Function]]:
    """Yield every function of the code, with the path of its file."""
    for trees in CODE.values():
        for name, tree in trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield name, node


def needs_verb(function: Function) -> bool:
    """Return whether the name of a function has to begin with a verb that is listed."""
    decorators = [ast.unparse(one).partition("(")[0] for one in function.decorator_list]
    is_special = function.name.startswith("__") or function.name in REQUIRED_NAMES
    return not is_special and not any(map(NO_VERB.search, decorators))


def test_every_function_begins_with_a_verb_of_the_list() -> None:
    allowed = set(read_words(FIRST_WORDS))

    others = [
        f"{file}: {function.name}"
        for file, function in list_functions()
        if needs_verb(function)
        if function.name.strip("_").partition("_")[0] not in allowed
    ]

    assert others == []


def test_list_of_verbs_is_short_and_has_no_unused_word() -> None:
    words = read_words(FIRST_WORDS)
    used = {
        function.name.strip("_").partition("_")[0]
        for _, function in list_functions()
        if needs_verb(function)
    }

    assert len(words) == len(set(words)) <= MOST_WORDS
    assert set(words) - used == set()


def list_sentences() -> Iterator[tuple[str, str]]:
    """Yield docstrings and comments of the service, and documents except the glossary."""
    for name, tree in TREES.items():
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        for node in ast.walk(tree):
            if isinstance(node, documented) and (text := ast.get_docstring(node)):
                yield name, text
        tokens = tokenize.generate_tokens(io.StringIO(TREES.texts[name]).readline)
        yield from ((name, one.string) for one in tokens if one.type == tokenize.COMMENT)
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        if page.name != "glossary.md":
            yield str(page.relative_to(ROOT)), page.read_text("utf-8")


def read_retired_words() -> dict[str, str]:
    """Return the patterns of retired words, each with the words to use instead."""
    lines = RETIRED_WORDS.read_text("utf-8").splitlines()
    pairs = [line.partition(" -> ") for line in lines if not line.startswith("#")]
    return {word: instead for word, _, instead in pairs}


def test_no_sentence_has_a_retired_word() -> None:
    retired = read_retired_words()
    pattern = re.compile(rf"\b({'|'.join(retired)})\b", re.IGNORECASE)

    found = [
        f"{place}: {match.group()!r}, use {instead(match.group(), retired)}"
        for place, text in list_sentences()
        for match in pattern.finditer(IGNORED.sub("", text))
    ]

    assert found == []


def instead(word: str, retired: dict[str, str]) -> str:
    """Return the words to use instead of a retired word."""
    return next(
        use for one, use in retired.items() if re.fullmatch(one, word, re.IGNORECASE)
    )
