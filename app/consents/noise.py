"""Noise on published counts, so that no reader can compute a single person's part.

A count that is hidden below a bound and exact above it tells an insider, who can add ten
refusals, how many others there were. So noise is added before the count is compared with
the bound and shown. It depends on a key of the service, and is the same each time for one
country and quarter, so that repeated requests do not average it out.
"""

import math
from typing import Final

SCALE: Final = 2.0
"""The scale of the two geometric parts, our own proposal: half of all are within 1."""
MAX_NOISE: Final = 10
DIGITS: Final = 13
"""Hexadecimal digits of a part: 52 bits, as many as a float holds exactly."""


def derive_noise(fingerprint: str) -> int:
    """Return a whole number around 0, derived from a hexadecimal keyed fingerprint.

    It is the difference of two geometric numbers (discrete Laplace), from -10 to 10.
    """
    up, down = (
        derive_geometric(fingerprint[n * DIGITS : (n + 1) * DIGITS]) for n in (0, 1)
    )
    return max(-MAX_NOISE, min(MAX_NOISE, up - down))


def derive_geometric(digits: str) -> int:
    """Return a geometric number derived from some random digits."""
    uniform = int(digits, 16) / 16**DIGITS
    return int(math.log1p(-uniform) * -SCALE)
