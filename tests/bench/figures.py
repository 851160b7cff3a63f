"""What is worked out of what was measured: pure, and so tested."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

AGREE: Final = 0.05
"""By how much the floor may differ from itself in one run, before nothing is judged."""
MICRO: Final = 1e6


def percentile(values: Sequence[float], part: float) -> float:
    """Find what so many of a hundred are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * part / 100) - 1)]


@dataclass(frozen=True)
class Slice:
    """One load on one side, in one round."""

    seconds: float
    waits: tuple[float, ...]
    cpu: float
    beside: float

    @property
    def rps(self) -> float:
        """Requests per second."""
        return len(self.waits) / self.seconds

    @property
    def each(self) -> float:
        """Microseconds of CPU of the server, a request."""
        return self.cpu / len(self.waits) * MICRO

    @property
    def each_beside(self) -> float:
        """Microseconds of CPU of the database's own processes, a request."""
        return self.beside / len(self.waits) * MICRO


@dataclass(frozen=True)
class Figure:
    """What one side did in all rounds."""

    rps: float
    p50: float
    p99: float
    cpu: float
    beside: float
    """Seconds; and microseconds of CPU a request."""


def figure(slices: Sequence[Slice]) -> Figure:
    """Take the middle round of each, and the waits of all together."""
    waits = [wait for one in slices for wait in one.waits]
    return Figure(
        median(one.rps for one in slices),
        percentile(waits, 50),
        percentile(waits, 99),
        median(one.each for one in slices),
        median(one.each_beside for one in slices),
    )


@dataclass(frozen=True)
class Round:
    """One request, asked of the floor, of the product, and of the floor again."""

    floor: Slice
    product: Slice
    again: Slice

    @property
    def by_rps(self) -> float:
        """The product's requests per second, as a part of the floor's around it."""
        return self.product.rps / math.sqrt(self.floor.rps * self.again.rps)

    @property
    def by_cpu(self) -> float:
        """The floor's CPU a request, as a part of the product's: less cost is more."""
        return math.sqrt(self.floor.each * self.again.each) / self.product.each


def apart(one: float, other: float) -> float:
    """Say by what part two numbers differ."""
    return abs(one - other) / min(one, other)


@dataclass(frozen=True)
class Comparison:
    """A request, in all rounds."""

    rounds: tuple[Round, ...]

    @property
    def floor(self) -> Figure:
        """What the floor did, both times."""
        return figure([s for each in self.rounds for s in (each.floor, each.again)])

    @property
    def product(self) -> Figure:
        """What the product did."""
        return figure([each.product for each in self.rounds])

    @property
    def by_rps(self) -> float:
        """The product's requests per second, as a part of the floor's."""
        return median(each.by_rps for each in self.rounds)

    @property
    def by_cpu(self) -> float:
        """The floor's CPU a request, as a part of the product's."""
        return median(each.by_cpu for each in self.rounds)

    @property
    def noise(self) -> float:
        """By how much the floor's requests per second differ from themselves."""
        return apart(
            median(each.floor.rps for each in self.rounds),
            median(each.again.rps for each in self.rounds),
        )

    @property
    def noise_of_cpu(self) -> float:
        """By how much the floor's CPU a request differs from itself."""
        return apart(
            median(each.floor.each for each in self.rounds),
            median(each.again.each for each in self.rounds),
        )


def is_noisy(comparisons: Sequence[Comparison]) -> bool:
    """Say whether the floor was not alike itself: then nothing is judged."""
    return any(each.noise > AGREE for each in comparisons)
