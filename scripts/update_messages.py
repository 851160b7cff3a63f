"""Update the catalogues of the console's texts from the code: `make messages`.

A text that is new in the code is added without a translation; a text that the code no
longer has is removed. tests/console fails while a translation is missing.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).parents[1]
CONSOLE: Final = ROOT / "app/console"
LOCALES: Final = CONSOLE / "locales"
METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS: Final = {**DEFAULT_KEYWORDS, "mark": None, "translate_counted": (1, 2)}
LANGUAGES: Final = ("es", "fr", "ru", "uz")
WIDTH: Final = 92

type Message = str | tuple[str, ...]


def extract_messages() -> Iterator[tuple[Message, str]]:
    """Yield the texts of the console, each with the file that has it."""
    found = extract_from_dir(str(CONSOLE), METHODS, keywords=KEYWORDS)
    for name, _, message, _, _ in found:
        yield message, name


def build_template() -> Catalog:
    """Return a catalogue with all texts and no translations."""
    template = Catalog(project="Safe Conduct", charset="utf-8")
    for message, name in sorted(extract_messages(), key=lambda one: str(one[0])):
        template.add(message, locations=[(name, 0)])
    return template


def update_catalogue(language: str, template: Catalog) -> int:
    """Update the catalogue of a language; return how many translations it lacks."""
    path = LOCALES / f"{language}.po"
    old = path.read_bytes() if path.exists() else b""
    catalogue = read_catalogue(old, language)
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    with path.open("wb") as file:
        write_po(file, catalogue, width=WIDTH, include_lineno=False, sort_output=True)
    return sum(not is_translated(message.string) for message in catalogue if message.id)


def read_catalogue(content: bytes, language: str) -> Catalog:
    """Return a catalogue from the content of its file; an empty file gives a new one."""
    if content:
        return read_po(content.decode().splitlines(), locale=language)
    return Catalog(
        locale=language,
        project="Safe Conduct",
        header_comment=f"# Texts of the console in {language}; see `make messages`.",
        last_translator="Safe Conduct",
        language_team=language,
        fuzzy=False,
    )


def is_translated(text: str | tuple[str, ...] | list[str] | None) -> bool:
    """Return whether a text is translated in all its forms."""
    return bool(text) and (isinstance(text, str) or all(text or ()))


def main() -> int:
    """Update all catalogues, and print what each of them lacks."""
    template = build_template()
    for language in LANGUAGES:
        missing = update_catalogue(language, template)
        print(f"{language}.po: {len(template)} texts, {missing} without a translation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
