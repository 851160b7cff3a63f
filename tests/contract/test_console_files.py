"""The style sheet and templates of the console suit both text directions and the CSP."""

import re
from pathlib import Path
from typing import Final

from tests.support.source_code import ROOT

FOLDER: Final = ROOT / "app" / "console"
STYLES: Final = sorted(FOLDER.rglob("*.css"))
TEMPLATES: Final = sorted(FOLDER.rglob("*.html"))
FILE: Final = "meeting_report_file.html"
"""The template of a file that no browser gets from the service, so no policy blocks it."""

PHYSICAL: Final = re.compile(
    r"(?:^|[\s;{])"
    r"(?P<property>left|right|top|bottom|width|height|(?:min|max)-(?:width|height)|float|clear"
    r"|(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right|top|bottom)[\w-]*"
    r"|border-(?:top|bottom)-(?:left|right)-radius)\s*:"
    r"|text-align\s*:\s*(?P<align>left|right)"
)
"""Properties and values that do not change sides in a language from right to left."""
IN_QUERY: Final = re.compile(r"@(?:media|container)[^{]*\{")
COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
INLINE: Final = re.compile(
    r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\bsrc=)"
)
"""Styles and scripts inside of a page, which the content security policy forbids."""


def find_physical(style: str) -> list[str]:
    """Return the physical properties and values of a style sheet."""
    rules = IN_QUERY.sub("{", COMMENT.sub("", style))
    return [found["property"] or found["align"] for found in PHYSICAL.finditer(rules)]


def test_style_has_no_physical_property() -> None:
    found = {path.name: find_physical(path.read_text("utf-8")) for path in STYLES}

    assert found == {path.name: [] for path in STYLES}
    assert STYLES


def test_physical_property_is_found() -> None:
    style = "a { margin-left: 1px;right:0 } b{border-top-left-radius:1px; text-align: left}"

    assert find_physical(style) == [
        "margin-left",
        "right",
        "border-top-left-radius",
        "left",
    ]
    assert find_physical("a { margin-inline-start: 1px } @media (max-width: 9px) { }") == []


def find_inline(path: Path) -> list[str]:
    """Return the inline styles and scripts of a template, which the CSP would block."""
    return INLINE.findall(path.read_text("utf-8"))


def test_template_has_no_inline_style_or_script() -> None:
    found = {path.name: find_inline(path) for path in TEMPLATES if path.name != FILE}

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert TEMPLATES
