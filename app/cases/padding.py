"""Padding of sealed content, so that its length does not reveal the content (ADR 37).

A person who has a copy of the database but no key can see the size of each sealed row. The
size could reveal a short answer or the length of a name, so JSON is padded with spaces.
"""

from typing import Final

from app.cases.sections import Paper, Sealable, Section
from app.kernel.padding import compute_stepped_length

MIN_SIZE: Final = 1024
"""The minimum padded size in bytes, for kinds that are not in `STEPPED_KINDS`."""
STEPPED_KINDS: Final[frozenset[Sealable]] = frozenset(
    {
        Paper.SAFEGUARDS,
        Paper.SAFEGUARDS_PAST,
        Paper.TRAVEL_PLAN,
        Paper.ROUTING,
        Section.IDENTITY,
    }
)
"""The kinds that are padded to 4 KiB times a power of two. Other kinds use Padmé."""
OVERHEAD: Final = 12 + 16
"""The size in bytes of the nonce and the tag of AES-GCM."""


def pad_length(kind: Sealable, length: int) -> int:
    """Return the length in bytes that content of a kind has after padding."""
    if kind in STEPPED_KINDS:
        return compute_stepped_length(length)
    return compute_padme_length(max(length, MIN_SIZE))


def compute_padme_length(length: int) -> int:
    """Round a length up by at most 12 %, so that the result reveals O(log log length) bits.

    The algorithm is from Nikitin et al., "Reducing Metadata Leakage from Encrypted Files
    and Communication with PURBs", 2019, section 4.
    """
    exponent = length.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    return (length + mask) & ~mask


def pad(kind: Sealable, plain: bytes) -> bytes:
    """Return JSON padded with spaces to the length for its kind."""
    return plain.ljust(pad_length(kind, len(plain)))


def is_padded(kind: Sealable, sealed_length: int) -> bool:
    """Return whether a sealed row has the length of padded content."""
    length = sealed_length - OVERHEAD
    return pad_length(kind, length) == length
