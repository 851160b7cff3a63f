"""Risk levels, and how long a risk assessment is valid (LIFECYCLES.md: RISK_CURRENT)."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol


class RiskLevel(StrEnum):
    """The level of the danger to the person."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


GRAVITY: Final = (RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH)


class Assessed(Protocol):
    """The attributes of a risk assessment that rules use."""

    @property
    def level(self) -> RiskLevel:
        """The level of the risk."""

    @property
    def assessed_at(self) -> datetime:
        """When the risk was assessed."""


HOLDS_FOR: Final = {
    RiskLevel.LOW: timedelta(days=7),
    RiskLevel.MEDIUM: timedelta(days=7),
    RiskLevel.HIGH: timedelta(hours=72),
}


def is_current(risk: Assessed | None, now: datetime) -> bool:
    """Return whether there is a risk assessment that is still valid."""
    return risk is not None and now <= get_expiry(risk)


def get_expiry(risk: Assessed) -> datetime:
    """Return when a risk assessment expires."""
    return risk.assessed_at + HOLDS_FOR[risk.level]
