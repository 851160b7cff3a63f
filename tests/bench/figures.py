"""Pure functions that compute figures from measurements."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

NOISE_LIMIT: Final = 0.05
"""Maximum relative difference of two measurements of the floor in a run that is judged."""
MICRO: Final = 1e6


def compute_percentile(values: Sequence[float], part: float) -> float:
    """Return the percentile `part` of some values, by the nearest-rank method."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * part / 100) - 1)]


@dataclass(frozen=True)
class Slice:
    """The figures of one load that was sent to one server in one round."""

    seconds: float
    waits: tuple[float, ...]
    cpu: float
    beside: float

    @property
    def rps(self) -> float:
        """The requests per second."""
        return len(self.waits) / self.seconds

    @property
    def each(self) -> float:
        """The microseconds of CPU that the server uses for a request."""
        return self.cpu / len(self.waits) * MICRO

    @property
    def each_beside(self) -> float:
        """The microseconds of CPU that the processes of the database use for a request."""
        return self.beside / len(self.waits) * MICRO


@dataclass(frozen=True)
class Figure:
    """The measured rate, response times and CPU times of a server over all rounds."""

    rps: float
    p50: float
    p99: float
    cpu: float
    beside: float
    """CPU of the database. CPU is in microseconds per request; durations are in seconds."""


def compute_figure(slices: Sequence[Slice]) -> Figure:
    """Return medians over the rounds, and percentiles of the durations of all rounds."""
    waits = [wait for one in slices for wait in one.waits]
    return Figure(
        rps=median(one.rps for one in slices),
        p50=compute_percentile(waits, 50),
        p99=compute_percentile(waits, 99),
        cpu=median(one.each for one in slices),
        beside=median(one.each_beside for one in slices),
    )


@dataclass(frozen=True)
class Round:
    """One kind of request, measured on the floor, Safe Conduct, and the floor again."""

    floor: Slice
    product: Slice
    again: Slice

    @property
    def by_rps(self) -> float:
        """Safe Conduct's requests per second in this round, divided by the floor's."""
        return self.product.rps / math.sqrt(self.floor.rps * self.again.rps)

    @property
    def by_cpu(self) -> float:
        """The floor's CPU time per request, divided by Safe Conduct's; higher is better."""
        return math.sqrt(self.floor.each * self.again.each) / self.product.each


def measure_difference(one: float, other: float) -> float:
    """Return the difference of two numbers, divided by the smaller one."""
    return abs(one - other) / min(one, other)


@dataclass(frozen=True)
class Comparison:
    """The measurements of one kind of request in all rounds."""

    rounds: tuple[Round, ...]

    @property
    def floor(self) -> Figure:
        """The results of the floor, a minimal server that each round measures twice."""
        return compute_figure([s for each in self.rounds for s in (each.floor, each.again)])

    @property
    def product(self) -> Figure:
        """The results of Safe Conduct, computed over all rounds."""
        return compute_figure([each.product for each in self.rounds])

    @property
    def by_rps(self) -> float:
        """Safe Conduct's requests per second, divided by the floor's."""
        return median(each.by_rps for each in self.rounds)

    @property
    def by_cpu(self) -> float:
        """The floor's CPU time per request, divided by Safe Conduct's."""
        return median(each.by_cpu for each in self.rounds)

    @property
    def noise(self) -> float:
        """The relative difference between the two measurements of the floor's rate."""
        return measure_difference(
            median(each.floor.rps for each in self.rounds),
            median(each.again.rps for each in self.rounds),
        )

    @property
    def noise_of_cpu(self) -> float:
        """The relative difference between the two measurements of the floor's CPU time."""
        return measure_difference(
            median(each.floor.each for each in self.rounds),
            median(each.again.each for each in self.rounds),
        )


def is_noisy(comparisons: Sequence[Comparison]) -> bool:
    """Return whether the measurements of the floor differ too much to assess any goal."""
    return any(each.noise > NOISE_LIMIT for each in comparisons)
