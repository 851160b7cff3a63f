"""Update the catalogues of the console's texts from the code: `make messages`.

A text that is new in the code is added without a translation; a text that the code no
longer has is removed. With `--check`, no file is written, and the command fails if a
catalogue would change or lacks a translation.

A native speaker who has reviewed a catalogue is named at its beginning, in a line that
starts with `# Reviewed-By: `. Without this line, each page of the console has a note that
no native speaker has reviewed the translation.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).parents[1]
CONSOLE: Final = ROOT / "app/console"
LOCALES: Final = CONSOLE / "locales"
METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS: Final = {**DEFAULT_KEYWORDS, "mark": None, "translate_counted": (1, 2)}
LANGUAGES: Final = ("es", "fr", "ru", "uz")
WIDTH: Final = 92
HEADER: Final = """\
{comments}
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plural_forms}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
"""The header of a catalogue, without the values that change at each update."""

type Text = str | tuple[str, ...]


def extract_texts() -> Iterator[tuple[Text, str]]:
    """Yield the texts of the console, each with the file that contains it."""
    found = extract_from_dir(str(CONSOLE), METHODS, keywords=KEYWORDS)
    for name, _, text, _, _ in found:
        yield text, name


def build_template() -> Catalog:
    """Return a catalogue with all texts and no translations."""
    template = Catalog()
    for text, name in sorted(extract_texts(), key=lambda one: str(one[0])):
        template.add(text, locations=[(name, 0)])
    return template


def update_catalogue(content: bytes, language: str, template: Catalog) -> Catalog:
    """Return the catalogue in `content`, updated with all texts of the template."""
    catalogue = read_po(BytesIO(content), locale=language)
    if not content:
        catalogue.header_comment = (
            f"# Texts of the console in {catalogue.locale.english_name}: `make messages`."
        )
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    return catalogue


def format_catalogue(catalogue: Catalog) -> bytes:
    """Return the content of the file of a catalogue."""
    header = HEADER.format(
        comments=catalogue.header_comment,
        language=catalogue.locale,
        plural_forms=catalogue.plural_forms,
    )
    texts = BytesIO()
    write_po(
        texts,
        catalogue,
        width=WIDTH,
        include_lineno=False,
        omit_header=True,
        sort_output=True,
    )
    return header.encode() + texts.getvalue()


def is_translated(message: Message) -> bool:
    """Return whether a text is translated in all of its plural forms."""
    if isinstance(message.string, str):
        return bool(message.string)
    return all(message.string or [""])


def main() -> int:
    """Update or check all catalogues, print their gaps, and return the exit code."""
    is_check = "--check" in sys.argv[1:]
    template = build_template()
    failed = False
    for language in LANGUAGES:
        path = LOCALES / f"{language}.po"
        old = path.read_bytes() if path.exists() else b""
        catalogue = update_catalogue(old, language, template)
        new = format_catalogue(catalogue)
        missing = sum(not is_translated(one) for one in catalogue if one.id)
        print(f"{path.name}: {len(template)} texts, {missing} without a translation")
        if is_check and new != old:
            print(f"{path.name} differs from the code: run `make messages`.")
        failed |= is_check and (new != old or missing > 0)
        if not is_check:
            path.write_bytes(new)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
