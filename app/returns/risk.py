"""Findings that a return requires, and how long they are valid (BR08, BR09, BR11)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from app.cases.risk import RiskLevel

HOLDS_FOR: Final = timedelta(days=30)
"""The time for which an assessment by either side is valid (G10)."""
ARRIVES_WITHIN: Final = HOLDS_FOR
"""The maximum time until a planned arrival, because no assessment is valid for longer.

Before the day of arrival, no office has to confirm that the person was met (D06).
"""


class Threat(StrEnum):
    """The threats that forbid a return (life and health: BR08; all others: BR11)."""

    LIFE = "LIFE"
    HEALTH = "HEALTH"
    FREEDOM = "FREEDOM"
    RIGHTS = "RIGHTS"
    RE_TRAFFICKING = "RE_TRAFFICKING"
    RETRIBUTION = "RETRIBUTION"


class FamilyFinding(StrEnum):
    """The result of the family inquiry; the family is contacted only with consent."""

    NOT_CONTACTED = "NOT_CONTACTED"
    CAN_RECEIVE = "CAN_RECEIVE"
    CANNOT_RECEIVE = "CANNOT_RECEIVE"


class Nationality(StrEnum):
    """The answer of the consulate about the nationality of the person."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"


class Interests(StrEnum):
    """The result of a best interests determination for a child."""

    IN_FAVOUR = "in_favour"
    AGAINST = "against"


class NoGoReason(StrEnum):
    """The reason for the decision NO-GO: the requirement that is not met."""

    THREAT = "THREAT"
    NOT_VOLUNTARY = "NOT_VOLUNTARY"
    BEST_INTERESTS = "BEST_INTERESTS"
    NATIONALITY = "NATIONALITY"


class Protection(StrEnum):
    """The protection of a person who cannot return to the country of origin."""

    RESIDENCE_STATUS = "RESIDENCE_STATUS"
    ASYLUM = "ASYLUM"
    THIRD_COUNTRY = "THIRD_COUNTRY"


class Assessed(Protocol):
    """An assessment of the risk of a return, made by the lead or the recipient."""

    @property
    def at(self) -> datetime:
        """The time of the assessment."""

    @property
    def level(self) -> RiskLevel | None:
        """The level of the risk."""

    @property
    def threats(self) -> Collection[str]:
        """The threats that were found; empty if there are none."""


def is_current(assessed: Assessed | None, now: datetime) -> bool:
    """Return whether an assessment was made at most 30 days ago."""
    return assessed is not None and now <= assessed.at + HOLDS_FOR


def is_safe(assessed: Assessed | None) -> bool:
    """Return whether a risk assessment found no threat and a low or medium risk."""
    if assessed is None:
        return False
    return not assessed.threats and assessed.level in {RiskLevel.LOW, RiskLevel.MEDIUM}
