"""The goals of Safe Conduct, relative to the floor in the same run."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tests.bench.figures import Comparison
from tests.bench.sides import Kind


@dataclass(frozen=True)
class Goal:
    """A goal of the benchmark, and a better value that is called extreme."""

    least: float
    extreme: float


class Verdict(StrEnum):
    """The result of the comparison with a goal."""

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
"""The highest allowed ratio of p99 to p50 of a submission on SQLite with 8 clients."""
READY: Final = 2.0
"""The highest allowed number of seconds from the start until Safe Conduct is ready."""
IDLE, LOADED = 150.0, 512.0
"""The highest allowed memory in megabytes, before and after the load."""
GROWTH: Final = Goal(1.15, 1)
"""The highest allowed growth of CPU per request from ten thousand cases to many cases."""
CI_GOALS: Final = {
    Kind.S: 0.009,
    Kind.T: 0.013,
    Kind.P: 0.03,
    Kind.I: 0.035,
    Kind.W: 0.045,
}
"""The lowest `by_cpu` that CI allows on SQLite: a third of the values of November 2026."""
CI_NOISE_LIMIT: Final = 0.25
"""Maximum relative difference of two measurements of the floor's CPU time in CI."""


def assess(goal: Goal | None, found: float, *, noisy: bool) -> Verdict:
    """Return the verdict: whether a measured value reaches a goal.

    The verdict is `FREE` without a goal, and otherwise `NOISY` if the run is noisy.
    If the goal's extreme value is at least as high as the goal, higher values are better.
    Otherwise lower values are better.
    """
    if goal is None:
        return Verdict.FREE
    if noisy:
        return Verdict.NOISY
    sign = 1 if goal.extreme >= goal.least else -1
    if sign * found >= sign * goal.extreme:
        return Verdict.EXTREME
    return Verdict.REACHED if sign * found >= sign * goal.least else Verdict.MISSED


def compute_tail(comparison: Comparison) -> float:
    """Return Safe Conduct's 99th percentile response time, divided by the median."""
    return comparison.product.p99 / comparison.product.p50
