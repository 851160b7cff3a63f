"""The texts that a page of the console shows, and those that come from no catalogue."""

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, Final, override

import pytest
from markupsafe import Markup

from app.console.translations import Texts, fill
from app.console.visits import Visit

BEGIN: Final = "⟦"
END: Final = "⟧"
BRAND: Final = "Safe Conduct"
VOID: Final = frozenset({"meta", "link", "br", "input", "path", "img", "hr"})
HIDDEN: Final = frozenset({"script", "style", "svg"})
SHOWN: Final = frozenset(
    {"aria-label", "title", "placeholder", "alt", "label", "data-label"}
    | {"data-saving", "data-failed"}
)
"""Attributes that a browser or the script shows."""


class PageTexts(HTMLParser):
    """A parser that collects the texts of a page, except codes and texts of people.

    The page marks these by the class `code`, by `dir`, or by `lang` for another language.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.texts: list[str] = []
        self.shown: list[str] = []
        self.feed(html)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        is_other = tag != "html" and bool(named.keys() & {"lang", "dir"})
        is_code = "code" in named.get("class", "").split()
        if tag not in VOID:
            self.open.append(tag in HIDDEN or is_other or is_code)
        self.shown += [value for name, value in named.items() if name in SHOWN]

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.open.pop()

    @override
    def handle_data(self, data: str) -> None:
        if not any(self.open):
            self.texts.append(data)


def list_unmarked(html: str) -> Iterator[str]:
    """Yield the part of each text of a page that is outside of marks, possibly empty."""
    page = PageTexts(html)
    for texts in (page.texts, *([one] for one in page.shown)):
        depth = 0
        for text in texts:
            outside = ""
            for letter in text:
                outside += letter if depth == 0 and letter not in (BEGIN, END) else ""
                depth += (letter == BEGIN) - (letter == END)
            yield outside.replace(BRAND, "").strip()
        assert depth == 0, texts


def mark(text: str, values: Mapping[str, object]) -> Markup:
    """Return a text with marks around it, but not around its values."""
    outside = {name: Markup(f"{END}%s{BEGIN}") % value for name, value in values.items()}
    return fill(f"{BEGIN}{text}{END}", outside)


def mark_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mark the texts of the catalogue and the names of offices on all pages."""
    name_office, counted = Visit.name_office, Texts.translate_counted

    def translate(self: Texts, message: str, /, **values: object) -> Markup:
        return mark(self.messages.get(message, message), values)

    def translate_counted(self: Texts, *forms: Any, **values: object) -> Markup:
        return Markup(f"{BEGIN}%s{END}") % counted(self, *forms, **values)

    def name(self: Visit, code: str | None) -> str:
        found = name_office(self, code)
        return found and f"{BEGIN}{found}{END}"

    monkeypatch.setattr(Texts, "translate", translate)
    monkeypatch.setattr(Texts, "translate_counted", translate_counted)
    monkeypatch.setattr(Visit, "name_office", name)
