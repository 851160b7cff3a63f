"""The languages of the console, and its texts in each of them (gettext catalogues)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from gettext import c2py
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from markupsafe import Markup

from app.kernel.languages import ENGLISH, choose_language, rank_languages

LANGUAGES: Final = (ENGLISH, "ru", "es", "fr", "uz")
"""The languages of the console. The texts in the code are English."""
DOMAIN: Final = "console"
REVIEWED_BY: Final = "# Reviewed-By: "
"""The prefix of the comment that names the native speaker who reviewed a catalogue."""


def mark(text: str) -> str:
    """Mark a text in the code for extraction. It is translated when it is shown."""
    return text


@dataclass(frozen=True)
class Texts:
    """The texts of the console in one language."""

    language: str
    messages: Mapping[str | tuple[str, int], str] = field(repr=False)
    plural: Callable[[int], int]
    is_reviewed: bool

    @property
    def locale(self) -> Locale:
        """The locale with which dates, numbers, countries and languages are formatted."""
        return Locale.parse(self.language)

    @property
    def direction(self) -> str:
        """The writing direction, `ltr` or `rtl`."""
        return "rtl" if self.locale.character_order == "right-to-left" else "ltr"

    def translate(self, message: str, /, **values: object) -> Markup:
        """Return a text in this language. Values are escaped; the text itself is HTML."""
        return fill(self.messages.get(message) or message, values)

    def translate_counted(
        self, one: str, many: str, count: int, /, **values: object
    ) -> Markup:
        """Return the translation of a text in the plural form that matches `count`.

        The text can contain `count` as a placeholder.
        """
        english = one if count == 1 else many
        found = self.messages.get((one, self.plural(count)))
        return fill(found or english, {"count": count, **values})


def fill(text: str, values: Mapping[str, object]) -> Markup:
    """Insert escaped values into a text, which is HTML."""
    return Markup(text) % values if values else Markup(text)  # noqa: S704 - our own texts


@cache
def load_texts(language: str) -> Texts:
    """Load the texts of one of the `LANGUAGES`."""
    if language == ENGLISH:
        return Texts(ENGLISH, {}, lambda count: int(count != 1), is_reviewed=True)
    catalogue = read_catalogue(language)
    messages: dict[str | tuple[str, int], str] = {}
    for message in catalogue:
        if isinstance(message.id, str):
            messages[message.id] = str(message.string)
        else:
            forms = enumerate(message.string or ())
            messages |= {(message.id[0], number): text for number, text in forms}
    return Texts(
        language,
        {key: text for key, text in messages.items() if key and text},
        c2py(catalogue.plural_expr),
        is_reviewed=REVIEWED_BY in catalogue.header_comment,
    )


def read_catalogue(language: str) -> Catalog:
    """Read the catalogue of a language from its .po file."""
    content = files("app.console").joinpath("locales", f"{language}.po").read_bytes()
    return read_po(BytesIO(content), locale=language, domain=DOMAIN)


def choose_texts(chosen: str, accept_language: str) -> Texts:
    """Return the texts in the chosen language, or in the best match for the browser."""
    if chosen in LANGUAGES:
        return load_texts(chosen)
    return load_texts(choose_language(rank_languages(accept_language), LANGUAGES))


@cache
def list_language_names() -> Sequence[tuple[str, str]]:
    """Return the languages of the console, each with its name in the language itself."""
    names = ((tag, Locale.parse(tag).get_language_name()) for tag in LANGUAGES)
    return [(tag, (name or tag).capitalize()) for tag, name in names]
