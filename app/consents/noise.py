"""Noise in published counts, so that no reader can learn anything about a single person.

If counts were hidden below a limit and exact above it, an insider could add ten refusals
and learn how many others there were. Therefore, noise is added before the count is compared
with the limit and shown. The noise is derived from a key of the service. Until that key is
retired, the noise of each number stays the same, so that nobody can average it out.
"""

import math
from typing import Final

SCALE: Final = 2.0
"""The scale of the two geometrically distributed numbers whose difference is the noise.

About half of all noise is between -1 and 1. The value is our own proposal.
"""
MAX_NOISE: Final = 10
SMALLEST_COUNT: Final = 11
"""The minimum count that is published, as in CTDC data (k-anonymity with k = 11)."""
DIGITS: Final = 13
"""The number of hexadecimal digits of each number: 52 bits, which a float holds exactly."""


def derive_noise(fingerprint: str) -> int:
    """Return discrete Laplace noise from -10 to 10, derived from a keyed fingerprint."""
    return max(-MAX_NOISE, min(MAX_NOISE, derive_unlimited_noise(fingerprint)))


def derive_unlimited_noise(fingerprint: str) -> int:
    """Return discrete Laplace noise, derived from a keyed fingerprint."""
    up = derive_geometric(fingerprint[:DIGITS])
    down = derive_geometric(fingerprint[DIGITS : 2 * DIGITS])
    return up - down


def derive_geometric(digits: str) -> int:
    """Return a geometrically distributed number, derived from hexadecimal digits."""
    uniform = int(digits, 16) / 16**DIGITS
    return int(math.log1p(-uniform) * -SCALE)
