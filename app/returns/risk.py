"""What must be found before a person returns, and how long it holds (BR08, BR09, BR11)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from app.cases.risk import RiskLevel

HOLDS_FOR: Final = timedelta(days=30)
"""An assessment of either side (G10)."""
ARRIVES_WITHIN: Final = HOLDS_FOR
"""So far ahead an arrival is planned at most: no assessment would hold any longer, and
until the day of the plan nobody is asked whether the person was met (D06)."""


class Threat(StrEnum):
    """What nobody may be returned to (BR08: life, health; BR11: the rest)."""

    LIFE = "LIFE"
    HEALTH = "HEALTH"
    FREEDOM = "FREEDOM"
    RIGHTS = "RIGHTS"
    RE_TRAFFICKING = "RE_TRAFFICKING"
    RETRIBUTION = "RETRIBUTION"


class FamilyFinding(StrEnum):
    """What the social and family inquiry found; a family is only asked with consent."""

    NOT_CONTACTED = "NOT_CONTACTED"
    CAN_RECEIVE = "CAN_RECEIVE"
    CANNOT_RECEIVE = "CANNOT_RECEIVE"


class Nationality(StrEnum):
    """What the officer of the State of origin answers."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"


class Interests(StrEnum):
    """What was determined to be best for a child."""

    IN_FAVOUR = "in_favour"
    AGAINST = "against"


class NoGoReason(StrEnum):
    """Which gate a return did not pass."""

    THREAT = "THREAT"
    NOT_VOLUNTARY = "NOT_VOLUNTARY"
    BEST_INTERESTS = "BEST_INTERESTS"
    NATIONALITY = "NATIONALITY"


class Protection(StrEnum):
    """What is asked for instead, by referrals: the last is a return to a third country."""

    RESIDENCE_STATUS = "RESIDENCE_STATUS"
    ASYLUM = "ASYLUM"
    THIRD_COUNTRY = "THIRD_COUNTRY"


class Assessed(Protocol):
    """An assessment of the risk of a return, by one side."""

    @property
    def at(self) -> datetime:
        """When."""

    @property
    def level(self) -> RiskLevel | None:
        """How great the danger is."""

    @property
    def threats(self) -> Collection[str]:
        """What threatens; empty: nothing was found."""


def is_current(assessed: Assessed | None, now: datetime) -> bool:
    """Say whether an assessment was made, no longer than 30 days ago."""
    return assessed is not None and now <= assessed.at + HOLDS_FOR


def is_safe(assessed: Assessed | None) -> bool:
    """Say whether no threat was found; a high danger is one, whatever else is said."""
    if assessed is None:
        return False
    return not assessed.threats and assessed.level in {RiskLevel.LOW, RiskLevel.MEDIUM}
