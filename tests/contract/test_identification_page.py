"""Tests that docs/identification.md names each item, dimension and rule of screening."""

from pathlib import Path

import pytest

from app.reference.lists import ITEMS, LISTS
from app.screening.rules import Dimension, ScreeningRule

PAGE = (Path(__file__).parents[2] / "docs" / "identification.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["intake_ways", "questions", "conduct"])
def test_each_item_stands_on_the_page_with_its_note(name: str) -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("- ")]

    for row in ITEMS[name].values():
        [line] = [line for line in lines if line.startswith(f"- {row.label_en}")]
        assert (row.note or "").rstrip(".") in line


def test_nothing_else_is_asked_or_done_on_the_page() -> None:
    section = PAGE.partition("## How you may hear")[2].partition("## What to look for")[0]
    listed = [line for line in section.splitlines() if line.startswith("- ")]

    counts = [len(ITEMS[name]) for name in ("intake_ways", "questions", "conduct")]
    assert len(listed) == sum(counts)


def test_the_rules_and_dimensions_are_named() -> None:
    labels = [ITEMS["dimensions"][dimension].label_en for dimension in Dimension]

    assert [
        label for label in labels if label.lower() not in " ".join(PAGE.lower().split())
    ] == []
    assert [rule for rule in ScreeningRule if f"`{rule}`" not in PAGE] == []
    named = ("intake_ways", "questions", "conduct", "indicators", "elements")
    assert [name for name in named if f"`{name}`" not in PAGE or name not in LISTS] == []
