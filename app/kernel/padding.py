"""Padded lengths, so that the length of sealed content does not reveal it (ADR 37)."""

from typing import Final

MIN_STEP: Final = 4 * 1024
"""The smallest padded size in bytes of content whose size doubles if necessary."""


def compute_stepped_length(length: int) -> int:
    """Round a length up to `MIN_STEP`, or to the next size that results from doubling."""
    size = MIN_STEP
    while size < length:
        size *= 2
    return size
