"""Elements and weights of indicators, and the status of translations."""

from enum import StrEnum


class Element(StrEnum):
    """The elements of trafficking, as the Palermo Protocol defines it (article 3)."""

    ACT = "ACT"
    MEANS = "MEANS"
    PURPOSE = "PURPOSE"


class Weight(StrEnum):
    """How strong an indicator is: strong, medium or weak (ILO, Delphi)."""

    STRONG = "S"
    MEDIUM = "M"
    WEAK = "W"


class TranslationStatus(StrEnum):
    """Whether a translation is our own, and whether a native speaker reviewed it."""

    UNREVIEWED = "unreviewed"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
