"""Tests of how long a risk assessment is valid (LIFECYCLES.md: RISK_CURRENT)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from app.cases.risk import RiskLevel, is_current
from tests.support.world import NOON

SECOND = timedelta(seconds=1)
HOLDS = {
    RiskLevel.LOW: timedelta(days=7),
    RiskLevel.MEDIUM: timedelta(days=7),
    RiskLevel.HIGH: timedelta(hours=72),
}


@dataclass(frozen=True)
class Assessment:
    level: RiskLevel
    assessed_at: datetime = NOON


@pytest.mark.parametrize("level", RiskLevel)
def test_it_holds_until_it_is_too_old(level: RiskLevel) -> None:
    risk, last = Assessment(level), NOON + HOLDS[level]

    assert is_current(risk, NOON)
    assert is_current(risk, last)
    assert not is_current(risk, last + SECOND)


def test_a_risk_that_nobody_assessed_is_not_known() -> None:
    assert not is_current(None, NOON)
