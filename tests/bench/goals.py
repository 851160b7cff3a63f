"""What is to be reached, as a part of the floor's requests per second in the same run."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tests.bench.figures import Comparison
from tests.bench.sides import Kind


@dataclass(frozen=True)
class Goal:
    """What is asked for, and what would be extreme."""

    least: float
    extreme: float


class Verdict(StrEnum):
    """What came of it."""

    EXTREME = "extreme"
    REACHED = "yes"
    MISSED = "no"
    NOISY = "not judged"
    FREE = "no goal"


GOALS: Final = {
    "PostgreSQL": {
        Kind.S: Goal(0.45, 0.60),
        Kind.T: Goal(0.45, 0.60),
        Kind.P: Goal(0.60, 0.80),
        Kind.I: Goal(0.30, 0.60),
    },
    "SQLite": {
        Kind.S: Goal(0.40, 0.60),
        Kind.T: Goal(0.35, 0.50),
        Kind.P: Goal(0.40, 0.60),
        Kind.I: Goal(0.20, 0.35),
    },
}
TAIL: Final = Goal(10, 4)
"""p99 of a submission on SQLite with 8 clients, in times of its p50: at most."""
READY: Final = 2.0
"""Seconds from nothing to ready, at most."""
IDLE, LOADED = 150.0, 512.0
"""Megabytes in memory before and under load, at most."""
GROWTH: Final = Goal(1.15, 1)
"""How many times as much CPU a request may cost with a hundred times the cases."""
LEAST: Final = {Kind.S: 0.009, Kind.T: 0.013, Kind.P: 0.03, Kind.I: 0.035, Kind.W: 0.045}
"""What CI asks for by CPU on SQLite: a third of what was measured in November 2026."""
COARSE: Final = 0.25
"""By how much the floor's CPU may differ from itself, before CI asks for nothing."""


def judged(goal: Goal | None, found: float, *, noisy: bool) -> Verdict:
    """Judge what should be at least so much; or at most, where the extreme is less."""
    if goal is None:
        return Verdict.FREE
    if noisy:
        return Verdict.NOISY
    sign = 1 if goal.extreme >= goal.least else -1
    if sign * found >= sign * goal.extreme:
        return Verdict.EXTREME
    return Verdict.REACHED if sign * found >= sign * goal.least else Verdict.MISSED


def tail(comparison: Comparison) -> float:
    """How many times as long as the middle one the slowest of a hundred takes."""
    return comparison.product.p99 / comparison.product.p50
