"""Countries and languages, by the names that the CLDR gives them.

Which countries there are says ISO 3166-1, as the time zone database of IANA repeats it. A
language is whatever the CLDR names in English and a request may name. Both libraries are
data, so a country that is renamed is renamed by an upgrade.
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
"""In which the CLDR names nothing: its names would be those of French."""
LOCALES: Final[Mapping[str, Locale]] = {
    tag: Locale.parse(tag, sep="-") for tag in LANGUAGES if tag not in UNNAMED
}
BESIDE: Final = ("uz-Cyrl",)
"""Languages in a second script, which the CLDR names part by part."""
ALIASES: Final = {"prs": "fa-AF"}
"""Another tag for a language that the CLDR names (its `languageAlias`): Dari."""
OURS: Final = TypeAdapter[str](LanguageTag)
CLDR: Final = "Unicode CLDR, as the library Babel has it"
ISO: Final = f"ISO 3166-1, as iso3166.tab of the IANA time zones has it; names: {CLDR}"
CONFIDENCE: Final = "high"


def countries() -> Iterator[Item]:
    """Name every country that has a code in ISO 3166-1."""
    for code in iso_3166():
        yield item(code, ISO, partial(country, code))


def iso_3166() -> list[str]:
    """List the codes of countries, as `iso3166.tab` has them."""
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8")
    return [line[:2] for line in table.splitlines() if line and not line.startswith("#")]


def languages() -> Iterator[Item]:
    """Name every language that a request may name."""
    english = LOCALES[ENGLISH].languages
    tags = {str(name).replace("_", "-") for name in english} | {*BESIDE, *ALIASES}
    for tag in sorted(filter(is_tag, tags)):
        yield item(tag, CLDR, partial(language, tag))


def is_tag(tag: str) -> bool:
    """Say whether a request may name it."""
    try:
        OURS.validate_python(tag)
    except ValidationError:
        return False
    return True


def country(code: str, locale: Locale) -> str | None:
    """Name a country in a language; None: the CLDR has no name for it there."""
    return locale.territories.get(code)


def language(tag: str, locale: Locale) -> str | None:
    """Name a language in another; None: the CLDR has no name for it there."""
    if tag in BESIDE:
        return Locale.parse(tag, sep="-").get_display_name(locale)
    return locale.languages.get(ALIASES.get(tag, tag).replace("-", "_"))


def item(code: str, source: str, name: Callable[[Locale], str | None]) -> Item:
    """Show something in every language that has a name for it."""
    names = {tag: name(locale) for tag, locale in LOCALES.items()}
    labels = {tag: text for tag, text in names.items() if text}
    return Item(
        code=code,
        labels=labels,
        source=source,
        confidence=CONFIDENCE,
        translation=CLDR if len(labels) > 1 else None,
    )
