"""Numbers of people that a release may show: their keys, limits, noise and rounding.

A cell is a code for each axis of its table. A shorter cell is a sum: `("child",)` counts
all children.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from app.figures.catalogue import Cell, TableName

type TableCounts = Mapping[TableName, Counter[Cell]]
"""The number of people in each cell of the tables of one country or quarter."""

STEP: Final = 5
"""Numbers are rounded to a multiple of this step, so that each can mean five counts."""
SMALLEST_SHOWN: Final = 15
"""The smallest number shown. A 10 would stand for 11 and 12 only, not for five counts."""
SMALLEST_LARGE: Final = SMALLEST_SHOWN - STEP // 2
"""The smallest count, with its noise, that is large enough to be shown."""
LARGEST_NOISE: Final = 8
"""The largest noise. Negative noise has no limit.

A count that is not shown is at most 12 with its noise, so it can be 0, 1, 2, 3 or 4 even
for a reader who knows the noise.
"""


class Number(NamedTuple):
    """A number of people that a release may show.

    `part` is a country, or a quarter if quarters are added up. It is None for the sum of
    all parts.
    """

    part: str | None
    table: TableName
    cell: Cell


def is_large_enough(count: int, noise: int) -> bool:
    """Return whether a count with its noise is large enough to be shown."""
    return count + noise >= SMALLEST_LARGE


def compute_rounded(noisy: int) -> int:
    """Return a count with its noise, rounded to a multiple of five."""
    return STEP * ((noisy + STEP // 2) // STEP)
