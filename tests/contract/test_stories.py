"""The README lists every story, and each story has dates and an end."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.support.stories import FEWEST, MOST, Ending

EXAMPLES: Final = Path(__file__).parents[1] / "examples"
TABLE: Final = re.compile(r"^\| `(\w+)` \| ([a-z, ]+) \| (.+) \|$", re.MULTILINE)
ENDS: Final = {
    "require_closure": "closure",
    "require_erasure": "erasure",
    "require_rest": "rest",
}
DATED: Final = frozenset({"on", "run_weekly"})
LEAST_STORIES: Final = 25


class StorySource(NamedTuple):
    """The source code of a story: its text, its dates and the endings of its cases."""

    text: str
    dates: list[str]
    endings: list[str]


def list_calls(function: ast.FunctionDef) -> Iterator[tuple[str, ast.Call]]:
    """Yield the method calls on `story` in a test function, in line order."""
    found = [
        (node.func.attr, node)
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "story"
    ]
    yield from sorted(found, key=lambda one: one[1].lineno)


def read(function: ast.FunctionDef) -> StorySource:
    """Return the text, the dates and the endings of a story."""
    calls = list(list_calls(function))
    dates = [ast.literal_eval(call.args[0]) for name, call in calls if name in DATED]
    ends = [ENDS[name] for name, _ in calls if name in ENDS]
    return StorySource(ast.get_docstring(function) or "", dates, ends)


def read_stories() -> dict[str, StorySource]:
    """Return every story in tests/examples/stories by its name."""
    return {
        node.name: read(node)
        for path in sorted((EXAMPLES / "stories").glob("test_*.py"))
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


STORIES: Final = read_stories()


def read_table() -> dict[str, str]:
    """Return the stories that the README lists, each with the endings of its cases."""
    rows = TABLE.findall((EXAMPLES / "README.md").read_text("utf-8"))
    assert len(rows) == len({name for name, _, _ in rows}), "a story is listed twice"
    return {name: ends for name, ends, _ in rows}


def test_readme_lists_each_story_with_its_ends() -> None:
    expected = {
        name: ", ".join(dict.fromkeys(one.endings)) for name, one in STORIES.items()
    }

    assert read_table() == expected
    assert len(STORIES) >= LEAST_STORIES


@pytest.mark.parametrize("name", STORIES)
def test_story_has_dates_in_order_an_end_and_a_summary(name: str) -> None:
    one = STORIES[name]

    assert FEWEST <= len(one.dates) <= MOST
    assert all(earlier < later for earlier, later in pairwise(one.dates))
    assert one.endings
    assert set(one.endings) <= set(Ending)
    sentences = re.findall(r"[.!?](?:\s|$)", one.text)
    assert 2 <= len(sentences) <= 4
