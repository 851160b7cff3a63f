"""Titles of lists, the elements and weights of indicators, and the review of texts."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class About:
    """The title of a list, and a note on its source."""

    title: str
    note: str


class Element(StrEnum):
    """The elements of trafficking, as the Palermo Protocol defines it (article 3)."""

    ACT = "ACT"
    MEANS = "MEANS"
    PURPOSE = "PURPOSE"


class Weight(StrEnum):
    """The strength of an indicator: strong, medium or weak (ILO, Delphi)."""

    STRONG = "S"
    MEDIUM = "M"
    WEAK = "W"


class TranslationStatus(StrEnum):
    """The status of a translation: unreviewed, reviewed, or published by the source."""

    UNREVIEWED = "unreviewed"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
