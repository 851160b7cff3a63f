"""What signs speak for, how much they say, and how a text was translated."""

from enum import StrEnum


class Element(StrEnum):
    """The parts of trafficking, as the Palermo Protocol defines it (article 3)."""

    ACT = "ACT"
    MEANS = "MEANS"
    PURPOSE = "PURPOSE"


class Weight(StrEnum):
    """How much an indicator says: strong, medium or weak (ILO, Delphi)."""

    STRONG = "S"
    MEDIUM = "M"
    WEAK = "W"


class TranslationStatus(StrEnum):
    """Whether a translation is ours, and if so, whether a native speaker reviewed it."""

    UNREVIEWED = "unreviewed"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
