"""Padded lengths, so that the length of a sealed text does not reveal the text (ADR 37)."""

from typing import Final

MIN_STEP: Final = 4 * 1024
"""The minimum padded length in bytes. Others are this length times a power of two."""


def compute_stepped_length(length: int) -> int:
    """Round a length in bytes up to `MIN_STEP` times a power of two."""
    size = MIN_STEP
    while size < length:
        size *= 2
    return size
