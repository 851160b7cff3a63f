"""The languages of translations, and the choice of a language by `Accept-Language`.

Malformed parts of the header are ignored (RFC 9110), so that no request is rejected.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Final

ENGLISH: Final = "en"
LANGUAGES: Final = (
    ENGLISH,
    "es",
    "fr",
    "ru",
    "uz",
    "uz-Cyrl",
    "kk",
    "ky",
    "tg",
    "ht",
    "pt",
    "nl",
)
"""Languages of the translations of texts. English replaces a missing translation."""
BY_LOWER_TAG: Final = {language.lower(): language for language in LANGUAGES}
"""The languages by their lower-case tags."""
ANY: Final = "*"
MAX_TAG_LENGTH: Final = 35
"""The maximum number of characters in a language tag (RFC 5646, 4.4.1)."""
MAX_SUBTAG_LENGTH: Final = 8
MAX_RANGES: Final = 50
"""The maximum number of ranges that are parsed, so that a long header costs little time."""
PLACES: Final = 3
"""The maximum number of decimal places in a weight."""


@dataclass(frozen=True)
class Range:
    """A language range and its weight; a weight of 0 excludes the language."""

    tag: str
    weight: float


def rank_languages(accept_language: str) -> tuple[str, ...]:
    """Rank the supported languages that a reader accepts (RFC 9110, 12.5.4).

    The lookup follows RFC 4647 (3.4): `uz-Cyrl-UZ` matches `uz-Cyrl`, then `uz`. Ranges of
    equal weight keep their order. `*` matches the languages that are not named, English
    first. Only the first ranges of a long header are parsed.
    """
    parts = accept_language.split(",", MAX_RANGES)[:MAX_RANGES]
    ranges = [found for part in parts if (found := parse_range(part))]
    refused = {found.tag for found in ranges if not found.weight}
    wanted = sorted((r for r in ranges if r.weight), key=lambda r: -r.weight)
    named = {language for found in wanted for language in find_languages(found.tag)}
    unnamed = [language for language in LANGUAGES if language not in named]
    ranked = [
        language
        for found in wanted
        for language in (unnamed if found.tag == ANY else find_languages(found.tag))
        if language.lower() not in refused
    ]
    return tuple(dict.fromkeys(ranked))


def choose_language(ranked: tuple[str, ...], available: Container[str]) -> str:
    """Return the first of the ranked languages that is available, or English."""
    return next((language for language in ranked if language in available), ENGLISH)


def parse_range(part: str) -> Range | None:
    """Parse a language range with its weight; return None if it is malformed."""
    raw_tag, semicolon, raw_weight = part.partition(";")
    tag = raw_tag.strip(" \t").lower()
    weight = parse_weight(raw_weight) if semicolon else 1.0
    return None if weight is None or not is_range(tag) else Range(tag, weight)


def parse_weight(text: str) -> float | None:
    """Parse a weight such as `q=0.8`; return None if it is malformed."""
    name, _, value = text.strip(" \t").partition("=")
    whole, _, places = value.partition(".")
    digits = places.isascii() and (places.isdigit() or not places)
    if name.lower() != "q" or whole not in {"0", "1"} or not digits or len(places) > PLACES:
        return None
    weight = float(value)
    return weight if weight <= 1 else None


def is_range(tag: str) -> bool:
    """Return whether a tag is a language range (RFC 4647, 2.1)."""
    first, *others = tag.split("-", MAX_TAG_LENGTH)
    if tag == ANY:
        return True
    subtags = all(0 < len(subtag) <= MAX_SUBTAG_LENGTH for subtag in (first, *others))
    return (
        (len(tag) <= MAX_TAG_LENGTH and subtags and tag.isascii())
        and first.isalpha()
        and all(subtag.isalnum() for subtag in others)
    )


def find_languages(tag: str) -> Iterator[str]:
    """Yield the languages that match a range: first the whole tag, then its prefixes."""
    while tag:
        if tag in BY_LOWER_TAG:
            yield BY_LOWER_TAG[tag]
        tag = tag.rpartition("-")[0]
