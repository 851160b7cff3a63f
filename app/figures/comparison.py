"""Rules that decide whether a difference between two sums is a change (ADR 75).

Each released number has noise and is rounded. A difference that noise and rounding can
explain is not a change.
"""

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from app.consents.noise import SCALE
from app.figures.numbers import STEP
from app.figures.weeks import Quarter

DEVIATIONS: Final = 3
"""The number of standard deviations that a difference must exceed to be a change."""
RATIO: Final = math.exp(-1 / SCALE)
VARIANCE: Final = 2 * RATIO / (1 - RATIO) ** 2 + (STEP**2 - 1) / 12
"""The variance of one number: of its noise, and of rounding it to a multiple of `STEP`."""


class Change(StrEnum):
    """How a number or a share differs from that of the earlier period."""

    HIGHER = "higher"
    LOWER = "lower"
    SIMILAR = "similar"


@dataclass(frozen=True)
class ShownSum:
    """The sum of the numbers that releases show for the quarters of a period.

    `numbers` is how many numbers were added. `quarters` are the quarters that they cover.
    """

    people: int = 0
    numbers: int = 0
    quarters: AbstractSet[Quarter] = frozenset()

    def __add__(self, other: Self) -> "ShownSum":
        """Return the sum of two sums, which must contain different numbers."""
        return ShownSum(
            self.people + other.people,
            self.numbers + other.numbers,
            self.quarters | other.quarters,
        )


def compute_margin(numbers: int) -> int:
    """Return the largest likely error of a sum or difference of this many numbers."""
    return math.ceil(DEVIATIONS * math.sqrt(numbers * VARIANCE))


def compare_counts(earlier: ShownSum, later: ShownSum) -> Change:
    """Return how a number of people changed, beyond noise and rounding."""
    margin = compute_margin(earlier.numbers + later.numbers)
    if abs(later.people - earlier.people) <= margin:
        return Change.SIMILAR
    return Change.HIGHER if later.people > earlier.people else Change.LOWER


@dataclass(frozen=True)
class Share:
    """A share of people, such as the share that got help within a day."""

    part: ShownSum
    whole: ShownSum

    @property
    def percent(self) -> int:
        """The share in per cent, at most 100. Noise can make the part exceed the whole."""
        return min(100, round(100 * self.part.people / self.whole.people))

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and largest likely share (0 to 1), given noise and rounding."""
        part, whole = self.part, self.whole
        of_part, of_whole = compute_margin(part.numbers), compute_margin(whole.numbers)
        least = max(0, part.people - of_part) / (whole.people + of_whole)
        most = (part.people + of_part) / max(1, whole.people - of_whole)
        return min(1.0, least), min(1.0, most)


def compare_shares(earlier: Share, later: Share) -> Change:
    """Return how a share changed, or SIMILAR if the ranges of likely shares overlap."""
    if later.bounds[0] > earlier.bounds[1]:
        return Change.HIGHER
    if later.bounds[1] < earlier.bounds[0]:
        return Change.LOWER
    return Change.SIMILAR
