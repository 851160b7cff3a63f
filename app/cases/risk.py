"""How long an assessment of the risk holds (LIFECYCLES.md: RISK_CURRENT)."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol


class RiskLevel(StrEnum):
    """How great the danger to the person is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


GRAVITY: Final = (RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH)


class Assessed(Protocol):
    """An assessment, by whichever party."""

    @property
    def level(self) -> RiskLevel:
        """What was found."""

    @property
    def assessed_at(self) -> datetime:
        """When."""


HOLDS_FOR: Final = {
    RiskLevel.LOW: timedelta(days=7),
    RiskLevel.MEDIUM: timedelta(days=7),
    RiskLevel.HIGH: timedelta(hours=72),
}


def is_current(risk: Assessed | None, now: datetime) -> bool:
    """Say whether the risk is known well enough to act on it."""
    return risk is not None and now <= runs_out(risk)


def runs_out(risk: Assessed) -> datetime:
    """Say until when an assessment holds."""
    return risk.assessed_at + HOLDS_FOR[risk.level]
