"""Noise on published counts: who adds ten of their own does not find the one before them.

A count that is hidden below a bound and exact above it tells an insider, who can add to it,
how many others there were. So a number that depends on a key of the service, and is the
same each time for one country and quarter, is added before the count is compared with the
bound and shown. To ask again gives no other number, so nothing can be averaged.
"""

import math
from typing import Final

SCALE: Final = 2.0
"""The scale of the two geometric parts, our own proposal: half of all lie within 1."""
MOST: Final = 10
DIGITS: Final = 13
"""Hexadecimal digits of a part: 52 bits, as many as a float holds exactly."""


def noise_from(fingerprint: str) -> int:
    """Return a whole number around 0, drawn by a keyed fingerprint in hexadecimal.

    The difference of two geometric numbers (discrete Laplace), at most 10 either way.
    """
    up, down = (draw(fingerprint[n * DIGITS : (n + 1) * DIGITS]) for n in (0, 1))
    return max(-MOST, min(MOST, up - down))


def draw(digits: str) -> int:
    """Return a geometric number from some random digits."""
    uniform = int(digits, 16) / 16**DIGITS
    return int(math.log1p(-uniform) * -SCALE)
