"""In which languages somebody reads, and which of them there is something in.

What a header says against its grammar is passed over, as RFC 9110 allows, and what is well
formed in it counts: nobody is refused an answer for the language they wished it in.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Final

ENGLISH: Final = "en"
LANGUAGES: Final = (
    *(ENGLISH, "es", "fr", "ru", "uz", "uz-Cyrl"),
    *("kk", "ky", "tg", "ht", "pt", "nl"),
)
"""Into which something may be translated; in what is not, English is read."""
SPELLED: Final = {language.lower(): language for language in LANGUAGES}
ANY: Final = "*"
LONGEST: Final = 35
"""Characters of a language tag (RFC 5646, 4.4.1)."""
SUBTAG: Final = 8
MOST: Final = 50
"""Ranges that are looked at: a long header must not cost the service its time."""
PLACES: Final = 3
"""Decimal places of a weight."""


@dataclass(frozen=True)
class Range:
    """One wish, and how much it weighs; 0: anything but that."""

    tag: str
    weight: float


def preferred(accept_language: str) -> tuple[str, ...]:
    """Rank the languages of this house as a reader prefers them (RFC 9110, 12.5.4).

    By lookup, as RFC 4647 has it (3.4): `uz-Cyrl-UZ` is first `uz-Cyrl`, then `uz`. Those
    that weigh the same go as they are named. `*` is whatever is not named, English first.
    Nobody reads in more languages than the first that are looked at.
    """
    parts = accept_language.split(",", MOST)[:MOST]
    read = [one for part in parts if (one := read_range(part))]
    refused = {one.tag for one in read if not one.weight}
    wanted = sorted((one for one in read if one.weight), key=lambda one: -one.weight)
    named = {language for one in wanted for language in looked_up(one.tag)}
    unnamed = [language for language in LANGUAGES if language not in named]
    ranked = [
        language
        for one in wanted
        for language in (unnamed if one.tag == ANY else looked_up(one.tag))
        if language.lower() not in refused
    ]
    return tuple(dict.fromkeys(ranked))


def choose(ranked: tuple[str, ...], there: Container[str]) -> str:
    """Choose the language to be read in, of those that there are; else English."""
    return next((language for language in ranked if language in there), ENGLISH)


def read_range(part: str) -> Range | None:
    """Read one range with its weight; None if it is neither."""
    spelled, semicolon, weighed = part.partition(";")
    tag, weight = spelled.strip(" \t").lower(), weight_of(weighed) if semicolon else 1.0
    return None if weight is None or not is_range(tag) else Range(tag, weight)


def weight_of(text: str) -> float | None:
    """Read `q=0.8`; None if it is no weight."""
    name, _, value = text.strip(" \t").partition("=")
    whole, _, places = value.partition(".")
    digits = places.isascii() and (places.isdigit() or not places)
    if name.lower() != "q" or whole not in {"0", "1"} or not digits or len(places) > PLACES:
        return None
    weight = float(value)
    return weight if weight <= 1 else None


def is_range(tag: str) -> bool:
    """Say whether it is a language range (RFC 4647, 2.1)."""
    first, *others = tag.split("-", LONGEST)
    if tag == ANY:
        return True
    subtags = all(0 < len(subtag) <= SUBTAG for subtag in (first, *others))
    return (
        (len(tag) <= LONGEST and subtags and tag.isascii())
        and first.isalpha()
        and all(subtag.isalnum() for subtag in others)
    )


def looked_up(tag: str) -> Iterator[str]:
    """Find our languages that a range means: itself, and what is left of it cut short."""
    while tag:
        if tag in SPELLED:
            yield SPELLED[tag]
        tag = tag.rpartition("-")[0]
