"""Countries and languages, with their names from the Unicode CLDR.

The countries are those of ISO 3166-1, from the time zone database of IANA. The languages
are those that have an English name in the CLDR and a tag that requests may contain. Both
come from libraries, so an upgrade of a library can change a name.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.resources import files
from typing import Final

from babel import Locale
from pydantic import TypeAdapter, ValidationError

from app.kernel.languages import ENGLISH, LANGUAGES
from app.kernel.text import LanguageTag
from app.reference.schemas import Item

UNNAMED: Final = frozenset({"ht"})
"""Languages without names in the CLDR, for which Babel would return French names."""
LOCALES: Final[Mapping[str, Locale]] = {
    tag: Locale.parse(tag, sep="-") for tag in LANGUAGES if tag not in UNNAMED
}
SECOND_SCRIPTS: Final = ("uz-Cyrl",)
"""Languages in a second script, whose names are composed of language and script."""
ALIASES: Final = {"prs": "fa-AF"}
"""Other tags for languages of the CLDR (`languageAlias`): `prs` is Dari."""
TAG: Final = TypeAdapter[str](LanguageTag)
CLDR: Final = "Unicode CLDR, as included in the library Babel"
ISO: Final = f"ISO 3166-1, from iso3166.tab of the IANA time zones; names: {CLDR}"
CONFIDENCE: Final = "high"


def list_countries() -> Iterator[Item]:
    """Yield every country that has a code in ISO 3166-1."""
    for code in load_country_codes():
        yield build_item(code, ISO, partial(get_country_name, code))


def load_country_codes() -> list[str]:
    """Return the country codes in `iso3166.tab`."""
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8")
    return [line[:2] for line in table.splitlines() if line and not line.startswith("#")]


def list_languages() -> Iterator[Item]:
    """Yield every language that requests may name."""
    english = LOCALES[ENGLISH].languages
    tags = {str(name).replace("_", "-") for name in english} | {*SECOND_SCRIPTS, *ALIASES}
    for tag in sorted(filter(is_tag, tags)):
        yield build_item(tag, CLDR, partial(get_language_name, tag))


def is_tag(tag: str) -> bool:
    """Return whether a text is a language tag that requests may contain."""
    try:
        TAG.validate_python(tag)
    except ValidationError:
        return False
    return True


def get_country_name(code: str, locale: Locale) -> str | None:
    """Return the name of a country in a locale, or None if the CLDR has no name."""
    return locale.territories.get(code)


def get_language_name(tag: str, locale: Locale) -> str | None:
    """Return the name of a language in a locale, or None if the CLDR has no name."""
    if tag in SECOND_SCRIPTS:
        return Locale.parse(tag, sep="-").get_display_name(locale)
    return locale.languages.get(ALIASES.get(tag, tag).replace("-", "_"))


def build_item(code: str, source: str, name: Callable[[Locale], str | None]) -> Item:
    """Build an item with labels in all languages for which `name` returns a name."""
    names = {tag: name(locale) for tag, locale in LOCALES.items()}
    labels = {tag: text for tag, text in names.items() if text}
    return Item(
        code=code,
        labels=labels,
        source=source,
        confidence=CONFIDENCE,
        translation=CLDR if len(labels) > 1 else None,
    )
