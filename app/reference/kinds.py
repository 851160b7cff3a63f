"""What signs speak for, and how much they say."""

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
